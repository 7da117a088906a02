package disk

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
)

// open returns a folder on a fresh directory and the path of the directory.
func open(t *testing.T) (*Folder, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "root")
	f, err := Create(dir)
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return f, dir
}

func write(t *testing.T, f *Folder, name, text string) {
	t.Helper()
	if err := f.WriteAtomic(name, []byte(text)); err != nil {
		t.Fatalf("WriteAtomic(%q): %v", name, err)
	}
}

func TestReadWriteRemove(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	for _, name := range []string{"a", "b/c", "b/d/e.txt", "b.d/x:y", "with blank.txt", "ü/日本"} {
		if _, err := f.Read(name, 100); !fault.Is(err, fault.NotFound) {
			t.Errorf("Read(%q) before writing = %v, want NOT_FOUND", name, err)
		}
		write(t, f, name, "old "+name)
		write(t, f, name, "new "+name)
		got, err := f.Read(name, 100)
		if want := "new " + name; err != nil || string(got) != want {
			t.Errorf("Read(%q) = %q, %v, want %q", name, got, err, want)
		}
		info, err := f.Stat(name)
		if want := int64(len(got)); err != nil || info.Size != want || info.Modified.IsZero() {
			t.Errorf("Stat(%q) = %+v, %v, want size %d and a time", name, info, err, want)
		}
		if stat, err := os.Stat(filepath.Join(dir, name)); err != nil || stat.Mode().Perm() != fileMode {
			t.Errorf("mode of %q = %v, %v, want %v", name, stat.Mode(), err, fileMode)
		}
		if err := f.Remove(name); err != nil {
			t.Errorf("Remove(%q): %v", name, err)
		}
		if err := f.Remove(name); !fault.Is(err, fault.NotFound) {
			t.Errorf("second Remove(%q) = %v, want NOT_FOUND", name, err)
		}
	}
	left, err := os.ReadDir(filepath.Join(dir, tempFolder))
	if err != nil || len(left) != 0 {
		t.Errorf("temporary files left: %v, %v, want none", left, err)
	}
}

func TestReadLimit(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	write(t, f, "x", "12345")
	for _, c := range []struct {
		limit int64
		want  string
		fails bool
	}{{4, "", true}, {5, "12345", false}, {6, "12345", false}, {0, "", true}} {
		got, err := f.Read("x", c.limit)
		if c.fails != fault.Is(err, fault.Limit) || string(got) != c.want {
			t.Errorf("Read with limit %d = %q, %v, want %q, over the limit %v", c.limit, got, err, c.want, c.fails)
		}
		if want := "LIMIT_EXCEEDED(file_bytes)"; c.fails && fault.CodeOf(err) != want {
			t.Errorf("code = %q, want %q", fault.CodeOf(err), want)
		}
	}
	write(t, f, "empty", "")
	if got, err := f.Read("empty", 0); err != nil || len(got) != 0 {
		t.Errorf("Read of an empty file = %q, %v, want nothing", got, err)
	}

	// A file that grows while it is read is stopped by counting.
	r, err := f.Open("x", 7)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "x"), bytes.Repeat([]byte("y"), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if !fault.Is(err, fault.Limit) || len(got) != 7 {
		t.Errorf("reading a growing file = %d bytes, %v, want 7 and LIMIT_EXCEEDED", len(got), err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenAndCreate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "missing")); !fault.Is(err, fault.NotFound) {
		t.Errorf("Open of nothing = %v, want NOT_FOUND", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(filepath.Join(dir, "file"))
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("Open of a file = %v, want INVALID", err)
	}
	if strings.Contains(err.Error(), dir) {
		t.Errorf("error %q names the place on the machine", err)
	}
	f, err := Create(filepath.Join(dir, "a", "b"))
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.Read("x", 1); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Read after Close = %v, want UNAVAILABLE", err)
	}
}

func TestSub(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	write(t, f, "secret", "s")
	sub, err := f.Sub("a/b")
	if err != nil {
		t.Fatalf("Sub: %v", err)
	}
	defer func() { _ = sub.Close() }()
	write(t, sub, "x", "1")
	if got, err := f.Read("a/b/x", 9); err != nil || string(got) != "1" {
		t.Errorf("Read below = %q, %v, want %q", got, err, "1")
	}
	if err := os.Symlink("../../secret", filepath.Join(dir, "a", "b", "up")); err != nil {
		t.Fatal(err)
	}
	if got, err := sub.Read("up", 9); fault.CodeOf(err) != CodePathDenied {
		t.Errorf("Read of a link to a sibling = %q, %v, want %s", got, err, CodePathDenied)
	}
	if _, err := f.Sub("secret"); !fault.Is(err, fault.Conflict) {
		t.Errorf("Sub of a file = %v, want CONFLICT", err)
	}
	if err := f.WriteAtomic("secret/x", nil); !fault.Is(err, fault.Conflict) {
		t.Errorf("writing below a file = %v, want CONFLICT", err)
	}
	if err := f.Remove("a"); !fault.Is(err, fault.Invalid) {
		t.Errorf("Remove of a folder = %v, want INVALID", err)
	}
	if err := f.WriteAtomic("a", nil); err == nil {
		t.Error("writing a file over a folder gave no error")
	}
	if _, err := f.Read("a", 9); !fault.Is(err, fault.Invalid) {
		t.Errorf("Read of a folder = %v, want INVALID", err)
	}
}

func TestWriterDiscard(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	write(t, f, "x", "old")
	w, err := f.Writer("x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := w.Discard(); err != nil {
		t.Errorf("Discard: %v", err)
	}
	if err := w.Discard(); err != nil {
		t.Errorf("second Discard: %v", err)
	}
	if err := w.Commit(); err == nil {
		t.Error("Commit after Discard gave no error")
	}
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("Write after Discard gave no error")
	}
	broken := errors.New("cable pulled")
	if err := f.WriteAtomicFrom("x", io.MultiReader(strings.NewReader("half"), badReader{broken})); !errors.Is(err, broken) {
		t.Errorf("WriteAtomicFrom of a failing reader = %v, want %v", err, broken)
	}
	if got, err := f.Read("x", 9); err != nil || string(got) != "old" {
		t.Errorf("Read = %q, %v, want %q", got, err, "old")
	}
	if left, err := os.ReadDir(filepath.Join(dir, tempFolder)); err != nil || len(left) != 0 {
		t.Errorf("temporary files left: %v, %v, want none", left, err)
	}
}

type badReader struct{ err error }

func (r badReader) Read([]byte) (int, error) { return 0, r.err }

// The folder of unfinished writes goes when it is empty, and stays with what is in it.
func TestTidy(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	f.Tidy() // there is none yet
	if err := f.WriteAtomic("a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	f.Tidy()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v (%v), want the file alone", entries, err)
	}
	w, err := f.Writer("b")
	if err != nil {
		t.Fatal(err)
	}
	f.Tidy()
	if _, err := w.Write([]byte("y")); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Errorf("a write under way is lost: %v", err)
	}
	f.Tidy()
	if got, err := f.Read("b", 10); err != nil || string(got) != "y" {
		t.Errorf("Read = %q, %v", got, err)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	write(t, f, "x", "keep")
	w, err := f.Writer("y")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, w.temp))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Sweep(info.ModTime()); err != nil {
		t.Errorf("Sweep: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, w.temp)); err != nil {
		t.Errorf("a young temporary file is gone: %v", err)
	}
	if err := f.Sweep(info.ModTime().Add(1)); err != nil {
		t.Errorf("Sweep: %v", err)
	}
	if err := w.Commit(); !fault.Is(err, fault.NotFound) {
		t.Errorf("Commit of a swept file = %v, want NOT_FOUND", err)
	}
	if got, err := f.Read("x", 9); err != nil || string(got) != "keep" {
		t.Errorf("Read = %q, %v, want %q", got, err, "keep")
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	lock, err := f.Lock("a/lock")
	if err != nil {
		t.Fatalf("Lock: %v", err)
	}
	other, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if _, err := other.Lock("a/lock"); !fault.Is(err, fault.Conflict) {
		t.Errorf("second Lock = %v, want CONFLICT", err)
	}
	if err := lock.Unlock(); err != nil {
		t.Errorf("Unlock: %v", err)
	}
	again, err := other.Lock("a/lock")
	if err != nil {
		t.Fatalf("Lock after Unlock: %v", err)
	}
	if err := again.Unlock(); err != nil {
		t.Errorf("Unlock: %v", err)
	}
}

func BenchmarkWriteAtomic(b *testing.B) {
	f, err := Create(filepath.Join(b.TempDir(), "root"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	data := bytes.Repeat([]byte("x"), 1024)
	b.ReportAllocs()
	for b.Loop() {
		if err := f.WriteAtomic("teams/a/file", data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	f, err := Create(filepath.Join(b.TempDir(), "root"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := f.WriteAtomic("teams/a/file", bytes.Repeat([]byte("x"), 1024)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Read("teams/a/file", 4096); err != nil {
			b.Fatal(err)
		}
	}
}

// What others may read or change shows, and what this package writes is for its owner alone.
func TestT33_ExposedFiles(t *testing.T) {
	t.Parallel()
	if !modesCount {
		t.Log("modes tell nothing here: no file counts as exposed")
	}
	dir := t.TempDir()
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for mode, want := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o700: false, 0o640: true, 0o604: true, 0o620: true, 0o644: true, 0o601: true} {
		if err := f.WriteAtomic("x", nil); err != nil {
			t.Fatal(err)
		}
		if info, err := f.Stat("x"); err != nil || info.Exposed {
			t.Errorf("a file written here: exposed = %v, %v, want false", info.Exposed, err)
		}
		if err := os.Chmod(filepath.Join(dir, "x"), mode); err != nil {
			t.Fatal(err)
		}
		if info, err := f.Stat("x"); err != nil || info.Exposed != (want && modesCount) {
			t.Errorf("mode %o: exposed = %v, %v, want %v", mode, info.Exposed, err, want)
		}
	}
}

// ReadAt reads any part of what the file was when it was opened.
func TestReadAt(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	write(t, f, "x", "0123456789")
	file, err := f.Open("x", 10)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(dir, "x"), []byte("0123456789 and more"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		off, n int
		want   string
		err    error
	}{
		"start": {0, 3, "012", nil}, "middle": {4, 3, "456", nil}, "end": {7, 3, "789", nil}, "beyond": {8, 3, "89", io.EOF},
		"behind": {12, 3, "", io.EOF}, "nothing": {3, 0, "", nil},
	} {
		p := make([]byte, c.n)
		n, err := file.ReadAt(p, int64(c.off))
		if string(p[:n]) != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: ReadAt(%d) = %q, %v, want %q, %v", name, c.off, p[:n], err, c.want, c.err)
		}
	}
}

// A file is current until its name leads elsewhere, also when the new one holds the same.
func TestCurrent(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Folder) error{
		"replaced": func(f *Folder) error { return f.WriteAtomic("x", []byte("same")) },
		"removed":  func(f *Folder) error { return f.Remove("x") },
	} {
		f, _ := open(t)
		write(t, f, "x", "same")
		file, err := f.Open("x", 10)
		if err != nil {
			t.Fatal(err)
		}
		if !file.Current() {
			t.Errorf("%s: Current = false before", name)
		}
		if err := change(f); err != nil {
			t.Fatal(err)
		}
		if file.Current() {
			t.Errorf("%s: Current = true afterwards", name)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}
}
