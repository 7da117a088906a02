package vaultfile

import (
	"slices"
	"testing"

	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// FuzzParse: no file panics, what was understood can be found again, and no entry loses its hosts on the way through the
// form that is written.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":{"k":"v"}}`, `{"a":{"k":1},"b":{}}`, `[]`, `{"a":"b"}`, `{"encrypted":1,"algorithm":1,"data":""}`,
		`{"a":{"k":{"value":"v","hosts":["a.test","*.b.test","::1"]}}}`, `{"a":{"k":{"value":"v","hosts":[]}}}`, `{"a":{"k":{"value":"v","host":1}}}`,
		`{"a":{"k":{"hosts":["a"]}}}`, `{"a":{"k":{"value":1}}}`, `{"a":{"":"v"}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse([]byte(text))
		if (c == nil) == (err == nil) {
			t.Fatalf("parse(%q) = %v, %v", text, c, err)
		}
		if c == nil {
			return
		}
		for team := range c.teams {
			for _, info := range c.infos(team, "") {
				e, owner, ok := c.find(team, "", info.Name)
				if !ok || owner != team || !slices.Equal(e.value.Hosts(), info.Hosts) {
					t.Fatalf("key %q of team %q is listed for %q but found %v for %q in %q", info.Name, team, info.Hosts, ok, e.value.Hosts(), text)
				}
				again, ok, err := entryOf(valueOf(e.value))
				if err != nil || !ok || again.value.Reveal() != e.value.Reveal() || !slices.Equal(again.value.Hosts(), e.value.Hosts()) {
					t.Fatalf("key %q of team %q becomes %v, %v when it is written", info.Name, team, ok, err)
				}
			}
		}
	})
}

func TestEntries(t *testing.T) {
	t.Parallel()
	got, others, err := Entries([]byte(`{"b": {"z": "1", "n": 5, "a": {"value": "2", "hosts": ["h.test"]}}, "a": {"x": "3", "o": {"k": 1}}}`))
	if err != nil || others != 2 {
		t.Fatalf("Entries: %d others, %v, want 2", others, err)
	}
	want := []Entry{{"b", "z", secret.New("1")}, {"b", "a", secret.New("2").For("h.test")}, {"a", "x", secret.New("3")}}
	if len(got) != len(want) {
		t.Fatalf("%d entries, want %d", len(got), len(want))
	}
	for i, w := range want {
		if g := got[i]; g.Team != w.Team || g.Name != w.Name || g.Value.Reveal() != w.Value.Reveal() || !slices.Equal(g.Value.Hosts(), w.Value.Hosts()) {
			t.Errorf("entry %d = %s/%s %q for %q, want %s/%s %q for %q", i, g.Team, g.Name, g.Value.Reveal(), g.Value.Hosts(), w.Team, w.Name, w.Value.Reveal(), w.Value.Hosts())
		}
	}
	for _, text := range []string{``, `[]`, `{"a": 1}`, `{"a b": {}}`, `{"a": {"k": {"value": "x", "hosts": []}}}`, `{"encrypted": true, "algorithm": "x", "data": "y"}`} {
		if got, _, err := Entries([]byte(text)); err == nil {
			t.Errorf("Entries(%s) = %d entries, want an error", text, len(got))
		}
	}
}

// The form of an entry that is free is a text, as the reference has it.
func TestValueOf(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]secret.Value{`"x"`: secret.New("x"), `{"value":"x","hosts":["a.test"]}`: secret.New("x").For("a.test")} {
		if got := valueOf(v).JSON(); got != want {
			t.Errorf("valueOf = %s, want %s", got, want)
		}
	}
	if _, ok, err := entryOf(value.OfInt(1)); ok || err != nil {
		t.Errorf("a number is an entry: %v, %v", ok, err)
	}
}
