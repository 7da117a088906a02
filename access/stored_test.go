package access

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
)

func TestParseACL(t *testing.T) {
	t.Parallel()
	def, agent := mustParse(t, "team:default"), mustParse(t, "agent:agent-a")
	tests := []struct {
		name, text string
		want       map[Candidate]Rights
		back       string // "" when the same
	}{
		{"recorded example", "h:xxh3|u:cb14bd8a5c561c96/o|a:8d99dd9bc6c295e0/rw|t:cb14bd8a5c561c96/r|p:61214ecf31784e87/r",
			map[Candidate]Rights{mustParse(t, "user:default"): RightOwner, agent: RightRead | RightWrite, def: RightRead, Public(): RightRead}, ""},
		{"no hash part means the old one", "t:cb14bd8a5c561c96/o", map[Candidate]Rights{def: RightOwner}, "h:xxh3|t:cb14bd8a5c561c96/o"},
		{"nothing at all", "", nil, "h:xxh3"},
		{"only a hash", "h:sha256", nil, ""},
		{"levels twice", "h:xxh3|t:cb14bd8a5c561c96/orr", map[Candidate]Rights{def: RightOwner | RightRead}, "h:xxh3|t:cb14bd8a5c561c96/ro"},
		{"entry without levels", "h:xxh3|p:61214ecf31784e87/", nil, ""},
		{"withdrawn", "h:xxh3|t:cb14bd8a5c561c96/rn", nil, ""},
		{"plain ids", "h:none|a:agent-a/r|p:public/rw", map[Candidate]Rights{agent: RightRead, Public(): RightRead | RightWrite}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			acl, err := ParseACL(tt.text)
			if err != nil {
				t.Fatalf("ParseACL(%q): %v", tt.text, err)
			}
			for _, c := range []Candidate{def, agent, mustParse(t, "user:default"), mustParse(t, "agent:default"), Public()} {
				if got := acl.Rights(c); got != tt.want[c] {
					t.Errorf("Rights(%v) = %04b, want %04b", c, got, tt.want[c])
				}
			}
			back := tt.back
			if back == "" {
				back = tt.text
			}
			if got := acl.String(); got != back {
				t.Errorf("String() = %q, want %q", got, back)
			}
		})
	}
}

// What is not understood is refused as a whole; nothing of it grants anything.
func TestT20_StoredACLCornerCases(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no entry before the bar":  "t:|u:x/",
		"empty entry list":         "h:sha256|t:",
		"unknown hash":             "h:md5|u:x/r",
		"empty hash":               "h:|u:x/r",
		"hash in upper case":       "h:SHA256|u:x/r",
		"hash twice":               "h:none|h:xxh3|u:x/r",
		"hash at the end":          "u:x/r|h:none",
		"unknown role":             "h:none|z:x/r",
		"role in words":            "h:none|undefined:x/r",
		"two letters":              "h:none|ut:x/r",
		"empty role":               "h:none|:x/r",
		"NUL role":                 "h:none|\x00:x/r",
		"role twice":               "h:none|u:x/r|u:x/o",
		"unknown level":            "h:none|u:x/q",
		"level in upper case":      "h:none|u:x/R",
		"level in words":           "h:none|u:x/read",
		"second slash":             "h:none|u:x/r/w",
		"no slash":                 "h:none|u:x",
		"no id":                    "h:none|u:/r",
		"id twice":                 "h:none|u:x/r,x/o",
		"trailing comma":           "h:none|u:x/r,",
		"trailing bar":             "h:none|u:x/r|",
		"only a bar":               "|",
		"line break":               "h:none|u:x/r\n",
		"JSON":                     `{"hashAlgorithm":"none","entries":{"user":{"x":["read"]}}}`,
		"no colon":                 "h",
		"space before":             " h:none|u:x/r",
		"byte order mark":          "\ufeffh:none|u:x/r",
		"levels in another script": "h:none|u:x/г",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if acl, err := ParseACL(text); acl != nil || !fault.Is(err, fault.Invalid) {
				t.Errorf("ParseACL(%q) = %v, %v, want nothing and kind %v", text, acl, err, fault.Invalid)
			}
		})
	}
}

func TestT20_StoredACLSize(t *testing.T) {
	t.Parallel()
	text := "h:none|u:" + strings.Repeat("x", maxStored) + "/r"
	_, err := ParseACL(text)
	if !fault.Is(err, fault.Limit) || fault.CodeOf(err) != "LIMIT_EXCEEDED(acl_bytes)" {
		t.Errorf("ParseACL of %d bytes: %v, want the limit acl_bytes", len(text), err)
	}
}

// FuzzParseACL: no text panics, and what was understood is stored and read again as the same ACL.
func FuzzParseACL(f *testing.F) {
	for _, s := range []string{
		"", "h:sha256", "h:xxh3|u:cb14bd8a5c561c96/o|a:95d4ab30f93a203e/rw|t:cb14bd8a5c561c96/r|p:61214ecf31784e87/r",
		"h:none|a:agent-a/r|p:public/rw", "t:|u:x/", "h:xxh3|t:938d507d8517a864/orr", "h:none|u:x/r,y/n", "p:x/", "h:none|u:a:b/r", "|", "h:",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		acl, err := ParseACL(text)
		if err != nil {
			if acl != nil {
				t.Fatalf("ParseACL(%q) gave an ACL with the error %v", text, err)
			}
			return
		}
		stored := acl.String()
		again, err := ParseACL(stored)
		if err != nil {
			t.Fatalf("ParseACL(%q) of what String gave for %q: %v", stored, text, err)
		}
		if !sameACL(acl, again) {
			t.Fatalf("%q became %q", text, again)
		}
		if again.String() != stored {
			t.Fatalf("String is not stable: %q, then %q", stored, again)
		}
	})
}

// sameACL compares hash and entries; the order of entries of different roles does not count.
func sameACL(a, b *ACL) bool {
	if a.hash != b.hash || len(a.entries) != len(b.entries) {
		return false
	}
	have := make(map[entry]int)
	for _, e := range a.entries {
		have[e]++
	}
	for _, e := range b.entries {
		have[e]--
	}
	for _, n := range have {
		if n != 0 {
			return false
		}
	}
	return true
}
