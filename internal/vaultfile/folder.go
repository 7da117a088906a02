package vaultfile

import (
	"io"

	"github.com/sre-go/sre/internal/disk"
)

// Folder is what a vault asks of the folder of its file. Tests put one in between that fails at a chosen step.
type Folder interface {
	// Read returns the bytes of a file, and whether others than its owner may read or change it.
	Read(name string, limit int64) (text []byte, exposed bool, err error)
	// WriteAtomic replaces a file at once or not at all, readable by its owner only.
	WriteAtomic(name string, text []byte) error
	// Lock takes a lock without waiting.
	Lock(name string) (unlock func() error, err error)
	io.Closer
}

// OpenFolder opens a folder of the machine, and makes it where that is asked for. The caller closes it.
func OpenFolder(dir string, create bool) (Folder, error) {
	open := disk.Open
	if create {
		open = disk.Create
	}
	f, err := open(dir)
	if err != nil {
		return nil, err
	}
	return folder{f}, nil
}

type folder struct{ *disk.Folder }

func (f folder) Read(name string, limit int64) ([]byte, bool, error) {
	r, err := f.Open(name, limit)
	if err != nil {
		return nil, false, err
	}
	text, err := io.ReadAll(r)
	if closing := r.Close(); err == nil {
		err = closing
	}
	return text, r.Info().Exposed, err
}

func (f folder) Lock(name string) (func() error, error) {
	l, err := f.Folder.Lock(name)
	if err != nil {
		return nil, err
	}
	return l.Unlock, nil
}
