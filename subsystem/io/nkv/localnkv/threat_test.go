package localnkv

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/value"
)

// tree is a digest of all files below a folder, but for those below one of them.
func tree(t *testing.T, dir, without string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == without:
			return fs.SkipDir
		case d.IsDir():
			fmt.Fprintln(h, path)
			return nil
		}
		text, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %x\n", path, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(h.Sum(nil))
}

// No address changes or reads anything outside of the folder, whatever it looks like.
func TestT10_Traversal(t *testing.T) {
	t.Parallel()
	above := t.TempDir()
	if err := os.WriteFile(filepath.Join(above, "sentinel"), []byte(`"secret"`), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, filepath.Join(above, "nkv"), nil)
	r.set("a", "ns", "k", "v")
	before := tree(t, above, r.dir)
	for _, text := range []string{
		"../sentinel", "..\\sentinel", "%2e%2e%2fsentinel", "..%2fsentinel", "/etc/passwd", "C:\\x", "\\\\?\\C:\\x", "a/../../sentinel", "a\x00b", ".", "..",
		strings.Repeat("x", 5000), "CON", "x.", "x ", "․․/sentinel", "..:sentinel", ":..:..:sentinel", "../../nkv/values", "..::sentinel", "team_b", ".sre-tmp", "values",
	} {
		for _, at := range [][2]string{{text, "k"}, {"ns", text}, {text, text}, {text, "sentinel"}} {
			if got, ok, err := r.as("a").Get(t.Context(), at[0], at[1]); ok || err != nil && !fault.Is(err, fault.Invalid) {
				t.Errorf("Get(%q) = %s, %v, want nothing or INVALID", at, got.JSON(), err)
			}
			if err := r.as("a").Set(t.Context(), at[0], at[1], value.Of("x")); err != nil && !fault.Is(err, fault.Invalid) {
				t.Errorf("Set(%q) = %v, want nil or INVALID", at, err)
			}
			if err := r.as("a").Delete(t.Context(), at[0], at[1]); err != nil && !fault.Is(err, fault.Invalid) {
				t.Errorf("Delete(%q) = %v, want nil or INVALID", at, err)
			}
			if err := r.as("a").DeleteAll(t.Context(), at[0]); at[0] != "ns" && err != nil && !fault.Is(err, fault.Invalid) {
				t.Errorf("DeleteAll(%q) = %v, want nil or INVALID", at, err)
			}
		}
	}
	if tree(t, above, r.dir) != before {
		t.Error("something above the folder was changed")
	}
}

// A link in the place of a value, a namespace or a team leads nowhere, and what it points to stays.
func TestT12_Symlinks(t *testing.T) {
	t.Parallel()
	r := newRig(t, filepath.Join(t.TempDir(), "nkv"), nil)
	outside := t.TempDir()
	sentinel := filepath.Join(outside, "k")
	if err := os.WriteFile(sentinel, []byte(`"secret"`), 0o600); err != nil {
		t.Fatal(err)
	}
	at := nkv.Address{Team: "a", Namespace: "ns", Key: "file"}
	links := map[string]string{
		fileOf(at): sentinel, "team_a/old/k": sentinel, "team_a/dir": outside, "team_b": outside,
		strings.TrimSuffix(spaceOf(nkv.Address{Team: "a", Namespace: "space"}), "/"): outside,
	}
	for link, target := range links {
		p := filepath.Join(r.dir, filepath.FromSlash(link))
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, p); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range [][3]string{{"a", "ns", "file"}, {"a", "old", "k"}, {"a", "dir", "k"}, {"a", "space", "k"}, {"b", "ns", "k"}} {
		if got, ok, _ := r.as(c[0]).Get(t.Context(), c[1], c[2]); ok {
			t.Errorf("Get(%q) = %s through a link", c, got.JSON())
		}
		if l, err := r.as(c[0]).List(t.Context(), c[1], nkv.Page{}); err == nil && len(l.Items) != 0 {
			t.Errorf("List(%q) = %+v through a link", c, l)
		}
		for op, err := range map[string]error{"Set": r.as(c[0]).Set(t.Context(), c[1], c[2], value.Of("x")), "Delete": r.as(c[0]).Delete(t.Context(), c[1], c[2])} {
			if err != nil && fault.CodeOf(err) != disk.CodePathDenied && !fault.Is(err, fault.Unavailable) {
				t.Errorf("%s(%q) = %v, want nil or a refusal", op, c, err)
			}
		}
	}
	if got, err := os.ReadFile(sentinel); err != nil || string(got) != `"secret"` {
		t.Errorf("sentinel = %q, %v, want it untouched", got, err)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 {
		t.Errorf("outside holds %v, %v, want the sentinel alone", entries, err)
	}
}

// A record of which any byte was changed, that was cut, or that lies in the place of another is an error that names the
// key. Nothing of it gets out, listings and other values go on, and it can be stored anew.
func TestF06_DamagedRecord(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), nil)
	r.set("a", "ns", "k", "a secret")
	r.set("a", "ns", "l", "of a")
	r.set("b", "ns", "k", "of b")
	read := func(team, key string) []byte {
		b, err := os.ReadFile(r.file(team, "ns", key))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := read("a", "k")
	damage := map[string][]byte{"empty": {}, "zeros": make([]byte, len(good)), "another key": read("a", "l"), "another team": read("b", "k"), "longer": append(bytes.Clone(good), 0), "twice": append(bytes.Clone(good), good...)}
	for i := range good {
		flipped := bytes.Clone(good)
		flipped[i] ^= 1
		damage[fmt.Sprint("bit flipped at ", i)] = flipped
		damage[fmt.Sprint("cut at ", i)] = good[:i]
	}
	for name, b := range damage {
		if err := os.WriteFile(r.file("a", "ns", "k"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, ok, err := r.as("a").Get(t.Context(), "ns", "k")
		if ok || !got.IsAbsent() || fault.CodeOf(err) != nkv.CodeDamaged || !strings.Contains(err.Error(), `"k"`) {
			t.Errorf("%s: Get = %s, %v, %v, want %s with the key", name, got.JSON(), ok, err, nkv.CodeDamaged)
		}
		l, err := r.as("a").List(t.Context(), "ns", nkv.Page{})
		if err != nil || len(l.Items) != 1 || l.Items[0].Key != "l" {
			t.Errorf("%s: List = %+v, %v, want the other value", name, l, err)
		}
		if !bytes.Equal(read("a", "k"), b) {
			t.Errorf("%s: the file was changed", name)
		}
	}
	r.want("a", "ns", "l", `"of a"`)
	r.want("b", "ns", "k", `"of b"`)
	r.set("a", "ns", "k", "mended")
	r.want("a", "ns", "k", `"mended"`)
	if err := os.WriteFile(r.file("a", "ns", "k"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.as("a").Delete(t.Context(), "ns", "k"); err != nil {
		t.Errorf("Delete of a damaged value: %v", err)
	}
	r.want("a", "ns", "k", "")
}

// flaky is a disk of which one step fails, before or after it was done.
type flaky struct {
	folder
	left  *int // steps until one fails; it does not when it began at 0
	steps *int
	after bool
}

var errDisk = fault.New(fault.Unavailable, errors.New("no space left on device"))

func (f flaky) do(step func() error) error {
	*f.steps++
	*f.left--
	if *f.left != 0 {
		return step()
	}
	if f.after {
		return errors.Join(errDisk, step())
	}
	return errDisk
}

func (f flaky) Read(name string, limit int64) (b []byte, err error) {
	err = f.do(func() error { b, err = f.folder.Read(name, limit); return err })
	return b, err
}

func (f flaky) WriteAtomic(name string, data []byte) error {
	return f.do(func() error { return f.folder.WriteAtomic(name, data) })
}

func (f flaky) Remove(name string) error {
	return f.do(func() error { return f.folder.Remove(name) })
}

func (f flaky) Walk(prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := f.do(func() error { return nil }); err != nil {
			yield("", err)
			return
		}
		f.folder.Walk(prefix, after)(yield)
	}
}

// Whatever step of a change fails, before it or after: there is the old value or the new one, nothing else is touched,
// nothing that failed is acknowledged, and the next attempt works.
func TestF04_NthFailure(t *testing.T) {
	t.Parallel()
	changes := map[string]struct {
		do   func(r *rig) error
		next string // what is there afterwards
		min  int    // steps that there are at least
	}{
		"Set":       {func(r *rig) error { return r.as("a").Set(r.Context(), "ns", "k", value.Of("new")) }, `"new"`, 1},
		"Delete":    {func(r *rig) error { return r.as("a").Delete(r.Context(), "ns", "k") }, "", 1},
		"DeleteAll": {func(r *rig) error { return r.as("a").DeleteAll(r.Context(), "ns") }, "", 2},
	}
	for name, c := range changes {
		for _, before := range []string{"record", "reference", "both"} {
			for _, after := range []bool{false, true} {
				for n := 1; ; n++ {
					what := fmt.Sprintf("%s, step %d, after %v, there was %s", name, n, after, before)
					left, steps := 0, 0
					r := newRig(t, t.TempDir(), func(f folder) folder { return flaky{f, &left, &steps, after} })
					if before != "reference" {
						newRig(t, r.dir, nil).set("a", "ns", "k", "old")
					}
					switch before {
					case "reference":
						r.put("team_a/ns/k", `"old"`)
					case "both": // the process ended before it removed what the record hides
						r.put("team_a/ns/k", `"older"`)
					}
					r.set("a", "other", "k", "other")
					left, steps = n, 0
					err := c.do(r)
					left = 0
					failed := steps >= n
					if failed != (err != nil) {
						t.Errorf("%s: %v, want an error: %v", what, err, failed)
					}
					for which, seen := range map[string]*rig{"the store": r, "another": newRig(t, r.dir, nil)} {
						got, _, gerr := seen.as("a").Get(t.Context(), "ns", "k")
						if text := got.JSON(); gerr != nil || text != c.next && (text != `"old"` || !failed) {
							t.Errorf("%s: %s reads %q, %v", what, which, text, gerr)
						}
						seen.want("a", "other", "k", `"other"`)
					}
					if err := c.do(r); err != nil {
						t.Errorf("%s: again: %v", what, err)
					}
					r.want("a", "ns", "k", c.next)
					if !failed {
						if n <= c.min {
							t.Errorf("%s: only %d steps failed, want at least %d", what, n-1, c.min)
						}
						break
					}
				}
			}
		}
	}
}

// A failing read is an error and not "nothing", and the next one works.
func TestF04_FailingRead(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 3; n++ {
		left, steps := 0, 0
		r := newRig(t, t.TempDir(), func(f folder) folder { return flaky{f, &left, &steps, false} })
		r.put("team_a/ns/k", `"old"`)
		left = n
		if _, ok, err := r.as("a").Get(t.Context(), "ns", "k"); ok || !errors.Is(err, errDisk) {
			t.Errorf("step %d: Get = %v, %v, want the error of the disk", n, ok, err)
		}
		r.want("a", "ns", "k", `"old"`)
		left = n
		if _, err := r.as("a").List(t.Context(), "ns", nkv.Page{}); err != nil && !errors.Is(err, errDisk) {
			t.Errorf("step %d: List = %v, want the error of the disk", n, err)
		}
		r.wantKeys("a", "ns", "k")
	}
}
