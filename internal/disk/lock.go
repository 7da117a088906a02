package disk

import (
	"errors"
	"os"
	"path"
	"path/filepath"

	"github.com/sre-go/sre/fault"
)

// Lock is held by one process, and within it by one holder, until Unlock or until the process ends.
type Lock struct {
	f    file
	name string
}

// Lock takes the lock of that name, a file in the folder, without waiting. When another holds it the error is
// [fault.Conflict]; who can wait tries again. The file stays, empty, when the lock is given back.
func (f *Folder) Lock(name string) (*Lock, error) {
	if err := checkName("disk.lock", name); err != nil {
		return nil, err
	}
	if err := f.makeFolder(path.Dir(name)); err != nil {
		return nil, explain("disk.lock", name, err)
	}
	h, err := f.root.open(filepath.FromSlash(name), os.O_RDWR|os.O_CREATE|nonblock)
	if err != nil {
		return nil, explain("disk.lock", name, err)
	}
	info, err := h.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fault.Error{Op: "disk.lock", Resource: name, Kind: fault.Invalid, Err: errors.New("not a regular file")}
	}
	if err == nil {
		err = lockFile(h)
	}
	if errors.Is(err, errHeld) {
		err = &fault.Error{Op: "disk.lock", Resource: name, Kind: fault.Conflict, Err: errHeld}
	}
	if err != nil {
		return nil, first(explain("disk.lock", name, err), explain("disk.close", name, h.Close()))
	}
	return &Lock{f: h, name: name}, nil
}

// Unlock gives the lock back. Call it once.
func (l *Lock) Unlock() error { return explain("disk.unlock", l.name, l.f.Close()) }

var errHeld = errors.New("another process is using it")
