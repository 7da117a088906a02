package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// Steps that a faulty folder asks about. They are the ones that reach the disk.
const (
	StepOpen   = "open"   // a file is opened to be read
	StepMake   = "make"   // a file is opened to be written, and made when there is none
	StepRead   = "read"   // bytes are read
	StepWrite  = "write"  // bytes are written
	StepSync   = "sync"   // a file or a folder is flushed
	StepClose  = "close"  // a file is closed
	StepMkdir  = "mkdir"  // a folder is made
	StepRename = "rename" // a file gets its name
	StepRemove = "remove" // a file is removed
	StepList   = "list"   // a folder is read
)

// Faulty returns the same folder with a disk that fails: before each step it asks fail, and the error of fail, such as a
// [syscall.Errno], is what the step gives. A write that fails has written half of its bytes; for [io.ErrShortWrite] it
// writes half of them and says no more than that. It is for tests of what stands on a folder. fail must be safe for
// concurrent use when the folder is used so. Closing either of the two closes both.
func (f *Folder) Faulty(fail func(step string) error) *Folder {
	return &Folder{root: faulty{f.root, fail}}
}

// faulty is a system in which steps fail.
type faulty struct {
	system
	fail func(string) error
}

// do does a step unless it is to fail.
func (s faulty) do(step string, act func() error) error {
	if err := s.fail(step); err != nil {
		return &fs.PathError{Op: step, Err: err}
	}
	return act()
}

func (s faulty) open(name string, flag int) (f file, err error) {
	step := StepOpen
	if flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE) != 0 {
		step = StepMake
	}
	err = s.do(step, func() error {
		opened, err := s.system.open(name, flag)
		f = faultyFile{opened, s}
		return err
	})
	return f, err
}

func (s faulty) openRoot(name string) (system, error) {
	sub, err := s.system.openRoot(name)
	if err != nil {
		return nil, err
	}
	return faulty{sub, s.fail}, nil
}

func (s faulty) mkdir(name string, mode fs.FileMode) error {
	return s.do(StepMkdir, func() error { return s.system.mkdir(name, mode) })
}

func (s faulty) rename(from, to string) error {
	return s.do(StepRename, func() error { return s.system.rename(from, to) })
}

func (s faulty) remove(name string) error {
	return s.do(StepRemove, func() error { return s.system.remove(name) })
}

func (s faulty) syncFolder(name string) error {
	return s.do(StepSync, func() error { return s.system.syncFolder(name) })
}

func (s faulty) readFolder(name string) (entries []fs.DirEntry, err error) {
	err = s.do(StepList, func() error {
		entries, err = s.system.readFolder(name)
		return err
	})
	return entries, err
}

// faultyFile is a file of a faulty system.
type faultyFile struct {
	file
	s faulty
}

func (f faultyFile) Read(p []byte) (n int, err error) {
	if err := f.s.fail(StepRead); err != nil {
		return 0, err
	}
	return f.file.Read(p) // the end of the file comes through as it is
}

func (f faultyFile) ReadAt(p []byte, off int64) (n int, err error) {
	if err := f.s.fail(StepRead); err != nil {
		return 0, err
	}
	return f.file.ReadAt(p, off)
}

func (f faultyFile) Write(p []byte) (int, error) {
	failed := f.s.fail(StepWrite)
	if failed == nil {
		return f.file.Write(p)
	}
	n, err := f.file.Write(p[:len(p)/2])
	if errors.Is(failed, io.ErrShortWrite) {
		return n, err
	}
	return n, failed
}

func (f faultyFile) Sync() error { return f.s.do(StepSync, f.file.Sync) }

// Close closes the file also when it fails.
func (f faultyFile) Close() error {
	failed := f.s.fail(StepClose)
	return first(failed, f.file.Close())
}
