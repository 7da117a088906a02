package disk

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sre-go/sre/fault"
)

func appender(t *testing.T, f *Folder, name string) *Appender {
	t.Helper()
	a, err := f.Append(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func put(t *testing.T, a *Appender, text string) {
	t.Helper()
	if n, err := a.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("Write(%q) = %d, %v", text, n, err)
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	f := Later(filepath.Join(t.TempDir(), "a", "b"))
	one, two := appender(t, f, "c/log"), appender(t, f, "c/log")
	put(t, one, "first\n")
	put(t, two, "second\n")
	put(t, one, "third\n")
	if err := one.Sync(); err != nil {
		t.Error(err)
	}
	if size, err := two.Size(); size != 19 || err != nil {
		t.Errorf("Size = %d, %v, want 19", size, err)
	}
	for n, want := range map[int]string{6: "third\n", 100: "first\nsecond\nthird\n", 0: ""} {
		if got, err := two.Tail(n); string(got) != want || err != nil {
			t.Errorf("Tail(%d) = %q, %v, want %q", n, got, err, want)
		}
	}
	if err := two.Cut(6); err != nil {
		t.Error(err)
	}
	put(t, one, "fourth\n")
	if got, err := f.Read("c/log", 100); string(got) != "first\nfourth\n" || err != nil {
		t.Errorf("file holds %q, %v", got, err)
	}
	if info, err := f.Stat("c/log"); err != nil || info.Exposed {
		t.Errorf("Stat = %+v, %v, want a file that others cannot read", info, err)
	}
	if !one.Current() {
		t.Error("Current = false while the file is there")
	}
	write(t, f, "c/log", "another")
	if one.Current() || !appenderIsCurrent(t, f) {
		t.Error("Current does not tell a file that was replaced")
	}
	if err := f.Remove("c/log"); err != nil || two.Current() {
		t.Errorf("Remove = %v; Current = %v, want false", err, two.Current())
	}
	for _, a := range []*Appender{one, two} {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := one.Write([]byte("late")); err == nil {
		t.Error("Write after Close is no error")
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func appenderIsCurrent(t *testing.T, f *Folder) bool {
	t.Helper()
	a := appender(t, f, "c/log")
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	return a.Current()
}

func TestAppend_OnlyRegularFiles(t *testing.T) {
	t.Parallel()
	f, err := Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write(t, f, "folder/x", "x")
	for name, want := range map[string]fault.Kind{"folder": fault.Invalid, "../x": fault.Invalid, "folder/x/y": fault.Conflict, ".sre-tmp/x": fault.Invalid} {
		if _, err := f.Append(name); !fault.Is(err, want) {
			t.Errorf("Append(%q) = %v, want %v", name, err, want)
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// TestF04_AppendIsWholeOrNothing: a write that fails half way leaves the file as it was, and the next one works.
func TestF04_AppendIsWholeOrNothing(t *testing.T) {
	t.Parallel()
	for _, with := range []error{syscall.ENOSPC, syscall.EIO} {
		clean := false
		for n := 1; !clean; n++ {
			if n > 20 {
				t.Fatal("no clean pass in 20 tries")
			}
			f, err := Create(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			write(t, f, "log", "old\n")
			bad, steps := failAt(f, n, with)
			a, err := bad.Append("log")
			if err == nil {
				_, err = a.Write([]byte("new line\n"))
				if err == nil {
					err = a.Sync()
				}
				if cerr := a.Close(); err == nil {
					err = cerr
				}
			}
			clean = *steps < n
			if (err == nil) != clean || with == syscall.ENOSPC && err != nil && fault.CodeOf(err) != CodeStorageFull {
				t.Errorf("%v at step %d: %v", with, n, err)
			}
			got, err := f.Read("log", 100)
			if err != nil || string(got) != "old\n" && string(got) != "old\nnew line\n" {
				t.Errorf("%v at step %d: file holds %q, %v", with, n, got, err)
			}
			b := appender(t, f, "log")
			put(t, b, "next\n")
			if got, err := b.Tail(100); err != nil || !strings.HasSuffix(string(got), "\nnext\n") {
				t.Errorf("%v at step %d: afterwards the file holds %q, %v", with, n, got, err)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
