package account

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

func TestParseRoster(t *testing.T) {
	t.Parallel()
	v, err := value.Parse(`{
		"a": {"users": {"u": {"settings": {"k": 1}}, "twice": {}}, "agents": {"g": {}}, "settings": {"s": true}, "note": "ignored"},
		"b": {"users": {"twice": {}}, "agents": null},
		"c": {}
	}`)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseRoster(v)
	if err != nil {
		t.Fatalf("ParseRoster: %v", err)
	}
	for who, want := range map[string]string{
		"user:u": "a", "user:twice": "a", "agent:g": "a", "team:a": "a", "team:c": "c",
		"user:g": "", "agent:u": "", "user:x": "", "team:x": "", "user:a": "", "public": "",
	} {
		c, err := access.Parse(who)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := r.TeamOf(c)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("TeamOf(%s) = %q, want %q", who, got, want)
		}
	}
	for who, want := range map[string]string{"user:u": `{"k":1}`, "team:a": `{"s":true}`, "team:c": "", "user:none": "", "agent:u": ""} {
		c, err := access.Parse(who)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Settings(c).JSON(); got != want {
			t.Errorf("Settings(%s) = %s, want %s", who, got, want)
		}
	}
}

func TestParseRoster_Refuses(t *testing.T) {
	t.Parallel()
	for text, hint := range map[string]string{
		`[]`:                            "object of teams",
		`null`:                          "object of teams",
		`"a"`:                           "object of teams",
		`{"": {}}`:                      "empty",
		`{"__proto__": {}}`:             "__proto__",
		`{"constructor": {}}`:           "reserved",
		`{"a": []}`:                     "a is a",
		`{"a": null}`:                   "a is a",
		`{"a": {"users": []}}`:          "users of a",
		`{"a": {"agents": "x"}}`:        "agents of a",
		`{"a": {"settings": 1}}`:        "settings of a",
		`{"a": {"users": {"b c": {}}}}`: "b c",
		`{"a": {"users": {"u": []}}}`:   "a/users/u",
		`{"a": {"agents": {"g": {"settings": "x"}}}}`: "a/agents/g",
	} {
		v, err := value.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := ParseRoster(v); r != nil || !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), hint) {
			t.Errorf("ParseRoster(%s) = %v, %v, want kind %v and %q in the text", text, r, err, fault.Invalid, hint)
		}
	}
}

// FuzzParseRoster: no text panics, and whoever is found somewhere is found in a team that exists.
func FuzzParseRoster(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":{"users":{"u":{}}}}`, `{"a":{"agents":{"u":{"settings":{}}},"settings":{}},"b":{}}`, `[]`, `{"a":1}`} {
		f.Add(s, "u")
	}
	f.Fuzz(func(t *testing.T, text, id string) {
		v, err := value.Parse(text)
		if err != nil {
			return
		}
		r, err := ParseRoster(v)
		if (r == nil) == (err == nil) {
			t.Fatalf("ParseRoster(%s) = %v, %v", text, r, err)
		}
		if r == nil {
			return
		}
		for _, maker := range []func(string) (access.Candidate, error){access.Agent, access.User, access.Team} {
			if c, err := maker(id); err == nil {
				if team, ok := r.TeamOf(c); ok && !r.HasTeam(team) {
					t.Fatalf("%v is in team %q, which is not listed in %s", c, team, text)
				}
			}
		}
	})
}
