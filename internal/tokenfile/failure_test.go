package tokenfile

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/disk/disktest"
	"github.com/sre-go/sre/subsystem/security/account"
)

// Whatever step of a change fails, before it or after: the file holds the old tokens or the new ones, what was
// acknowledged stays, and the next change works without a restart.
func TestF04_NthFailure(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		m := &disktest.Small{}
		dir := t.TempDir()
		f := New(Config{Dir: dir, Effects: effect.System{}, Folders: m.Open})
		at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
		first := token("red", 0)
		if err := f.PutToken(t.Context(), grant(t, "red"), first); err != nil {
			t.Fatal(err)
		}
		kept := 1
		for n := 1; ; n++ {
			next := token("red", n)
			m.Arm(n, after)
			err := f.PutToken(t.Context(), grant(t, "red"), next)
			failed := n <= m.Steps()
			m.Arm(0, false)
			what := fmt.Sprintf("after %v, step %d", after, n)
			if failed != (err != nil) || failed && fault.CodeOf(err) != disk.CodeStorageFull {
				t.Errorf("%s: PutToken: %v, want code %s: %v", what, err, disk.CodeStorageFull, failed)
			}
			set := load(t, newFile(dir))
			if len(set.Damaged) != 0 || len(set.Tokens) != kept && len(set.Tokens) != kept+1 || err == nil && len(set.Tokens) != kept+1 {
				t.Errorf("%s: %d tokens, %q damaged, want the %d of before or one more", what, len(set.Tokens), set.Damaged, kept)
			}
			kept = len(set.Tokens)
			if !failed {
				break
			}
		}
		for n := 1; ; n++ {
			m.Arm(n, after)
			err := f.RevokeToken(t.Context(), grant(t, "red"), first.ID, at)
			failed := n <= m.Steps()
			m.Arm(0, false)
			if set := load(t, newFile(dir)); len(set.Tokens) != kept || err == nil && set.Tokens[0].Revoked.IsZero() {
				t.Errorf("after %v, step %d: %v: %d tokens, revoked %v", after, n, err, len(set.Tokens), set.Tokens[0].Revoked)
			}
			if !failed {
				break
			}
		}
	}
}

// damaged checks what is believed of a file that was damaged: nothing but tokens that were in it, as they were, and never
// fewer without saying so.
func damagedFile(t *testing.T, dir, what string, text []byte) {
	t.Helper()
	put(t, dir, text)
	set := load(t, newFile(dir))
	for _, got := range set.Tokens {
		known := false
		for n := range 3 {
			known = known || same(got, token("red", n))
		}
		if !known {
			t.Errorf("%s: the token %+v is believed", what, got.Token)
		}
	}
	if len(set.Tokens) < 3 && len(set.Damaged) == 0 {
		t.Errorf("%s: %d tokens are left and nothing is said", what, len(set.Tokens))
	}
}

// A bit that is flipped, a tail that is cut off, bytes that are zeroed: the token that it hits counts for nothing and is
// named, and most of the time the others go on.
func TestF06_EveryByte(t *testing.T) {
	t.Parallel()
	dir, whole := filled(t, 3)
	for i := range whole {
		for _, bit := range []byte{0x01, 0x20} {
			text := bytes.Clone(whole)
			text[i] ^= bit
			damagedFile(t, dir, fmt.Sprintf("byte %d (%q) xor %#x", i, whole[i], bit), text)
		}
		text := bytes.Clone(whole)
		text[i] = 0
		damagedFile(t, dir, fmt.Sprintf("byte %d zeroed", i), text)
		if i < len(whole)-1 { // the last byte is a line break
			damagedFile(t, dir, fmt.Sprintf("cut at %d", i), whole[:i])
		}
	}
}

func TestF06_Contained(t *testing.T) {
	t.Parallel()
	dir, whole := filled(t, 3)
	lines := strings.SplitAfter(string(whole), "\n")
	id := func(n int) string { tok := token("red", n); return tok.ID }
	for name, tt := range map[string]struct {
		text    string
		left    string
		damaged string
	}{
		"a letter":        {strings.Replace(string(whole), "token 1", "token 7", 1), id(0) + id(2), id(1)},
		"the scope":       {strings.Replace(string(whole), `"run"`, `"admin"`, 1), id(1) + id(2), id(0)},
		"the team":        {strings.Replace(string(whole), `"red"`, `"blue"`, 1), id(1) + id(2), id(0)},
		"no JSON":         {strings.Replace(string(whole), `"name":"token 1"`, `"name":token 1"`, 1), id(0) + id(2), "line 3"},
		"half a line":     {lines[0] + lines[1] + lines[2][:40] + "\n" + lines[3] + lines[4], id(0) + id(2), "line 3"},
		"cut":             {lines[0] + lines[1] + lines[2][:40], id(0), "line 3"},
		"cut cleanly":     {lines[0] + lines[1] + lines[2], id(0) + id(1), "the form of the file"},
		"twice":           {lines[0] + lines[1] + lines[1] + lines[2] + lines[3] + lines[4], id(1) + id(2), id(0)},
		"swapped":         {lines[0] + lines[2] + lines[1] + lines[3] + lines[4], id(1) + id(0) + id(2), ""},
		"written by hand": {strings.ReplaceAll(string(whole), ",", ",\n  "), id(0) + id(1) + id(2), ""},
		"empty":           {"", "", "the form of the file"},
		"another file":    {`{"x": 1}`, "", "the whole file"},
		"zeros":           {strings.Repeat("\x00", 100), "", "line 1"},
	} {
		put(t, dir, []byte(tt.text))
		set := load(t, newFile(dir))
		left := ""
		for _, tok := range set.Tokens {
			left += tok.ID
		}
		if named := strings.Join(set.Damaged, ", "); left != tt.left || tt.damaged != "" && !strings.Contains(named, tt.damaged) || (named == "") != (tt.damaged == "") {
			t.Errorf("%s: left %s, damaged %q, want %s and %q", name, left, named, tt.left, tt.damaged)
		}
		if err := newFile(dir).Check(t.Context()); err != nil {
			t.Errorf("%s: Check = %v: the runtime is fit for the rest", name, err)
		}
	}
}

// A change of a damaged file loses nothing: records stay, and a file with lines that cannot be kept is kept aside.
func TestF06_ChangeKeepsDamage(t *testing.T) {
	t.Parallel()
	dir, whole := filled(t, 3)
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	revoke := func(n int) error {
		tok := token("red", n)
		return newFile(dir).RevokeToken(t.Context(), grant(t, "red"), tok.ID, at)
	}
	put(t, dir, []byte(strings.Replace(string(whole), "token 1", "token 7", 1)))
	if err := revoke(0); err != nil {
		t.Fatal(err)
	}
	if err := revoke(1); !fault.Is(err, fault.NotFound) {
		t.Errorf("revoke a damaged one: %v, want kind %v", err, fault.NotFound)
	}
	if text, err := os.ReadFile(filepath.Join(dir, Name)); err != nil || !strings.Contains(string(text), "token 7") {
		t.Errorf("the damaged record is gone: %s, %v", text, err)
	}
	torn := []byte(strings.Replace(string(whole), `"name":"token 1"`, `"name":token 1"`, 1))
	put(t, dir, torn)
	if err := revoke(2); err != nil {
		t.Fatal(err)
	}
	aside, err := filepath.Glob(filepath.Join(dir, Name+".damaged-*"))
	if err != nil || len(aside) != 1 {
		t.Fatalf("kept aside: %q, %v, want one file", aside, err)
	}
	if text, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(text, torn) {
		t.Errorf("what was kept aside is not the damaged file: %v", err)
	}
	set := load(t, newFile(dir))
	if len(set.Tokens) != 2 || len(set.Damaged) != 0 || set.Tokens[1].Revoked.IsZero() {
		t.Errorf("afterwards: %+v", set)
	}
}

// FuzzParse: no file panics, what is believed has its checksum, and what is written again is the same.
func FuzzParse(f *testing.F) {
	c := &content{}
	c.add(token("red", 1))
	used := token("blue", 2)
	used.Used, used.User = used.Created, "ann"
	c.add(used)
	for _, s := range []string{string(c.text()), "", "{}", `{"tokens":[]}`, `{"tokens":[{}]}`, `{"tokens":[1,{"id":"aaaaaaaa"}]}`, `{"tokens":1}`, "{\"tokens\":[\n{\"id\":1},\n", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := parse([]byte(text))
		for _, tok := range c.tokens() {
			if back, err := account.ParseRecord(tok.Record()); err != nil || !same(back, tok) {
				t.Fatalf("%+v was believed, and reads back as %+v, %v", tok, back, err)
			}
		}
		again := parse(c.text())
		if len(again.tokens()) != len(c.tokens()) || len(again.torn) != 0 {
			t.Fatalf("%d tokens become %d, %q damaged", len(c.tokens()), len(again.tokens()), again.damaged())
		}
	})
}
