package sqlitemanagedvault_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/managedvault/managedvaulttest"
	"github.com/sre-go/sre/subsystem/security/managedvault/sqlitemanagedvault"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	managedvaulttest.Run(t, sqlitemanagedvault.Definition, managedvaulttest.Subject{})
}

// Nothing is on the disk before the first token, and then nobody else may read it.
func TestFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	settings := value.Obj(value.M("file", value.Of(filepath.Join(dir, "tokens.db"))))
	w := managedvaulttest.Open(t, sqlitemanagedvault.Definition, managedvaulttest.Subject{Settings: settings})
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("before the first use: %v, want no folder", err)
	}
	if err := w.As(t, "a1").Set(t.Context(), "k", secret.New("v")); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v, want it for its owner only", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestF06_DamagedFile: a file that is no database is an error with a kind, and nothing is lost without a word.
func TestF06_DamagedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.db"), []byte("this is no database, not by far, and longer than a header"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := value.Obj(value.M("file", value.Of(filepath.Join(dir, "x.db"))))
	w := managedvaulttest.Open(t, sqlitemanagedvault.Definition, managedvaulttest.Subject{Settings: settings})
	if _, err := w.As(t, "a1").Get(t.Context(), "k"); err == nil || fault.Is(err, fault.NotFound) {
		t.Errorf("Get = %v, want an error that tells of the damage", err)
	}
}
