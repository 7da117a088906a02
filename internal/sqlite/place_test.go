package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/sre-go/sre/fault"
)

func TestLocate(t *testing.T) {
	t.Parallel()
	abs := filepath.Join(t.TempDir(), "x", "y.db")
	for _, c := range []struct {
		name, data, file string
		want             string // "" for a refusal
	}{
		{"default", "data", "", filepath.Join("data", "things.db")},
		{"relative", "data", "sub/y.db", filepath.Join("data", "sub", "y.db")},
		{"absolute", "data", abs, abs},
		{"absolute without a data folder", "", abs, abs},
		{"relative without a data folder", "", "y.db", ""},
		{"default without a data folder", "", "", ""},
	} {
		folder, base, err := Locate(c.data, c.file, "things.db")
		if c.want == "" {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: Locate = %q, %q, %v, want INVALID", c.name, folder, base, err)
			}
			continue
		}
		if got := filepath.Join(folder, base); err != nil || got != c.want {
			t.Errorf("%s: Locate = %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}

// A database exists from its first use on, also for another that looks at the file.
func TestDB_Exists(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	db := open(t, dir, things)
	if db.Exists() {
		t.Error("Exists = true before the first use")
	}
	put(t, db, "a", 1)
	if !db.Exists() || !open(t, dir, things).Exists() {
		t.Error("Exists = false after the first use")
	}
}
