package disk

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"time"

	"github.com/sre-go/sre/fault"
)

// Writer is a file that is being written. Nobody sees it before Commit; Discard forgets it. One of the two must be
// called. It is for one goroutine at a time.
type Writer struct {
	folder *Folder
	f      file
	temp   string
	name   string
	ready  bool // flushed and closed
	done   bool
	err    error // of the first failure; nothing can be committed after it
}

// Writer starts a new content for name. Missing folders are made at Commit.
func (f *Folder) Writer(name string) (*Writer, error) {
	if err := checkName("disk.write", name); err != nil {
		return nil, err
	}
	if err := f.makeFolder(tempFolder); err != nil {
		return nil, explain("disk.write", name, err)
	}
	for {
		temp := filepath.Join(tempFolder, strconv.Itoa(os.Getpid())+"-"+strconv.FormatUint(f.temp.Add(1), 10))
		h, err := f.root.open(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL|nonblock)
		if errors.Is(err, fs.ErrExist) {
			continue // left by a process that had the same number, or in use by another Folder on this directory
		}
		if err != nil {
			return nil, explain("disk.write", name, err)
		}
		return &Writer{folder: f, f: h, temp: temp, name: name}, nil
	}
}

// Write appends to the new content.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.f.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	w.err = explain("disk.write", w.name, err)
	return n, w.err
}

// Flush brings the content to the disk, where it waits for Commit. It is optional, and for callers that want the slow
// part done before they take a lock. Nothing can be written afterwards.
func (w *Writer) Flush() error {
	if w.ready || w.err != nil {
		return w.err
	}
	err := w.f.Sync()
	w.ready = true
	if cerr := w.f.Close(); err == nil {
		err = cerr
	}
	w.err = explain("disk.write", w.name, err)
	return w.err
}

// Commit puts the content in place of the file. When it returns nil the new content is there and stays, also after a
// loss of power; when it fails the old one is, unless the very last step failed, after which either may survive a loss
// of power. A symbolic link at the name is replaced, not followed.
func (w *Writer) Commit() error {
	if w.done {
		return &fault.Error{Op: "disk.write", Resource: w.name, Kind: fault.Internal, Err: errors.New("the writer is closed")}
	}
	if err := w.Flush(); err != nil {
		return first(err, w.Discard())
	}
	folder := path.Dir(w.name)
	err := w.folder.makeFolder(folder)
	if err == nil {
		err = w.folder.root.rename(w.temp, filepath.FromSlash(w.name))
	}
	if err != nil {
		return first(explain("disk.write", w.name, err), w.Discard())
	}
	w.done = true
	return explain("disk.write", w.name, w.folder.root.syncFolder(filepath.FromSlash(folder)))
}

// Discard forgets the content. After Commit it does nothing.
func (w *Writer) Discard() error {
	if w.done {
		return nil
	}
	w.done = true
	if w.err == nil {
		w.err = fs.ErrClosed
	}
	var cerr error
	if !w.ready {
		w.ready = true
		cerr = w.f.Close()
	}
	return explain("disk.write", w.name, first(cerr, w.folder.root.remove(w.temp)))
}

// WriteAtomic puts data in place of the file of that name, at once or not at all, under the rules of [Writer.Commit].
func (f *Folder) WriteAtomic(name string, data []byte) error {
	return f.WriteAtomicFrom(name, bytes.NewReader(data))
}

// WriteAtomicFrom is WriteAtomic with the bytes that r gives until its end. A failing r changes nothing.
func (f *Folder) WriteAtomicFrom(name string, r io.Reader) error {
	w, err := f.Writer(name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		return first(err, w.Discard())
	}
	return w.Commit()
}

// Sweep removes what writers that never ended left behind before that time.
func (f *Folder) Sweep(before time.Time) error {
	entries, err := f.root.readFolder(tempFolder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return explain("disk.sweep", "", err)
	}
	var failed error
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.ModTime().Before(before) {
			continue
		}
		if err == nil {
			err = f.root.remove(filepath.Join(tempFolder, e.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) && failed == nil {
			failed = explain("disk.sweep", e.Name(), err)
		}
	}
	return failed
}

// Tidy removes the folder that unfinished writes lie in, unless one is in it. It is for folders of people, to which
// nobody else writes at that moment.
func (f *Folder) Tidy() {
	_ = f.root.remove(tempFolder) // it stays when it is not empty
}

// Touch makes an empty file, readable by its owner only, when there is none of that name. It is for programs that open
// the file by themselves, such as the driver of an embedded database.
func (f *Folder) Touch(name string) error {
	if err := checkName("disk.touch", name); err != nil {
		return err
	}
	if err := f.makeFolder(path.Dir(name)); err != nil {
		return explain("disk.touch", name, err)
	}
	h, err := f.root.open(filepath.FromSlash(name), os.O_RDWR|os.O_CREATE|nonblock)
	if err != nil {
		return explain("disk.touch", name, err)
	}
	return explain("disk.touch", name, h.Close())
}
