//go:build unix

package disk

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/sre-go/sre/fault"
)

// Links that lead out are refused, and nothing outside is read or written through them.
func TestT12_Symlinks(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	outside := filepath.Join(filepath.Dir(dir), "outside")
	if err := os.MkdirAll(outside, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(outside, "sentinel"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	links := map[string]string{"etc": "/etc", "up": "../..", "out": outside, "file": filepath.Join(outside, "sentinel"), "dangling": filepath.Join(outside, "new"), "loop": "loop"}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	before := snapshot(t, outside)
	for _, name := range []string{"etc/passwd", "up/outside/sentinel", "out/sentinel", "file", "dangling", "loop"} {
		if got, err := f.Read(name, 1<<20); fault.CodeOf(err) != CodePathDenied {
			t.Errorf("Read(%q) = %q, %v, want %s", name, got, err, CodePathDenied)
		}
		if _, err := f.Stat(name); fault.CodeOf(err) != CodePathDenied {
			t.Errorf("Stat(%q) = %v, want %s", name, err, CodePathDenied)
		}
	}
	for _, name := range []string{"out/new", "up/new", "etc/new"} {
		if err := f.WriteAtomic(name, []byte("pwned")); fault.CodeOf(err) != CodePathDenied {
			t.Errorf("WriteAtomic(%q) = %v, want %s", name, err, CodePathDenied)
		}
		if err := f.Remove(name); fault.CodeOf(err) != CodePathDenied {
			t.Errorf("Remove(%q) = %v, want %s", name, err, CodePathDenied)
		}
	}
	if _, err := f.Sub("out"); fault.CodeOf(err) != CodePathDenied {
		t.Errorf("Sub of a link out = %v, want %s", err, CodePathDenied)
	}
	// Writing to a link replaces the link; what it pointed to stays.
	for _, name := range []string{"file", "dangling"} {
		write(t, f, name, "mine")
		if got, err := f.Read(name, 10); err != nil || string(got) != "mine" {
			t.Errorf("Read(%q) after replacing the link = %q, %v, want %q", name, got, err, "mine")
		}
	}
	if names, _, err := f.List("", "", 100); err != nil || len(names) != 2 {
		t.Errorf("List = %q, %v, want the two files that replaced links", names, err)
	}
	if got := snapshot(t, outside); got != before {
		t.Errorf("outside changed: got %s, want %s", got, before)
	}
}

// A name that flips between a file and a link out never gives the outside to a reader or a writer.
func TestT12_SwappedLink(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	sentinel := filepath.Join(filepath.Dir(dir), "sentinel")
	if err := os.WriteFile(sentinel, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	target, plain, link := filepath.Join(dir, "x"), filepath.Join(dir, "plain"), filepath.Join(dir, "link")
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(done)
		for range 2000 {
			if os.WriteFile(plain, []byte("inside"), 0o600) != nil || os.Rename(plain, target) != nil ||
				os.Symlink(sentinel, link) != nil || os.Rename(link, target) != nil {
				t.Error("cannot swap")
				return
			}
		}
	})
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if got, err := f.Read("x", 100); err == nil && strings.Contains(string(got), "secret") {
				t.Errorf("Read = %q, want nothing from outside", got)
				return
			}
			if err := f.WriteAtomic("x", []byte("pwned")); err != nil {
				t.Errorf("WriteAtomic: %v", err)
				return
			}
		}
	})
	wg.Wait()
	if got, err := os.ReadFile(sentinel); err != nil || string(got) != "secret" {
		t.Errorf("sentinel = %q, %v, want %q", got, err, "secret")
	}
}

// Special files are refused at once.
func TestT13_SpecialFiles(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	// The path of a socket is short on some systems, so it is made by a name relative to nothing but a short folder.
	short, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(short) }()
	listener, err := net.Listen("unix", filepath.Join(short, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	if err := os.Rename(filepath.Join(short, "s"), filepath.Join(dir, "socket")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	big, err := os.Create(filepath.Join(dir, "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	if err := big.Truncate(10 << 30); err != nil {
		t.Fatal(err)
	}
	if err := big.Close(); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name string
		want fault.Kind
	}{{"fifo", fault.Invalid}, {"socket", fault.Invalid}, {"folder", fault.Invalid}, {"sparse", fault.Limit}}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			// A read that waits ends this test by its time limit.
			if _, err := f.Read(c.name, 1<<20); !fault.Is(err, c.want) {
				t.Errorf("Read = %v, want %v", err, c.want)
			}
		})
	}
	if _, err := f.Lock("fifo"); !fault.Is(err, fault.Invalid) {
		t.Errorf("Lock on a FIFO = %v, want INVALID", err)
	}
	if _, err := f.Sub("fifo"); err == nil {
		t.Error("Sub of a FIFO gave no error")
	}
	if names, _, err := f.List("", "", 10); err != nil || len(names) != 1 || names[0] != "sparse" {
		t.Errorf("List = %q, %v, want the regular file only", names, err)
	}
}
