package sqlitenkv

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/value"
)

// When the disk is full, Set says so; what was acknowledged is there, reading goes on, and with room Set works again.
func TestF04_FullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := newRig(t, dir)
	r.set("a", "first", "kept")
	r.exec("PRAGMA max_page_count = 40")
	text := strings.Repeat("x", 5000)
	var err error
	stored := 0
	for ; stored < 1000; stored++ {
		if err = r.as("a").Set(t.Context(), "ns", fmt.Sprint("k", stored), value.Of(text)); err != nil {
			break
		}
	}
	if fault.CodeOf(err) != sqlite.CodeFull || !fault.Is(err, fault.Unavailable) || stored == 0 {
		t.Fatalf("Set number %d = %v, want UNAVAILABLE with %s", stored, err, sqlite.CodeFull)
	}
	if err := r.as("a").Set(t.Context(), "ns", "first", value.Of(strings.Repeat(text, 100))); fault.CodeOf(err) != sqlite.CodeFull {
		t.Errorf("Set over a value = %v, want %s", err, sqlite.CodeFull)
	}
	r.want("a", "first", "kept")
	for i := range stored {
		r.want("a", fmt.Sprint("k", i), text)
	}
	if got := r.keys("a", 3); len(got) != stored+1 {
		t.Errorf("%d keys are listed, want %d", len(got), stored+1)
	}
	if err := r.as("a").Delete(t.Context(), "ns", "k0"); err != nil {
		t.Errorf("Delete on a full disk: %v", err)
	}
	r.exec("PRAGMA max_page_count = 1000000")
	r.set("a", "again", text)
	r.close()
	again := newRig(t, dir)
	again.want("a", "again", text)
	again.want("a", "first", "kept")
}

// A damaged row is an error that names its key; nothing of it gets out, listings and other teams go on, and it can be
// stored anew or deleted.
func TestF06_DamagedRow(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"one letter":            "UPDATE entry SET value = replace(value, 'secret', 'recret') WHERE team = 'a' AND key = 'k'",
		"cut":                   "UPDATE entry SET value = substr(value, 1, 3) WHERE team = 'a' AND key = 'k'",
		"empty":                 "UPDATE entry SET value = '' WHERE team = 'a' AND key = 'k'",
		"not JSON":              "UPDATE entry SET value = 'x' WHERE team = 'a' AND key = 'k'",
		"sum":                   "UPDATE entry SET sum = sum + 1 WHERE team = 'a' AND key = 'k'",
		"value of another key":  "UPDATE entry SET (value, sum) = (SELECT value, sum FROM entry WHERE team = 'a' AND key = 'l') WHERE team = 'a' AND key = 'k'",
		"value of another team": "UPDATE entry SET (value, sum) = (SELECT value, sum FROM entry WHERE team = 'b' AND key = 'k') WHERE team = 'a' AND key = 'k'",
		"row of another team":   "DELETE FROM entry WHERE team = 'a' AND key = 'k'; UPDATE entry SET team = 'a' WHERE team = 'b' AND key = 'k'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, t.TempDir())
			r.set("a", "j", "before")
			r.set("a", "k", "a secret")
			r.set("a", "l", "after")
			r.set("b", "k", "of b")
			r.set("b", "x", "of b too")
			for stmt := range strings.SplitSeq(damage, ";") {
				r.exec(stmt)
			}
			got, ok, err := r.as("a").Get(t.Context(), "ns", "k")
			if ok || !got.IsAbsent() || fault.CodeOf(err) != nkv.CodeDamaged || !strings.Contains(err.Error(), `"k"`) {
				t.Errorf("Get = %s, %v, %v, want %s with the key", got.JSON(), ok, err, nkv.CodeDamaged)
			}
			if ok, err := r.as("a").Exists(t.Context(), "ns", "k"); ok || fault.CodeOf(err) != nkv.CodeDamaged {
				t.Errorf("Exists = %v, %v, want %s", ok, err, nkv.CodeDamaged)
			}
			for _, limit := range []int{0, 1} {
				if got, want := r.keys("a", limit), []string{"j", "l"}; !slices.Equal(got, want) {
					t.Errorf("keys = %q, want %q", got, want)
				}
			}
			r.want("a", "l", "after")
			r.want("b", "x", "of b too")
			r.set("a", "k", "mended")
			r.want("a", "k", "mended")
		})
	}
}

// A file that is no database is an error that tells of the damage, and is left as it is.
func TestF06_DamagedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "nkv.db")
	text := strings.Repeat("no database ", 1000)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, dir)
	_, _, get := r.as("a").Get(t.Context(), "ns", "k")
	_, list := r.as("a").List(t.Context(), "ns", nkv.Page{})
	for op, err := range map[string]error{
		"Get": get, "List": list, "Set": r.as("a").Set(t.Context(), "ns", "k", value.Of("x")), "Delete": r.as("a").Delete(t.Context(), "ns", "k"),
		"DeleteAll": r.as("a").DeleteAll(t.Context(), "ns"),
	} {
		if fault.CodeOf(err) != nkv.CodeDamaged {
			t.Errorf("%s = %v, want %s", op, err, nkv.CodeDamaged)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != text {
		t.Errorf("the file was changed: %v", err)
	}
}

// Whichever byte of the file is flipped, nobody gets a value that their team did not store under the key.
func TestF06_FlippedBytes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := newRig(t, dir)
	for i := range 5 {
		for _, team := range []string{"a", "b"} {
			first.set(team, fmt.Sprint("k", i), fmt.Sprint("text of ", team, i))
		}
	}
	first.close()
	good, err := os.ReadFile(filepath.Join(dir, "nkv.db"))
	if err != nil {
		t.Fatal(err)
	}
	refused, got := 0, 0
	for at := 0; at < len(good); at += 61 {
		bad := append([]byte(nil), good...)
		bad[at] ^= 0x2a
		place := t.TempDir()
		if err := os.WriteFile(filepath.Join(place, "nkv.db"), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		r := newRig(t, place)
		for i := range 5 {
			for _, team := range []string{"a", "b"} {
				v, ok, err := r.as(team).Get(t.Context(), "ns", fmt.Sprint("k", i))
				switch {
				case ok && v.Plain() != fmt.Sprint("text of ", team, i):
					t.Errorf("byte %d: Get(k%d) of %s = %s", at, i, team, v.JSON())
				case ok:
					got++
				case err != nil:
					refused++
				}
			}
		}
		if l, err := r.as("a").List(t.Context(), "ns", nkv.Page{}); err == nil {
			for _, it := range l.Items {
				if it.Value.Plain() != "text of a"+strings.TrimPrefix(it.Key, "k") {
					t.Errorf("byte %d: List gives %q = %s", at, it.Key, it.Value.JSON())
				}
			}
		}
	}
	if refused == 0 || got == 0 {
		t.Errorf("%d values were refused and %d given, want some of both", refused, got)
	}
}

// What was acknowledged is there after a sudden end: the files as they are at that moment are enough.
func TestF01_SuddenEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := newRig(t, dir)
	for i := range 30 {
		r.set("a", fmt.Sprint("k", i), fmt.Sprint("text ", i))
	}
	for round := range 20 {
		r.set("a", "last", fmt.Sprint("round ", round))
		place := t.TempDir()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err == nil && !strings.HasSuffix(e.Name(), "-shm") { // memory of the processes, which ends with them
				err = os.WriteFile(filepath.Join(place, e.Name()), text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		after := newRig(t, place)
		after.want("a", "last", fmt.Sprint("round ", round))
		for i := range 30 {
			after.want("a", fmt.Sprint("k", i), fmt.Sprint("text ", i))
		}
	}
}
