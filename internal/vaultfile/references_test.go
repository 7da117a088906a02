package vaultfile

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/connector"
)

func TestIsVariable(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"A": true, "_": true, "OPENAI_API_KEY": true, "a1": true, "": false, "1A": false, "A-B": false, "A B": false, "A)": false, "É": false, "A\x00": false,
		"@": false, "[": false, "`": false, "{": false,
	} {
		if got := isVariable(name); got != want {
			t.Errorf("isVariable(%q) = %v, want %v", name, got, want)
		}
	}
}

// FuzzResolve: references of tenants stay, no variable is read that is not listed, and replacing each listed reference
// by hand gives the same text.
func FuzzResolve(f *testing.F) {
	for _, s := range []string{"", "$env(A)", "x$env(A)y$env(B)", "$env(A", "$env()", "$env($env(A))", "$env(A))", "$$env(A)", "$env(C)$env(A)", "$env(\x00)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		env := connector.Env{Getenv: func(name string) string {
			switch name {
			case "A":
				return "<a>"
			case "B":
				return ""
			}
			t.Fatalf("the environment was asked for %q", name)
			return ""
		}}
		r, err := NewReferences(env, "op", nil, []string{"A", "B"})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.resolve("tenant", text); got != text {
			t.Fatalf("tenant's %q became %q", text, got)
		}
		if got, want := r.resolve("op", text), strings.ReplaceAll(text, "$env(A)", "<a>"); got != want {
			t.Fatalf("operator's %q became %q, want %q", text, got, want)
		}
	})
}
