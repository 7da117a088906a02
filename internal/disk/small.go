package disk

import "io"

// Small is a folder of small files that are read and replaced whole, such as a vault. It is an interface so that tests can
// put one in between that fails at a chosen step; see package disktest.
type Small interface {
	// Read returns the bytes of a file, and whether others than its owner may read or change it.
	Read(name string, limit int64) (text []byte, exposed bool, err error)
	// WriteAtomic replaces a file at once or not at all, readable by its owner only.
	WriteAtomic(name string, text []byte) error
	// Lock takes a lock without waiting.
	Lock(name string) (unlock func() error, err error)
	io.Closer
}

// OpenSmall opens a folder of the machine, and makes it where that is asked for. The caller closes it.
func OpenSmall(dir string, create bool) (Small, error) {
	open := Open
	if create {
		open = Create
	}
	f, err := open(dir)
	if err != nil {
		return nil, err
	}
	return small{f}, nil
}

type small struct{ *Folder }

func (f small) Read(name string, limit int64) ([]byte, bool, error) {
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

func (f small) Lock(name string) (func() error, error) {
	l, err := f.Folder.Lock(name)
	if err != nil {
		return nil, err
	}
	return l.Unlock, nil
}
