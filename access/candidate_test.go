package access

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
)

func mustParse(tb testing.TB, text string) Candidate {
	tb.Helper()
	c, err := Parse(text)
	if err != nil {
		tb.Fatalf("Parse(%q): %v", text, err)
	}
	return c
}

// Every way to make a candidate refuses what could mean something else somewhere: there is no setter to get around it.
func TestT19_MalformedCandidates(t *testing.T) {
	t.Parallel()
	ids := map[string]string{
		"empty":           "",
		"proto":           "__proto__",
		"constructor":     "constructor",
		"prototype":       "prototype",
		"long":            strings.Repeat("a", 10<<10),
		"one too long":    strings.Repeat("a", MaxIDLength+1),
		"newline":         "a\nb",
		"only a newline":  "\n",
		"trailing line":   "a\n",
		"NUL":             "a\x00",
		"bar":             "a|b",
		"slash":           "a/b",
		"dots":            "..",
		"comma":           "a,b",
		"colon":           "a:b",
		"underscore":      "with_underscore",
		"space":           "a b",
		"emoji":           "agent-🙂",
		"full-width":      "ａ",
		"letter e acute":  "é",
		"invalid UTF-8":   "a\xff",
		"right-to-left":   "a\u202eb",
		"percent-encoded": "%61",
	}
	makers := map[string]func(string) (Candidate, error){
		"Agent": Agent, "User": User, "Team": Team,
		"Parse agent": func(id string) (Candidate, error) { return Parse("agent:" + id) },
		"Parse user":  func(id string) (Candidate, error) { return Parse("user:" + id) },
		"Parse team":  func(id string) (Candidate, error) { return Parse("team:" + id) },
	}
	for maker, f := range makers {
		for name, id := range ids {
			t.Run(maker+"/"+name, func(t *testing.T) {
				t.Parallel()
				c, err := f(id)
				if !fault.Is(err, fault.Invalid) {
					t.Errorf("%s(%.20q) err = %v, want kind %v", maker, id, err, fault.Invalid)
				}
				if !c.IsZero() {
					t.Errorf("%s(%.20q) = %v, want nobody", maker, id, c)
				}
				if err != nil && strings.ContainsAny(err.Error(), "\n\x00\u202e") {
					t.Errorf("%s: error text %q carries control characters", maker, err)
				}
			})
		}
	}
}

func TestT19_MalformedRoles(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "owner:x", "system:x", "agent", "agent x", "Agent:x", " agent:x", "public:x", "nobody:x", "public ", ":x", "agentx", "agent:",
		"agent::x", "agent:team:x",
	} {
		if c, err := Parse(text); !fault.Is(err, fault.Invalid) || !c.IsZero() {
			t.Errorf("Parse(%q) = %v, %v, want nobody and kind %v", text, c, err, fault.Invalid)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		role Role
		id   string
	}{
		{"agent:abc-1", RoleAgent, "abc-1"},
		{"agent:A-Z0", RoleAgent, "A-Z0"},
		{"user:default", RoleUser, "default"},
		{"team:" + strings.Repeat("x", MaxIDLength), RoleTeam, strings.Repeat("x", MaxIDLength)},
		{"agent:public", RoleAgent, "public"},
		{"public", RolePublic, "public"},
	}
	for _, tt := range tests {
		c, err := Parse(tt.text)
		if err != nil || c.Role() != tt.role || c.ID() != tt.id {
			t.Errorf("Parse(%q) = %v %q, %v, want %v %q", tt.text, c.Role(), c.ID(), err, tt.role, tt.id)
		}
		if got := c.String(); got != tt.text {
			t.Errorf("Parse(%q).String() = %q, want the same text", tt.text, got)
		}
	}
}

// The reference fixes this text.
func TestValidID_Message(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"with_underscore": "Access Candidate ID can only contain alphanumeric characters and hyphens, invalid id: with_underscore",
		"a b":             "Access Candidate ID can only contain alphanumeric characters and hyphens, invalid id: a b",
		"é":               "Access Candidate ID can only contain alphanumeric characters and hyphens, invalid id: é",
		"a.b":             "Access Candidate ID can only contain alphanumeric characters and hyphens, invalid id: a.b",
	} {
		if err := ValidID(id); err == nil || err.Error() != want {
			t.Errorf("ValidID(%q) = %v, want %q", id, err, want)
		}
	}
}

func TestCandidate_Comparable(t *testing.T) {
	t.Parallel()
	if a, b := mustParse(t, "agent:x"), mustParse(t, "agent:x"); a != b {
		t.Errorf("two candidates of one name differ: %v, %v", a, b)
	}
	if a, b := mustParse(t, "agent:x"), mustParse(t, "user:x"); a == b {
		t.Errorf("%v equals %v", a, b)
	}
	if a, b := mustParse(t, "agent:public"), Public(); a == b {
		t.Errorf("an agent named public is the public")
	}
	var zero Candidate
	if !zero.IsZero() || zero.String() != "nobody" || zero.ID() != "" {
		t.Errorf("zero candidate = %v %q, want nobody without an id", zero, zero.ID())
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"public", "agent:a", "user:b-1", "team:T", "agent:", "x", "agent:a|b", "team:\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text)
		if (err == nil) == c.IsZero() {
			t.Fatalf("Parse(%q) = %v, %v, want either a candidate or an error", text, c, err)
		}
		if err == nil && c.String() != text {
			t.Fatalf("Parse(%q).String() = %q", text, c)
		}
	})
}
