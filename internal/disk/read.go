package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/sre-go/sre/fault"
)

// LimitFileBytes is the name of the limit that reads and writes cite.
const LimitFileBytes = "file_bytes"

// Info is what is known of a file without reading it.
type Info struct {
	Size     int64 // bytes
	Modified time.Time
	// Exposed says that others than the owner of the file may read or change it. It is false where the system has no such
	// modes.
	Exposed bool
}

func infoOf(info fs.FileInfo) Info {
	return Info{Size: info.Size(), Modified: info.ModTime(), Exposed: modesCount && info.Mode().Perm()&0o077 != 0}
}

// File is an open regular file, for reading from start to end or here and there. It is for one goroutine at a time, but
// for ReadAt.
type File struct {
	folder *Folder
	f      file
	name   string
	left   int64 // bytes that may still be read
	limit  int64
	info   Info
	stat   fs.FileInfo
}

// Open opens a regular file for reading at most limit bytes; reading on is [fault.Limit]. A file that is larger already
// is refused at once. Anything but a regular file is [fault.Invalid], and opening one never waits.
// The caller closes the file.
func (f *Folder) Open(name string, limit int64) (*File, error) {
	if err := checkName("disk.read", name); err != nil {
		return nil, err
	}
	h, err := f.root.open(filepath.FromSlash(name), os.O_RDONLY|nonblock)
	if err != nil {
		return nil, explain("disk.read", name, err)
	}
	info, err := h.Stat()
	switch {
	case err != nil:
		err = explain("disk.read", name, err)
	case !info.Mode().IsRegular():
		err = &fault.Error{Op: "disk.read", Resource: name, Kind: fault.Invalid, Err: errors.New("not a regular file")}
	case info.Size() > limit:
		err = tooLarge(name, limit)
	}
	if err != nil {
		return nil, first(err, explain("disk.close", name, h.Close()))
	}
	return &File{folder: f, f: h, name: name, left: limit, limit: limit, info: infoOf(info), stat: info}, nil
}

// Info returns size and time of the file as it was opened.
func (r *File) Info() Info { return r.info }

// Current reports whether the name still leads to this file: nobody removed or replaced it.
func (r *File) Current() bool {
	info, err := r.folder.root.stat(filepath.FromSlash(r.name))
	return err == nil && os.SameFile(info, r.stat)
}

// Read reads on.
func (r *File) Read(p []byte) (int, error) {
	if r.left <= 0 {
		// One byte more tells the end of the file from a file that grew.
		var one [1]byte
		n, err := r.f.Read(one[:])
		if n > 0 {
			return 0, tooLarge(r.name, r.limit)
		}
		return 0, r.explain(err)
	}
	if int64(len(p)) > r.left {
		p = p[:r.left]
	}
	n, err := r.f.Read(p)
	r.left -= int64(n)
	return n, r.explain(err)
}

// ReadAt reads the bytes from off on, as [io.ReaderAt] says. The file ends where it did when it was opened. ReadAt does not
// touch what Read reads, and several goroutines may use it at a time.
func (r *File) ReadAt(p []byte, off int64) (int, error) {
	cut := off >= r.info.Size || int64(len(p)) > r.info.Size-off
	if cut {
		p = p[:max(r.info.Size-off, 0)]
	}
	n, err := r.f.ReadAt(p, off)
	if err == nil && cut {
		err = io.EOF
	}
	return n, r.explain(err)
}

// Close closes the file.
func (r *File) Close() error { return explain("disk.close", r.name, r.f.Close()) }

func (r *File) explain(err error) error {
	if err == io.EOF {
		return err
	}
	return explain("disk.read", r.name, err)
}

func tooLarge(name string, limit int64) error {
	return &fault.Error{
		Op: "disk.read", Resource: name, Kind: fault.Limit, Code: "LIMIT_EXCEEDED(" + LimitFileBytes + ")",
		Err: fmt.Errorf("file is over the limit of %d bytes", limit),
	}
}

// Read returns the bytes of a regular file of at most limit bytes, under the rules of [Folder.Open].
func (f *Folder) Read(name string, limit int64) ([]byte, error) {
	r, err := f.Open(name, limit)
	if err != nil {
		return nil, err
	}
	data := make([]byte, 0, r.info.Size+1) // one more, so that the end is seen without growing
	for {
		n, rerr := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if rerr == io.EOF {
			break
		}
		if rerr != nil {
			return nil, first(rerr, r.Close())
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
	}
	if err := r.Close(); err != nil {
		return nil, err
	}
	return data, nil
}

// Stat returns size and time of a regular file. Anything else is [fault.Invalid], nothing at all [fault.NotFound].
func (f *Folder) Stat(name string) (Info, error) {
	if err := checkName("disk.stat", name); err != nil {
		return Info{}, err
	}
	info, err := f.root.stat(filepath.FromSlash(name))
	if err != nil {
		return Info{}, explain("disk.stat", name, err)
	}
	if !info.Mode().IsRegular() {
		return Info{}, &fault.Error{Op: "disk.stat", Resource: name, Kind: fault.Invalid, Err: errors.New("not a regular file")}
	}
	return infoOf(info), nil
}
