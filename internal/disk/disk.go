// Package disk is the one door to the disk: folders that nothing below them can leave, and files that change at once
// or not at all.
//
// A [Folder] is opened on a directory and takes names relative to it. Names are checked before the system sees them,
// and the system resolves them below the folder only (os.Root), so neither "../x" nor a symbolic link reaches anything
// outside. Only regular files are read, opening one never waits, and every read has a limit. A write goes to a
// temporary file that is flushed and then renamed, so after a crash a file holds its old bytes or its new ones.
//
// Errors carry a kind of package fault. A name or a link that leads out has the code PATH_DENIED, a full disk the code
// STORAGE_FULL. Messages name the file as the caller did, never by its place on the machine.
package disk

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"github.com/sre-go/sre/fault"
)

// tempFolder holds files that are being written. No name may have it as a segment.
const tempFolder = ".sre-tmp"

// Modes of what is made: nobody but the user of the process gets in.
const (
	folderMode fs.FileMode = 0o700
	fileMode   fs.FileMode = 0o600
)

// Folder is one directory and what is below it. It is safe for concurrent use. Close it when done;
// files and folders opened from it stay usable.
type Folder struct {
	root system
	temp atomic.Uint64 // number of the last temporary file
}

// Open opens a directory that exists. dir is a path of the operating system, chosen by the operator; it may be a
// symbolic link, and what it points to at this moment is the folder from then on.
func Open(dir string) (*Folder, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, explain("disk.open", filepath.Base(dir), err)
	}
	if !info.IsDir() {
		return nil, &fault.Error{Op: "disk.open", Resource: filepath.Base(dir), Kind: fault.Invalid, Err: errors.New("not a folder")}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, explain("disk.open", filepath.Base(dir), err)
	}
	return &Folder{root: osRoot{root}}, nil
}

// Create is Open, but first makes the directory and its parents where they are missing.
func Create(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, folderMode); err != nil {
		return nil, explain("disk.create", filepath.Base(dir), err)
	}
	return Open(dir)
}

// Sub opens the folder of that name below f and makes it where it is missing. The result cannot reach its siblings.
func (f *Folder) Sub(name string) (*Folder, error) {
	if err := checkName("disk.open", name); err != nil {
		return nil, err
	}
	if err := f.makeFolder(name); err != nil {
		return nil, explain("disk.open", name, err)
	}
	root, err := f.root.openRoot(filepath.FromSlash(name))
	if err != nil {
		return nil, explain("disk.open", name, err)
	}
	return &Folder{root: root}, nil
}

// Close gives the folder back. Using it afterwards is an error of kind [fault.Unavailable].
func (f *Folder) Close() error { return explain("disk.close", "", f.root.close()) }

// Remove deletes a file; folders that became empty stay. Removing what is not there is [fault.NotFound].
// When it returns nil the file stays gone, also after a loss of power.
func (f *Folder) Remove(name string) error {
	if err := checkName("disk.remove", name); err != nil {
		return err
	}
	local := filepath.FromSlash(name)
	info, err := f.root.lstat(local)
	if err == nil && info.IsDir() {
		return &fault.Error{Op: "disk.remove", Resource: name, Kind: fault.Invalid, Err: errors.New("it is a folder")}
	}
	if err == nil {
		err = f.root.remove(local)
	}
	if err == nil {
		err = f.root.syncFolder(filepath.FromSlash(path.Dir(name)))
	}
	return explain("disk.remove", name, err)
}

// makeFolder makes a folder below f and flushes every parent that got a new entry.
func (f *Folder) makeFolder(name string) error {
	if name == "." {
		return nil
	}
	local := filepath.FromSlash(name)
	switch info, err := f.root.stat(local); {
	case err == nil && info.IsDir():
		return nil
	case err == nil, errors.Is(err, syscall.ENOTDIR):
		return fs.ErrExist // a file is in the way
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := path.Dir(name)
	if err := f.makeFolder(parent); err != nil {
		return err
	}
	if err := f.root.mkdir(local, folderMode); err != nil {
		if errors.Is(err, fs.ErrExist) {
			if info, serr := f.root.stat(local); serr == nil && info.IsDir() {
				return nil // another writer made it meanwhile
			}
		}
		return err
	}
	return f.root.syncFolder(filepath.FromSlash(parent))
}
