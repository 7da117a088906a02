package kernelops

import (
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/value"
)

// template does the steps of an op on a template, each on the result of the one before. A depth that a step asks for
// has no meaning here: values are never expanded again.
func (o *Ops) template(f value.Value) (value.Value, error) {
	result := f.Get("template")
	for _, step := range f.Get("steps").Items() {
		text := result.Plain()
		compiled := template.Compile(text)
		if step.GetString("match") == "singleCurly" {
			compiled = template.CompileSingle(text)
		}
		var err error
		switch name := step.GetString("fn"); name {
		case "parse":
			result, err = expand(compiled, step.Get("data").Get, template.Options{})
		case "parseRaw":
			result = compiled.Raw(step.Get("data").Get)
		case "clean":
			nothing := func(string) value.Value { return value.Value{} }
			result, err = expand(compiled, nothing, template.Options{Clean: true})
		case "teamKeys":
			result, err = expand(compiled, o.vaultOf(step.GetString("teamId")), template.Options{Bare: true})
		case "componentVars":
			result = value.Of(template.ResolveTyped(text, step.Get("settings")))
		default:
			return value.Value{}, fault.Newf(fault.Unsupported, "template step %q is not known", name)
		}
		if err != nil {
			return value.Value{}, err
		}
	}
	return result, nil
}

func expand(t *template.Template, lookup template.Lookup, options template.Options) (value.Value, error) {
	text, err := t.Expand(lookup, options)
	return value.Of(text), err
}

// vaultOf looks tokens KEY(name) up in the vault of a team, then in the shared one.
func (o *Ops) vaultOf(team string) template.Lookup {
	return func(token string) value.Value {
		key, ok := template.VaultKey(token)
		if !ok {
			return value.Value{}
		}
		if own := o.env.Vault.Get(team).Get(key); !own.IsAbsent() {
			return own
		}
		return o.env.Vault.Get("default").Get(key)
	}
}
