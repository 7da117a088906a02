package cli

import (
	"strings"
	"testing"
)

// FuzzImportVariables: no file panics, each key comes once with a value, and what the errors say is in no line.
func FuzzImportVariables(f *testing.F) {
	for _, s := range []string{"", "A=b", "export A='b'\n#c\nB=\"\\n\\\"\"", "A", "=b", "A='b", "A=b #c", "A=\"b\\", "A=b\nA=c", "\ufeffA=1\r\n", "A=''", "9=x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		in, err := importVariables(text, "t")
		if err != nil {
			if len(in.entries) != 0 || !strings.HasPrefix(err.Error(), "line ") {
				t.Fatalf("%q gives %d entries with the error %v", text, len(in.entries), err)
			}
			return
		}
		seen := map[string]bool{}
		for _, e := range in.entries {
			if seen[e.Name] || e.Value.IsZero() || e.Team != "t" || !isVariableName(e.Name) {
				t.Fatalf("%q gives the entry %s/%s", text, e.Team, e.Name)
			}
			seen[e.Name] = true
		}
	})
}

func TestUnquote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`bare`: "bare", `a b`: "a b", `a # c`: "a", `a#c`: "a#c", `'a # c'`: "a # c", `"a # c" # d`: "a # c", `"\"\\\$\n\t\r\x"`: "\"\\$\n\t\r\\x", `'\n'`: `\n`, `""`: "", `$env(A)`: "$env(A)",
	} {
		if got, ok := unquote(in); !ok || got != want {
			t.Errorf("unquote(%s) = %q, %v, want %q", in, got, ok, want)
		}
	}
	for _, in := range []string{`"a`, `'a`, `"a"b`, `'`, `"\`, `"a\"`} {
		if got, ok := unquote(in); ok {
			t.Errorf("unquote(%s) = %q, want a refusal", in, got)
		}
	}
}
