package disk

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sre-go/sre/fault"
)

func TestOperatorPaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "b.smyth")
	for _, name := range []string{"b.smyth", "a.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	if names, err := Names(dir); err != nil || !slices.Equal(names, []string{"a.txt", "b.smyth"}) {
		t.Errorf("Names() = %q, %v; want the two files", names, err)
	}
	if text, err := ReadFile(file, 4); err != nil || string(text) != "text" {
		t.Errorf("ReadFile() = %q, %v; want the text", text, err)
	}
	if _, err := ReadFile(file, 3); !fault.Is(err, fault.Limit) {
		t.Errorf("ReadFile() of a file over the limit: error = %v, want a limit", err)
	}
	if _, err := ReadFile(filepath.Join(dir, "none"), 3); !fault.Is(err, fault.NotFound) {
		t.Errorf("ReadFile() of no file: error = %v, want not found", err)
	}
	if _, err := Names(filepath.Join(dir, "none")); !fault.Is(err, fault.NotFound) {
		t.Errorf("Names() of no folder: error = %v, want not found", err)
	}
	if !IsFile(file) || IsFile(dir) || !IsFolder(dir) || IsFolder(file) {
		t.Error("IsFile and IsFolder do not tell files from folders")
	}
}
