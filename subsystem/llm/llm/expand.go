package llm

import (
	"context"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// expandObject puts the texts of credentials that are an object into the fields of c, nested ones under "outer.inner",
// with {{KEY(name)}} replaced by what the vault holds. With something of the team's vault in it, the credential is the
// team's own.
func (h *Handle) expandObject(ctx context.Context, prefix string, v value.Value, c *Credential) error {
	for _, m := range v.Members() {
		name := prefix + m.Key
		switch {
		case m.Value.IsObject():
			if err := h.expandObject(ctx, name+".", m.Value, c); err != nil {
				return err
			}
		case !m.Value.IsNil():
			text, own, err := h.expandText(ctx, m.Value.Plain())
			if err != nil {
				return err
			}
			c.fields[name] = text
			c.own = c.own || own
		}
	}
	return nil
}

const keyOpen, keyClose = "{{KEY(", ")}}"

// expandText replaces {{KEY(name)}} once: what the vault holds is never looked through. The result may be sent where its
// secrets may. own is whether there was one.
func (h *Handle) expandText(ctx context.Context, text string) (expanded secret.Value, own bool, err error) {
	var parts []secret.Value
	for {
		before, rest, found := strings.Cut(text, keyOpen)
		key, after, closed := strings.Cut(rest, keyClose)
		if !found || !closed {
			if text != "" || len(parts) == 0 {
				parts = append(parts, secret.New(text))
			}
			return secret.Join(parts...), own, nil
		}
		v, err := h.vaultValue(ctx, key)
		if err == nil && v.IsZero() {
			err = &fault.Error{
				Kind: fault.Unauthenticated, Code: CodeNoKey, Err: fault.Newf(fault.Unauthenticated, "the credentials of the model name the key %q, which is not there", key),
				Hint: "store it in the vault of the team: `sre vault set NAME`",
			}
		}
		if err != nil {
			return secret.Value{}, false, err
		}
		if before != "" {
			parts = append(parts, secret.New(before))
		}
		parts = append(parts, v)
		text, own = after, true
	}
}
