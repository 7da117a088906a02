package localstorage

import "strings"

// Objects lie in the folder "objects". The file of an object carries the suffix ".obj" and each folder above it the
// suffix ".d", so that "a" and "a/b" can both be objects and no name can meet a folder or the file of another name.
const (
	objectsFolder = "objects"
	fileSuffix    = ".obj"
	folderSuffix  = ".d"
)

// fileOf returns the file of an object, below the folder of objects.
func fileOf(name string) string {
	return strings.ReplaceAll(name, "/", folderSuffix+"/") + fileSuffix
}

// prefixOf returns what the files of the objects whose names begin with prefix begin with.
func prefixOf(prefix string) string { return strings.ReplaceAll(prefix, "/", folderSuffix+"/") }

// nameOf returns the object of a file, false for a file that is none.
func nameOf(file string) (string, bool) {
	stem, ok := strings.CutSuffix(file, fileSuffix)
	if !ok {
		return "", false
	}
	segments := strings.Split(stem, "/")
	for i, s := range segments[:len(segments)-1] {
		if segments[i], ok = strings.CutSuffix(s, folderSuffix); !ok {
			return "", false
		}
	}
	return strings.Join(segments, "/"), true
}
