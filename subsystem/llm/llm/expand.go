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

// expandText replaces {{KEY(name)}} once: what the vault holds is never looked through. own is whether there was one.
func (h *Handle) expandText(ctx context.Context, text string) (expanded secret.Value, own bool, err error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, keyOpen)
		key, after, closed := strings.Cut(rest, keyClose)
		if !found || !closed {
			b.WriteString(text)
			return secret.New(b.String()), own, nil
		}
		v, err := h.vaultValue(ctx, key)
		if err == nil && v.IsZero() {
			err = &fault.Error{
				Kind: fault.Unauthenticated, Code: CodeNoKey, Err: fault.Newf(fault.Unauthenticated, "the credentials of the model name the key %q, which is not there", key),
				Hint: "store it in the vault under the team of the caller",
			}
		}
		if err != nil {
			return secret.Value{}, false, err
		}
		b.WriteString(before)
		b.WriteString(v.Reveal())
		text, own = after, true
	}
}
