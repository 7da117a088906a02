package disk

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Later returns the directory of that path, which is made when something is first written to it. Until then it is
// empty. A program that only looks leaves no trace.
func Later(dir string) *Folder {
	return &Folder{root: &laterRoot{find: func(create bool) (system, error) {
		if create {
			if err := os.MkdirAll(dir, folderMode); err != nil {
				return nil, err
			}
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, err
		}
		return osRoot{root}, nil
	}}}
}

// SubLater is Sub, but makes the folder when something is first written to it.
func (f *Folder) SubLater(name string) (*Folder, error) {
	if err := checkName("disk.open", name); err != nil {
		return nil, err
	}
	return &Folder{root: &laterRoot{find: func(create bool) (system, error) {
		if create {
			if err := f.makeFolder(name); err != nil {
				return nil, err
			}
		}
		return f.root.openRoot(filepath.FromSlash(name))
	}}}, nil
}

// Exists reports whether the directory is there.
func (f *Folder) Exists() bool {
	_, err := f.root.stat(".")
	return err == nil
}

// laterRoot is a system whose root is made at the first write.
type laterRoot struct {
	find func(create bool) (system, error)

	mu     sync.Mutex
	root   system // nil until it was found
	closed bool
}

func (r *laterRoot) get(create bool) (system, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, fs.ErrClosed
	}
	if r.root == nil {
		root, err := r.find(create)
		if err != nil {
			return nil, err
		}
		r.root = root
	}
	return r.root, nil
}

func (r *laterRoot) open(name string, flag int) (file, error) {
	root, err := r.get(flag&os.O_CREATE != 0)
	if err != nil {
		return nil, err
	}
	return root.open(name, flag)
}

func (r *laterRoot) openRoot(name string) (system, error) {
	root, err := r.get(false)
	if err != nil {
		return nil, err
	}
	return root.openRoot(name)
}

func (r *laterRoot) stat(name string) (fs.FileInfo, error) {
	root, err := r.get(false)
	if err != nil {
		return nil, err
	}
	return root.stat(name)
}

func (r *laterRoot) lstat(name string) (fs.FileInfo, error) {
	root, err := r.get(false)
	if err != nil {
		return nil, err
	}
	return root.lstat(name)
}

func (r *laterRoot) mkdir(name string, mode fs.FileMode) error {
	root, err := r.get(true)
	if err != nil {
		return err
	}
	return root.mkdir(name, mode)
}

func (r *laterRoot) rename(from, to string) error {
	root, err := r.get(false)
	if err != nil {
		return err
	}
	return root.rename(from, to)
}

func (r *laterRoot) remove(name string) error {
	root, err := r.get(false)
	if err != nil {
		return err
	}
	return root.remove(name)
}

func (r *laterRoot) syncFolder(name string) error {
	root, err := r.get(false)
	if err != nil {
		return err
	}
	return root.syncFolder(name)
}

func (r *laterRoot) readFolder(name string) ([]fs.DirEntry, error) {
	root, err := r.get(false)
	if err != nil {
		return nil, err
	}
	return root.readFolder(name)
}

func (r *laterRoot) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.root == nil {
		return nil
	}
	return r.root.close()
}
