package web

import (
	"context"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// texts fills the texts of the author for one request.
type texts struct {
	call  *component.Call
	in    component.Input
	vars  value.Value   // what typed placeholders stand for, texts of the author themselves
	slots *secret.Slots // stand-ins for keys of the vault
	keys  map[string]value.Value
}

func newTexts(call *component.Call, in component.Input, vars value.Value) *texts {
	return &texts{call: call, in: in, vars: vars, slots: secret.NewSlots(call.Effects.NewID()), keys: map[string]value.Value{}}
}

// resolved is a text of the author whose typed placeholders and keys are known.
type resolved struct {
	*template.Template
	texts *texts
}

// open reads a text of the author. quoted says that the text is JSON, where quotes within values need a backslash.
func (t *texts) open(ctx context.Context, text string, quoted bool) (resolved, error) {
	if settings := t.call.Node.Template.Get("settings"); settings.Len() > 0 {
		text = template.ResolveTyped(text, settings)
	}
	tpl := template.Compile(text)
	if len(t.vars.Members()) > 0 && tpl.HasPlaceholders() {
		more, err := tpl.Expand(t.vars.Get, template.Options{Bare: !quoted})
		if err != nil {
			return resolved{}, err
		}
		tpl = template.Compile(more)
	}
	for _, token := range tpl.Tokens() {
		if err := t.key(ctx, token); err != nil {
			return resolved{}, err
		}
	}
	return resolved{tpl, t}, nil
}

// key reads the key of the vault that a token names and keeps a stand-in for it. A key that the agent does not have
// leaves its name, as agents rely on; a vault that cannot be asked is an error.
func (t *texts) key(ctx context.Context, token string) error {
	name, ok := template.VaultKey(token)
	if _, known := t.keys[token]; known || !ok {
		return nil
	}
	v, err := t.call.Vault().Get(ctx, name)
	switch {
	case fault.Is(err, fault.Denied), fault.Is(err, fault.NotFound), fault.Is(err, fault.Invalid):
		t.call.LogError("the vault has no key", name)
		t.keys[token] = value.Of(name)
	case err != nil:
		return err
	case v.IsZero():
		t.keys[token] = value.Of("")
	default:
		t.keys[token] = value.Of(t.slots.Put(v))
	}
	return nil
}

// lookup is what placeholders stand for: keys, inputs and agent variables.
func (t *texts) lookup(token string) value.Value {
	if v, ok := t.keys[token]; ok {
		return v
	}
	return t.in.Lookup(token)
}

// fill fills a text of the author; what has no value is left out.
func (t *texts) fill(ctx context.Context, text string) (string, error) {
	r, err := t.open(ctx, text, false)
	if err != nil {
		return "", err
	}
	return r.Expand(t.lookup, template.Options{Bare: true, Clean: true})
}

// keysOnly fills the keys of the vault and nothing else.
func (t *texts) keysOnly(ctx context.Context, text string) (string, error) {
	r, err := t.open(ctx, text, false)
	if err != nil {
		return "", err
	}
	return r.Expand(func(token string) value.Value { return t.keys[token] }, template.Options{Bare: true})
}

// fillAll fills the texts within a value of the author, names of members included.
func (t *texts) fillAll(ctx context.Context, v value.Value) (value.Value, error) {
	switch v.Kind() {
	case value.String:
		s, _ := v.Str()
		filled, err := t.fill(ctx, s)
		return value.Of(filled), err
	case value.Array:
		items := make([]value.Value, v.Len())
		for i, it := range v.Items() {
			var err error
			if items[i], err = t.fillAll(ctx, it); err != nil {
				return value.Value{}, err
			}
		}
		return value.OfItems(items), nil
	case value.Object:
		b := value.NewBuilder(v.Len())
		for _, m := range v.Members() {
			name, err := t.fill(ctx, m.Key)
			if err != nil {
				return value.Value{}, err
			}
			inner, err := t.fillAll(ctx, m.Value)
			if err != nil {
				return value.Value{}, err
			}
			b.Set(name, inner)
		}
		return b.Build(), nil
	case value.Absent, value.Null, value.Bool, value.Number:
	}
	return v, nil
}
