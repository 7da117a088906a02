package sqlite

import (
	"path/filepath"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
)

// Locate returns the folder and the name of the file that an operator configured as file. A relative path starts at
// dataDir, and an empty one stands for the file called name in it. It is for [Options].
func Locate(dataDir, file, name string) (folder, base string, err error) {
	if file == "" {
		file = name
	}
	if !filepath.IsAbs(file) {
		if dataDir == "" {
			return "", "", fault.Hint(fault.Newf(fault.Invalid, "there is no data folder"), "set the file by its absolute path")
		}
		file = filepath.Join(dataDir, file)
	}
	return filepath.Dir(file), filepath.Base(file), nil
}

// Exists reports whether the database was ever used: whether its file is there. Reading makes the file too, so a program
// that must leave no trace where it only looks asks first.
func (db *DB) Exists() bool {
	db.mu.Lock()
	open := db.pools != nil
	db.mu.Unlock()
	return open || disk.IsFile(db.path())
}
