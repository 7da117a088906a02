package disk

import (
	"os"
	"path/filepath"

	"github.com/sre-go/sre/fault"
)

// This file reads paths that an operator names on a command line: files anywhere, outside of any folder of the runtime.

// ReadFile reads a regular file of at most limit bytes. path is a path of the operating system, chosen by the operator.
func ReadFile(path string, limit int64) (text []byte, err error) {
	folder, err := Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer func() {
		if closing := folder.Close(); err == nil {
			err = closing
		}
	}()
	return folder.Read(filepath.Base(path), limit)
}

// Names returns the names of the files of a directory, sorted. Those of the directories in it are left out.
func Names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, explain("disk.list", filepath.Base(dir), err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Stat returns size and time of a regular file.
func Stat(path string) (Info, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Info{}, explain("disk.stat", filepath.Base(path), err)
	}
	if !info.Mode().IsRegular() {
		return Info{}, fault.Newf(fault.Invalid, "%s is not a regular file", filepath.Base(path))
	}
	return Info{Size: info.Size(), Modified: info.ModTime()}, nil
}

// IsFile reports whether path names a regular file.
func IsFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// IsFolder reports whether path names a directory.
func IsFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
