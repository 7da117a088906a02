package audit

import (
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
)

// store is the folder of the audit. Tests put one in between that fails at a chosen step.
type store interface {
	// lock takes a lock without waiting; [fault.Conflict] when somebody else has it.
	lock(name string) (unlock func() error, err error)
	open(name string) (file, error)
	// names returns the names of the files with records, the oldest first.
	names() ([]string, error)
	exists(name string) bool
	read(name string, limit int64) ([]byte, error)
	replace(name string, data []byte) error
	remove(name string) error
	close() error
}

// file is a [disk.Appender].
type file interface {
	Write(p []byte) (int, error)
	Size() (int64, error)
	Current() bool
	Tail(n int) ([]byte, error)
	Cut(size int64) error
	Sync() error
	Close() error
}

// folder is a store on the disk.
type folder struct{ *disk.Folder }

func (f folder) lock(name string) (func() error, error) {
	l, err := f.Lock(name)
	if err != nil {
		return nil, err
	}
	return l.Unlock, nil
}

func (f folder) open(name string) (file, error) {
	a, err := f.Append(name)
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (f folder) names() ([]string, error) {
	var names []string
	for name, err := range f.Walk(filePrefix, "") {
		if err != nil {
			return nil, err
		}
		if _, ok := firstOf(name); ok {
			names = append(names, name)
		}
	}
	return names, nil
}

func (f folder) exists(name string) bool {
	_, err := f.Stat(name)
	return !fault.Is(err, fault.NotFound)
}

func (f folder) read(name string, limit int64) ([]byte, error) { return f.Read(name, limit) }
func (f folder) replace(name string, data []byte) error        { return f.WriteAtomic(name, data) }
func (f folder) remove(name string) error                      { return f.Remove(name) }
func (f folder) close() error                                  { return f.Close() }

var (
	_ store = folder{}
	_ file  = (*disk.Appender)(nil)
)
