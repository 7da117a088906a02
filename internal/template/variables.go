package template

import (
	"slices"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

func tooLong(most int) error {
	return fault.Limitf(limits.TemplateBytes, "filled text is over the limit of %d bytes", most)
}

// ExpandAll expands the texts of an object among themselves: a variable may name others. The text that names the first
// one is the first level of [limits.TemplateDepth], so one level fewer is expanded here. Names of no variable stay as
// written, and so does every reference to the vault: what the vault holds is never read for placeholders. All texts
// together may be as large as one template may become; the error is [fault.Limit].
func ExpandAll(variables value.Value) (value.Value, error) {
	def := limits.Default()
	given := variables.Members()
	var out []value.Member // set at the first change
	texts := make(map[int]*Template)
	total := 0
	for i, m := range given {
		s, _ := m.Value.Str()
		total += len(s)
		if t := Compile(s); t.HasPlaceholders() {
			texts[i] = t
		}
	}
	for range def.TemplateDepth - 1 {
		changed := false
		for i := range given {
			t := texts[i]
			if t == nil {
				continue
			}
			text, err := t.Expand(variables.Get, Options{Bare: true})
			if err != nil {
				return value.Value{}, err
			}
			if text == t.source {
				delete(texts, i)
				continue
			}
			if total += len(text) - len(t.source); total > def.TemplateBytes {
				return value.Value{}, tooLong(def.TemplateBytes)
			}
			if out == nil {
				out = slices.Clone(given)
			}
			out[i].Value = value.Of(text)
			texts[i] = Compile(text)
			changed = true
		}
		if !changed {
			break
		}
	}
	if out == nil {
		return variables, nil
	}
	return value.OfMembers(out), nil
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

// VaultReference returns the key of a text that is nothing but {{KEY(name)}}.
func VaultReference(text string) (name string, ok bool) {
	t := Compile(text)
	if len(t.parts) != 1 || !t.parts[0].holder() {
		return "", false
	}
	return VaultKey(t.parts[0].token())
}
