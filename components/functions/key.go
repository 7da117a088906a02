package functions

import (
	"context"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// signingKey returns the key of the input, or that of the settings with its placeholders filled. Only what the author
// wrote into the settings can name a key of the vault; a key that cannot be had is an error.
func signingKey(ctx context.Context, call *component.Call, s *signSettings, in component.Input) (secret.Value, error) {
	if given := in.Lookup("Key"); given.Truthy() {
		if text, ok := given.Str(); ok {
			return secret.New(text), nil
		}
		return secret.Value{}, wrongType(wrongKey, given)
	}
	if s.Key == nil {
		return secret.Value{}, wrongType(wrongKey, value.Value{})
	}
	author := template.Compile(s.Key.Reveal())
	if !author.HasPlaceholders() {
		return *s.Key, nil
	}
	kept := map[string]value.Value{}
	for _, token := range author.Tokens() {
		name, ok := template.VaultKey(token)
		if !ok {
			continue
		}
		found, err := call.Vault().Get(ctx, name)
		if err != nil {
			return secret.Value{}, err
		}
		kept[token] = value.Of(found.Reveal())
	}
	text, err := author.Expand(func(token string) value.Value {
		if v, ok := kept[token]; ok {
			return v
		}
		return in.Lookup(token)
	}, template.Options{Bare: true})
	return secret.New(text), err
}
