package template

import (
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

func tooLong(most int) error {
	return fault.Limitf(limits.TemplateBytes, "LIMIT_EXCEEDED(%s): the filled text has more than %d bytes", limits.TemplateBytes, most)
}

// ExpandAll expands the texts of an object among themselves: a variable may name others, up to the limit of depth.
// Names of no variable stay as written, and so does every reference to the vault.
func ExpandAll(variables value.Value) (value.Value, error) {
	depth := limits.Default().TemplateDepth
	for range depth {
		next := value.NewBuilder(len(variables.Members()))
		changed := false
		for _, m := range variables.Members() {
			v := m.Value
			if s, ok := v.Str(); ok && strings.Contains(s, "{{") {
				text, err := Compile(s).Expand(variables.Get, Options{Bare: true})
				if err != nil {
					return value.Value{}, err
				}
				changed = changed || text != s
				v = value.Of(text)
			}
			next.Set(m.Key, v)
		}
		variables = next.Build()
		if !changed {
			break
		}
	}
	return variables, nil
}

// VaultKeys returns the keys that the placeholders {{KEY(name)}} of a text name, in order.
func VaultKeys(text string) []string {
	var keys []string
	for _, token := range Compile(text).Tokens() {
		if name, ok := VaultKey(token); ok {
			keys = append(keys, name)
		}
	}
	return keys
}

// VaultKey reads a token such as "KEY(name)".
func VaultKey(token string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(token, "KEY(")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, ")")
}
