package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/sre-go/sre/fault"
)

// Appender is a file that grows at its end, for logs. Several may be open on one file, also in several processes: what
// each writes stands together, but whoever looks at the size before writing takes a [Lock] first. It is for one goroutine
// at a time.
type Appender struct {
	folder *Folder
	f      file
	name   string
	info   fs.FileInfo
}

// Append opens a regular file to write behind its end, and makes it, readable by its owner only, when there is none. What
// is made stays, also after a loss of power.
func (f *Folder) Append(name string) (*Appender, error) {
	if err := checkName("disk.append", name); err != nil {
		return nil, err
	}
	if err := f.makeFolder(path.Dir(name)); err != nil {
		return nil, explain("disk.append", name, err)
	}
	local := filepath.FromSlash(name)
	_, missing := f.root.lstat(local)
	h, err := f.root.open(local, os.O_RDWR|os.O_APPEND|os.O_CREATE|nonblock)
	if err != nil {
		return nil, explain("disk.append", name, err)
	}
	info, err := h.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fault.Error{Op: "disk.append", Resource: name, Kind: fault.Invalid, Err: errors.New("not a regular file")}
	}
	if err == nil && missing != nil {
		err = f.root.syncFolder(filepath.FromSlash(path.Dir(name)))
	}
	if err != nil {
		return nil, first(explain("disk.append", name, err), explain("disk.close", name, h.Close()))
	}
	return &Appender{folder: f, f: h, name: name, info: info}, nil
}

// Write writes all of p behind the end of the file. When it cannot, it takes back what it wrote: the file is then as
// before, unless that fails too. It does not flush.
func (a *Appender) Write(p []byte) (int, error) {
	before, err := a.Size()
	if err != nil {
		return 0, err
	}
	n, err := a.f.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err == nil {
		return n, nil
	}
	if n > 0 {
		_ = a.f.Truncate(before) // the error that is told is the first one
	}
	return 0, explain("disk.append", a.name, err)
}

// Size returns the size of the file now, in bytes.
func (a *Appender) Size() (int64, error) {
	info, err := a.f.Stat()
	if err != nil {
		return 0, explain("disk.append", a.name, err)
	}
	return info.Size(), nil
}

// Current reports whether the name still leads to this file: nobody removed or replaced it.
func (a *Appender) Current() bool {
	info, err := a.folder.root.lstat(filepath.FromSlash(a.name))
	return err == nil && os.SameFile(info, a.info)
}

// Tail returns the last n bytes of the file, all of it when it is shorter.
func (a *Appender) Tail(n int) ([]byte, error) {
	size, err := a.Size()
	if err != nil {
		return nil, err
	}
	text := make([]byte, min(int64(n), size))
	if _, err := a.f.ReadAt(text, size-int64(len(text))); err != nil && !errors.Is(err, io.EOF) {
		return nil, explain("disk.append", a.name, err)
	}
	return text, nil
}

// Cut shortens the file to a size in bytes.
func (a *Appender) Cut(size int64) error { return explain("disk.append", a.name, a.f.Truncate(size)) }

// Sync brings what was written to the disk: it stays, also after a loss of power. After an error nobody knows what of it
// did; close the file then, and look at what it holds.
func (a *Appender) Sync() error { return explain("disk.append", a.name, a.f.Sync()) }

// Close closes the file. It does not flush.
func (a *Appender) Close() error { return explain("disk.close", a.name, a.f.Close()) }

var _ io.WriteCloser = (*Appender)(nil)
