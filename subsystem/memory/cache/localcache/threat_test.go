package localcache

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// operations tries everything a handle can do with a key and returns what came of it.
func operations(ctx context.Context, h *cache.Handle, key string) map[string]error {
	_, _, get := h.Get(ctx, key)
	_, exists := h.Exists(ctx, key)
	_, acl := h.ACL(ctx, key)
	return map[string]error{
		"get": get, "exists": exists, "acl": acl,
		"metadata": h.SetMetadata(ctx, key, value.Obj(value.M("x", value.OfInt(1)))),
		"ttl":      h.UpdateTTL(ctx, key, time.Hour),
		"set-acl":  h.SetACL(ctx, key, nil),
		"set":      h.Set(ctx, key, value.Of("taken over"), cache.Options{}),
		"delete":   h.Delete(ctx, key),
	}
}

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

// No key changes or reads anything outside of the folder, whatever it looks like.
func TestT10_Traversal(t *testing.T) {
	t.Parallel()
	above := t.TempDir()
	if err := os.WriteFile(filepath.Join(above, "sentinel"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, filepath.Join(above, "root"), effect.System{}, nil)
	r.set("a", "k", "v", 0)
	before := tree(t, above, r.dir)
	for _, key := range []string{
		"../sentinel", "..\\sentinel", "%2e%2e%2fsentinel", "..%2fsentinel", "/etc/passwd", "C:\\x", "\\\\?\\C:\\x", "a/../../sentinel", "a\x00b", ".", "..", "",
		strings.Repeat("x", 5000), "CON", "x.", "x ", "․․/sentinel", "../../../sentinel", ".sre-tmp", ".lock", "entries", "cache/a/k", "a/../../../sentinel",
	} {
		for op, err := range operations(t.Context(), r.as("a"), key) {
			if err != nil && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.NotFound) {
				t.Errorf("%s of %.40q = %v, want nil, INVALID or NOT_FOUND", op, key, err)
			}
		}
	}
	if tree(t, above, r.dir) != before {
		t.Error("something above the folder was changed")
	}
	r.want("a", "k", "v")
}

// A link in the place of an entry or of a folder leads nowhere, and what it points to stays.
func TestT12_Symlinks(t *testing.T) {
	t.Parallel()
	r := newRig(t, filepath.Join(t.TempDir(), "root"), effect.System{}, nil)
	outside := t.TempDir()
	sentinel := filepath.Join(outside, "k")
	if err := os.WriteFile(sentinel, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.put("cache.metadata/a/old", fmt.Sprintf(`{"acl":%q}`, access.OwnedBy(r.as("a").Candidate())))
	r.put("cache/a/meta", "text")
	links := map[string]string{
		fileOf("file"): sentinel, filepath.Dir(fileOf("folder")): outside,
		"cache/a/old": sentinel, "cache/b": outside, "cache.metadata/a/meta": sentinel,
	}
	for link, target := range links {
		if err := os.MkdirAll(filepath.Dir(r.path(link)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, r.path(link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"file", "folder", "meta"} {
		for op, err := range operations(t.Context(), r.as("a"), key) {
			if !fault.Is(err, fault.Denied) {
				t.Errorf("%s of %q = %v, want ACCESS_DENIED", op, key, err)
			}
		}
	}
	for _, key := range []string{"old", "k"} { // links are no files of the reference
		r.want("a", key, "")
	}
	if got, err := os.ReadFile(sentinel); err != nil || string(got) != "secret" {
		t.Errorf("sentinel = %q, %v, want it untouched", got, err)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 {
		t.Errorf("outside holds %v, %v, want the sentinel alone", entries, err)
	}
}

// A record whose header was changed in any byte, was cut, or is that of another entry is refused to everybody, its former
// owner included, by every operation, with one record of the audit each. It is not changed, and other entries go on.
func TestF06_DamagedHeader(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), effect.System{}, nil)
	r.set("a", "whole", "other", 0)
	r.set("a", "k", "a secret", 0)
	file := r.path(fileOf("k"))
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	another, err := os.ReadFile(r.path(fileOf("whole")))
	if err != nil {
		t.Fatal(err)
	}
	bodyAt := len(good) - len(`"a secret"`) - sumSize
	damage := map[string][]byte{"empty": {}, "zeros": make([]byte, len(good)), "garbage": []byte(strings.Repeat("garbage ", 20)), "another entry": another}
	for i := range bodyAt {
		if i%5 == 0 {
			damage[fmt.Sprint("cut at ", i)] = good[:i]
		}
		flipped := bytes.Clone(good)
		flipped[i] ^= 4
		damage[fmt.Sprint("bit flipped at ", i)] = flipped
	}
	for name, b := range damage {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, who := range []string{"a", "b"} {
			*r.denied = 0
			results := operations(t.Context(), r.as(who), "k")
			for op, err := range results {
				if !fault.Is(err, fault.Denied) {
					t.Errorf("%s: %s as %s = %v, want ACCESS_DENIED", name, op, who, err)
				}
			}
			if *r.denied != len(results) {
				t.Errorf("%s: %d records as %s, want %d", name, *r.denied, who, len(results))
			}
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s: the file was changed: %v", name, err)
		}
	}
	r.want("a", "whole", "other")
}

// A record whose value was changed or cut is an error that names the entry, and never passes for the whole. Nothing is made
// of it by amending it; it can be set anew.
func TestF06_DamagedValue(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), effect.System{}, nil)
	r.set("a", "k", "a secret", 0)
	file := r.path(fileOf("k"))
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	bodyAt := len(good) - len(`"a secret"`) - sumSize
	for i := bodyAt; i < len(good); i++ {
		flipped := bytes.Clone(good)
		flipped[i] ^= 1
		for what, b := range map[string][]byte{"flipped": flipped, "cut": good[:i], "longer": append(bytes.Clone(good[:i+1]), good[i:]...)} {
			if err := os.WriteFile(file, b, 0o600); err != nil {
				t.Fatal(err)
			}
			got, ok, err := r.as("a").Get(t.Context(), "k")
			if ok || !got.IsAbsent() || fault.CodeOf(err) != cache.CodeDamaged && !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), `"k"`) {
				t.Errorf("%s at %d: Get = %s, %v, want an error that names the entry", what, i, got.JSON(), err)
			}
			if err := r.as("a").UpdateTTL(t.Context(), "k", time.Hour); err == nil {
				t.Errorf("%s at %d: UpdateTTL went through", what, i)
			}
			if _, _, err := r.as("b").Get(t.Context(), "k"); !fault.Is(err, fault.Denied) {
				t.Errorf("%s at %d: Get as a stranger = %v, want ACCESS_DENIED", what, i, err)
			}
		}
	}
	damaged := bytes.Clone(good)
	damaged[bodyAt] ^= 1
	if err := os.WriteFile(file, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	r.set("a", "k", "mended", 0)
	r.want("a", "k", "mended")
}

// A record with the header of one entry and the value of another is no record.
func TestT46_PatchedRecord(t *testing.T) {
	t.Parallel()
	r := newRig(t, t.TempDir(), effect.System{}, nil)
	r.set("a", "one", "value one", 0)
	r.set("b", "two", "value two", 0)
	one, err := os.ReadFile(r.path(fileOf("one")))
	if err != nil {
		t.Fatal(err)
	}
	two, err := os.ReadFile(r.path(fileOf("two")))
	if err != nil {
		t.Fatal(err)
	}
	tail := len(`"value two"`) + sumSize
	patched := append(bytes.Clone(one[:len(one)-tail]), two[len(two)-tail:]...)
	if err := os.WriteFile(r.path(fileOf("one")), patched, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := r.as("a").Get(t.Context(), "one"); ok || fault.CodeOf(err) != cache.CodeDamaged {
		t.Errorf("Get = %s, %v, want %s", got.JSON(), err, cache.CodeDamaged)
	}
	r.want("b", "two", "value two")
}

// Whatever stands in a file, reading it as a record ends without a panic, and what is read writes back the same.
func FuzzRead(f *testing.F) {
	c, err := access.Agent("a")
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{`null`, `{"a":[1,"x"]}`} {
		b, err := encode(&entry{key: "k", acl: access.OwnedBy(c), generation: "g", metadata: value.Obj(value.M("m", value.OfInt(1))), expires: time.Unix(1<<31, 5), text: text})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)-1])
	}
	f.Add([]byte(magic))
	f.Add([]byte(magic + "\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := read(bytes.NewReader(b), int64(len(b)), true)
		if err != nil {
			if fault.CodeOf(err) != cache.CodeDamaged {
				t.Errorf("read = %v, want %s", err, cache.CodeDamaged)
			}
			return
		}
		out, err := encode(e)
		if err != nil {
			t.Fatalf("encode of what was read: %v", err)
		}
		again, err := read(bytes.NewReader(out), int64(len(out)), true)
		if err != nil || again.key != e.key || again.generation != e.generation || again.text != e.text || again.acl.String() != e.acl.String() ||
			!again.expires.Equal(e.expires) || !value.Equal(again.metadata, e.metadata) {
			t.Errorf("written back = %+v, %v, want %+v", again, err, e)
		}
	})
}
