package agent

import (
	"context"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/value"
)

// variables are the variables of an agent: texts of its author, expanded among themselves once.
type variables struct {
	fixed  value.Value
	secret []secretVariable // those that refer to the vault, filled for each run
	err    error
}

type secretVariable struct {
	name string
	text *template.Template
}

func newVariables(v value.Value) variables {
	if !v.IsObject() {
		return variables{fixed: value.Obj()}
	}
	fixed, err := template.ExpandAll(v)
	vars := variables{fixed: fixed, err: err}
	for _, m := range fixed.Members() {
		s, ok := m.Value.Str()
		if ok && strings.HasPrefix(s, "{{") && strings.HasSuffix(s, "}}") && len(template.VaultKeys(s)) > 0 {
			vars.secret = append(vars.secret, secretVariable{name: m.Key, text: template.Compile(s)})
		}
	}
	return vars
}

// resolve returns the variables with their vault keys filled in. A key that the agent may not read, or that does not
// exist, stays a reference: its name is no secret, and nothing stands in for its value.
func (vs *variables) resolve(ctx context.Context, a *Agent) (value.Value, error) {
	if vs.err != nil || len(vs.secret) == 0 {
		return vs.fixed, vs.err
	}
	out := vs.fixed
	for _, s := range vs.secret {
		var bound error
		text, err := s.text.Expand(func(token string) value.Value {
			key, ok := template.VaultKey(token)
			if !ok {
				return value.Value{}
			}
			v, err := a.secret(ctx, s.name, key)
			if bound == nil {
				bound = err
			}
			return v
		}, template.Options{Bare: true})
		if err == nil {
			err = bound
		}
		if err != nil {
			return value.Value{}, err
		}
		out = out.With(s.name, value.Of(text))
	}
	return out, nil
}

// secret reads a key of the vault for a variable with the rights of the agent, absent when it may not or there is none.
// A key that is bound to hosts is refused: a variable is plain data, which goes anywhere.
func (a *Agent) secret(ctx context.Context, variable, key string) (value.Value, error) {
	read := a.manager.cfg.Secret
	if read == nil {
		return value.Value{}, nil
	}
	v, err := read(ctx, a.scope, key)
	if err != nil {
		return value.Value{}, nil
	}
	if hosts := v.Hosts(); hosts != nil {
		err := fault.Newf(fault.Denied, "the variable %q holds the key %q, which may be sent to %s only", variable, key, strings.Join(hosts, ", "))
		return value.Value{}, fault.Hint(err, "name the key where it is used, in the request itself, or store it without hosts")
	}
	return value.Of(v.Reveal()), nil
}
