package rediscache

import (
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/memory/cache"
)

func ownedBy(t testing.TB, id string) *access.ACL {
	t.Helper()
	c, err := access.Agent(id)
	if err != nil {
		t.Fatal(err)
	}
	return access.OwnedBy(c)
}

func sample(t testing.TB) label {
	t.Helper()
	return label{generation: "GEN", expires: 1_800_000_000_123, acl: ownedBy(t, "a").String(), metadata: `{"k":1}`, value: sum(`"x"`)}
}

// A label comes back as it went in, under its own key only, and every changed or missing byte of it is found.
func TestT46_ChangedLabel(t *testing.T) {
	t.Parallel()
	l := sample(t)
	text := l.encode("k")
	if got, err := decodeLabel("k", text); err != nil || got != l {
		t.Fatalf("decodeLabel = %+v, %v, want %+v", got, err, l)
	}
	if got, err := decodeLabel("l", text); fault.CodeOf(err) != cache.CodeDamaged {
		t.Errorf("under another key: %+v, %v, want %s", got, err, cache.CodeDamaged)
	}
	for i := range text {
		for _, bit := range []byte{1, 0x20, 0x80} {
			bad := []byte(text)
			bad[i] ^= bit
			if got, err := decodeLabel("k", string(bad)); fault.CodeOf(err) != cache.CodeDamaged {
				t.Errorf("byte %d changed: %+v, %v, want %s", i, got, err, cache.CodeDamaged)
			}
		}
		if got, err := decodeLabel("k", text[:i]); fault.CodeOf(err) != cache.CodeDamaged {
			t.Errorf("cut at %d: %+v, %v, want %s", i, got, err, cache.CodeDamaged)
		}
	}
	if _, err := decodeLabel("k", text+strings.Repeat("x", maxLabel)); fault.CodeOf(err) != cache.CodeDamaged {
		t.Errorf("a label of more than %d bytes: %v, want %s", maxLabel, err, cache.CodeDamaged)
	}
}

// A value is read beside its own label only.
func TestT46_ChangedValue(t *testing.T) {
	t.Parallel()
	l := sample(t)
	e, err := l.entry("k", `"x"`)
	if err != nil || e.Value.Plain() != "x" || e.Metadata.JSON() != `{"k":1}` || !e.Expires.Equal(time.UnixMilli(l.expires)) {
		t.Errorf("entry = %+v, %v", e, err)
	}
	for _, text := range []string{`"y"`, `"x" `, "", `"x`, "null"} {
		if e, err := l.entry("k", text); fault.CodeOf(err) != cache.CodeDamaged || !e.Value.IsAbsent() {
			t.Errorf("entry(%s) = %s, %v, want %s", text, e.Value.JSON(), err, cache.CodeDamaged)
		}
	}
	for name, l := range map[string]label{
		"no JSON":                    {value: sum("x")},
		"metadata that is no object": {value: sum("x"), metadata: "[]"},
	} {
		if _, err := l.entry("k", "x"); fault.CodeOf(err) != cache.CodeDamaged {
			t.Errorf("%s: %v, want %s", name, err, cache.CodeDamaged)
		}
	}
}

// What the reference wrote is read by its ACL; what has none is nobody's.
func TestDecodeOld(t *testing.T) {
	t.Parallel()
	acl := ownedBy(t, "a").String()
	for name, c := range map[string]struct{ text, metadata, acl string }{
		"ACL only":      {`{"acl":"` + acl + `"}`, "", acl},
		"with metadata": {`{"n":1,"acl":"` + acl + `","s":"x"}`, `{"n":1,"s":"x"}`, acl},
		"legacy hash":   {`{"acl":"a:1/o"}`, "", "a:1/o"},
		"no ACL":        {`{"n":1}`, "", ""},
		"empty ACL":     {`{"acl":""}`, "", ""},
		"ACL an object": {`{"acl":{}}`, "", ""},
		"a type":        {`{"lc":1,"type":"constructor"}`, "", ""},
		"a list":        {`[]`, "", ""},
		"empty":         {``, "", ""},
		"garbage":       {`{"acl":`, "", ""},
	} {
		l, err := decodeLabel("k", c.text)
		if c.acl == "" {
			if fault.CodeOf(err) != cache.CodeDamaged {
				t.Errorf("%s: %+v, %v, want %s", name, l, err, cache.CodeDamaged)
			}
			continue
		}
		if err != nil || !l.old || l.acl != c.acl || l.metadata != c.metadata || !strings.HasPrefix(l.generation, "old-") {
			t.Errorf("%s: %+v, %v, want the ACL %q and the metadata %q", name, l, err, c.acl, c.metadata)
		}
		if e, err := l.entry("k", "{a text}"); err != nil || e.Value.Plain() != "{a text}" {
			t.Errorf("%s: entry = %s, %v, want the text", name, e.Value.JSON(), err)
		}
		if _, err := l.entry("k", "\xff"); fault.CodeOf(err) != cache.CodeDamaged {
			t.Errorf("%s: entry of no text = %v, want %s", name, err, cache.CodeDamaged)
		}
	}
}

func TestStamp(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		at   time.Time
		want int64
	}{
		"never":         {time.Time{}, 0},
		"exact":         {now, now.UnixMilli()},
		"up":            {now.Add(1), now.UnixMilli() + 1},
		"long ago":      {time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), 1},
		"292 years":     {now.Add(1<<63 - 1), now.Add(1<<63-1).UnixMilli() + 1},
		"the year 9999": {time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), 253370764800000},
	} {
		got := stamp(c.at)
		if got != c.want {
			t.Errorf("%s: stamp = %d, want %d", name, got, c.want)
		}
		if back := moment(got); back.Before(c.at) || c.at.IsZero() != back.IsZero() {
			t.Errorf("%s: moment(stamp) = %v, want %v or up to a millisecond later", name, back, c.at)
		}
	}
	for _, c := range []struct{ expires, now, want int64 }{{0, 5, 0}, {10, 5, 5}, {5, 5, 1}, {1, 5, 1}} {
		if got := left(c.expires, c.now); got != c.want {
			t.Errorf("left(%d, %d) = %d, want %d", c.expires, c.now, got, c.want)
		}
	}
}

// A ruling is remembered, one with a large ACL is not.
func TestRemember(t *testing.T) {
	t.Parallel()
	var s store
	s.remember("small", cache.Ruling{Generation: "g"}, label{acl: strings.Repeat("x", maxRecalled)})
	s.remember("large", cache.Ruling{Generation: "g"}, label{acl: strings.Repeat("x", maxRecalled+1)})
	if r, ok := s.Recall("small"); !ok || r.Generation != "g" {
		t.Errorf("Recall(small) = %+v, %t", r, ok)
	}
	if r, ok := s.Recall("large"); ok {
		t.Errorf("Recall(large) = %+v, want nothing", r)
	}
}

// Whatever is stored, decoding it ends with an entry or with damage, and a label of ours encodes to itself.
func FuzzDecode(f *testing.F) {
	l := sample(f)
	f.Add("k", l.encode("k"), `"x"`)
	f.Add("k", `{"acl":"`+l.acl+`","n":1}`, "text")
	f.Add("", magic+"G 0 0 0 0\n", "")
	f.Add("k", magic+"     \n", "")
	f.Fuzz(func(t *testing.T, key, text, value string) {
		l, err := decodeLabel(key, text)
		if err != nil {
			if fault.CodeOf(err) != cache.CodeDamaged {
				t.Errorf("decodeLabel = %v, want damage", err)
			}
			return
		}
		if l.generation == "" {
			t.Error("a label without a generation")
		}
		if !l.old && l.encode(key) != text && sameNumbers(text) {
			t.Errorf("%q comes back as %q", text, l.encode(key))
		}
		if _, err := l.ruling(key); err != nil && fault.CodeOf(err) != cache.CodeDamaged {
			t.Errorf("ruling = %v, want damage", err)
		}
		if _, err := l.entry(key, value); err != nil && fault.CodeOf(err) != cache.CodeDamaged {
			t.Errorf("entry = %v, want damage", err)
		}
	})
}

// sameNumbers reports whether the numbers of a label are written as we write them.
func sameNumbers(text string) bool {
	parts := strings.Split(text, " ")
	for _, n := range parts[2:4] {
		if len(n) > 1 && (n[0] == '0' || n[0] == '+') || n == "-0" {
			return false
		}
	}
	return true
}
