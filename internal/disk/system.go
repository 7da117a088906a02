package disk

import (
	"io"
	"io/fs"
	"os"
)

// system is what a Folder asks of the operating system. Tests put one in between that fails at a chosen step.
type system interface {
	open(name string, flag int) (file, error)
	openRoot(name string) (system, error)
	stat(name string) (fs.FileInfo, error)
	lstat(name string) (fs.FileInfo, error)
	mkdir(name string, mode fs.FileMode) error
	rename(from, to string) error
	remove(name string) error
	syncFolder(name string) error
	readFolder(name string) ([]fs.DirEntry, error)
	close() error
}

// file is an open file.
type file interface {
	io.Reader
	io.ReaderAt
	io.Writer
	Truncate(size int64) error
	Sync() error
	Stat() (fs.FileInfo, error)
	Close() error
	Fd() uintptr
}

// osRoot is the real system.
type osRoot struct{ root *os.Root }

func (r osRoot) open(name string, flag int) (file, error) {
	f, err := r.root.OpenFile(name, flag, fileMode)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (r osRoot) openRoot(name string) (system, error) {
	sub, err := r.root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return osRoot{sub}, nil
}

func (r osRoot) stat(name string) (fs.FileInfo, error)     { return r.root.Stat(name) }
func (r osRoot) lstat(name string) (fs.FileInfo, error)    { return r.root.Lstat(name) }
func (r osRoot) mkdir(name string, mode fs.FileMode) error { return r.root.Mkdir(name, mode) }
func (r osRoot) rename(from, to string) error              { return r.root.Rename(from, to) }
func (r osRoot) remove(name string) error                  { return r.root.Remove(name) }
func (r osRoot) close() error                              { return r.root.Close() }

func (r osRoot) readFolder(name string) ([]fs.DirEntry, error) {
	d, err := r.root.OpenFile(name, os.O_RDONLY|directory|nonblock, 0)
	if err != nil {
		return nil, err
	}
	entries, err := d.ReadDir(-1)
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return entries, err
}

// syncFolder flushes the entries of a folder, so that what was renamed or removed in it survives a loss of power.
func (r osRoot) syncFolder(name string) error {
	if !foldersSync {
		return nil
	}
	d, err := r.root.OpenFile(name, os.O_RDONLY|directory|nonblock, 0)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}
