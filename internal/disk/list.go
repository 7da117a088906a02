package disk

import (
	"errors"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// maxDepth bounds how deep Walk goes; a name has no more segments.
const maxDepth = access.MaxName / 2

// Walk gives the names of the regular files whose names begin with prefix, after the name after ("" for the first).
// The order is by segments, so a folder's files stand together: "a", "a/b", "a-b". Symbolic links, other special files
// and names that ValidName refuses are left out. Memory is bounded by the largest folder. A folder that vanishes
// meanwhile is passed over; any other failure ends the walk as its last pair.
func (f *Folder) Walk(prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		folder, rest := ".", prefix
		if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
			folder, rest = prefix[:i], prefix[i+1:]
			if err := checkName("disk.list", folder); err != nil {
				yield("", err)
				return
			}
		}
		base := ""
		if folder != "." {
			base = folder + "/"
		}
		f.walk(base, rest, after, 0, yield)
	}
}

// walk gives the files below the folder base ("" or ending in "/") whose first segment begins with rest.
// It reports whether to go on.
func (f *Folder) walk(base, rest, after string, depth int, yield func(string, error) bool) bool {
	if depth > maxDepth {
		return true
	}
	folder := "."
	if base != "" {
		folder = filepath.FromSlash(strings.TrimSuffix(base, "/"))
	}
	entries, err := f.root.readFolder(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		return yield("", explain("disk.list", strings.TrimSuffix(base, "/"), err)) && false
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		name := base + e.Name()
		if !strings.HasPrefix(e.Name(), rest) || checkName("disk.list", name) != nil {
			continue
		}
		switch {
		case e.Type().IsRegular():
			if Compare(name, after) > 0 && !yield(name, nil) {
				return false
			}
		case e.IsDir():
			if endsBefore(name, after) {
				continue // all of it comes before
			}
			if !f.walk(name+"/", "", after, depth+1, yield) {
				return false
			}
		}
	}
	return true
}

// endsBefore reports whether every name below the folder comes before or at after.
func endsBefore(folder, after string) bool {
	return Compare(folder, after) < 0 && !strings.HasPrefix(after, folder+"/")
}

// Compare orders names as [Folder.Walk] does: by segments, a shorter name before those below it.
func Compare(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		if a[i] == '/' {
			return -1
		}
		if b[i] == '/' {
			return 1
		}
		if a[i] < b[i] {
			return -1
		}
		return 1
	}
	return len(a) - len(b)
}

// List returns at most limit names of Walk. next is what to pass as after for the following page, "" at the end.
func (f *Folder) List(prefix, after string, limit int) (names []string, next string, err error) {
	if limit <= 0 {
		return nil, "", &fault.Error{Op: "disk.list", Resource: prefix, Kind: fault.Invalid, Err: errors.New("a page has at least one name")}
	}
	for name, err := range f.Walk(prefix, after) {
		if err != nil {
			return nil, "", err
		}
		if len(names) == limit {
			return names, names[limit-1], nil
		}
		names = append(names, name)
	}
	return names, "", nil
}
