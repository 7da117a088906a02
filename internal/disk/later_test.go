package disk

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sre-go/sre/fault"
)

func TestLater(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	f := Later(dir)
	sub, err := f.SubLater("deep/er")
	if err != nil {
		t.Fatal(err)
	}
	for name, folder := range map[string]*Folder{"folder": f, "folder in it": sub} {
		if _, err := folder.Read("x", 10); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: Read() error = %v, want not found", name, err)
		}
		if names, _, err := folder.List("", "", 10); err != nil || len(names) != 0 {
			t.Errorf("%s: List() = %q, %v; want nothing", name, names, err)
		}
		if folder.Exists() {
			t.Errorf("%s: Exists() before anything was written", name)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Fatalf("looking made the folder: %v", err)
	}
	if err := sub.WriteAtomic("x", []byte("text")); err != nil {
		t.Fatal(err)
	}
	if text, err := f.Read("deep/er/x", 10); err != nil || string(text) != "text" {
		t.Errorf("Read() = %q, %v; want what was written", text, err)
	}
	if !f.Exists() || !sub.Exists() {
		t.Error("the folders do not exist after a write")
	}
	for _, folder := range []*Folder{sub, f, Later(dir)} {
		if err := folder.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := f.WriteAtomic("y", nil); err == nil {
		t.Error("WriteAtomic() after Close succeeded")
	}
}
