package livefile

import (
	"path/filepath"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
)

// Place is where an operator keeps a file: a folder and the names it may have there, the first that exists counts.
type Place struct {
	Dir   string // of the operating system
	Names []string
	Limit int64 // largest size in bytes
}

// At returns the place of a file that a setting names: below the data folder dir, or anywhere when the operator gave an
// absolute path. Without a name it is the first of defaults that exists in dir.
func At(dir, file string, limit int64, defaults ...string) Place {
	switch {
	case file == "":
		return Place{Dir: dir, Names: defaults, Limit: limit}
	case filepath.IsAbs(file):
		return Place{Dir: filepath.Dir(file), Names: []string{filepath.Base(file)}, Limit: limit}
	}
	return Place{Dir: dir, Names: []string{filepath.ToSlash(file)}, Limit: limit}
}

// Read reads the file. The folder is opened for each read, so it may appear, vanish and be replaced at any time.
// No file under any of the names is [fault.NotFound].
func (p Place) Read() (text []byte, err error) {
	folder, err := disk.Open(p.Dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closing := folder.Close(); err == nil {
			err = closing
		}
	}()
	missing := fault.Newf(fault.NotFound, "no file name was given")
	for _, name := range p.Names {
		text, err := folder.Read(name, p.Limit)
		if !fault.Is(err, fault.NotFound) {
			return text, err
		}
		missing = err
	}
	return nil, missing
}
