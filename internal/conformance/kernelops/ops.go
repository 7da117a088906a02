// Package kernelops does the ops of recorded kernel cases that need no service: templates, type inference, lenient
// JSON, candidates and ACLs.
//
// Each op is a thin bridge from the form of the recordings to a package of this
// runtime. It decides nothing itself, so that a case that passes says something
// about that package.
package kernelops

import (
	"context"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/conformance"
	"github.com/sre-go/sre/internal/infer"
	"github.com/sre-go/sre/internal/jsonfix"
	"github.com/sre-go/sre/value"
)

// Ops does ops for one case. It keeps no state and is safe for concurrent use.
type Ops struct {
	env conformance.Environment
}

// New returns the ops of a case with that environment.
func New(env conformance.Environment) *Ops { return &Ops{env: env} }

// Knows reports whether all ops of a case can be done here.
func Knows(c *conformance.Case) bool {
	if c.Kind != conformance.KindKernel {
		return false
	}
	for _, op := range c.Ops {
		switch op.Name {
		case "template", "infer", "json", "jsonexpr", "candidate", "acl.build", "acl.parse", "acl.exact", "acl.access":
		default:
			return false
		}
	}
	return true
}

// Operate does one op. The error of an op that needs a service has the kind fault.Unsupported.
func (o *Ops) Operate(ctx context.Context, _ value.Value, op conformance.Op) (value.Value, error) {
	switch f := op.Fields; op.Name {
	case "template":
		return o.template(f)
	case "infer":
		return inferAll(f.Get("inputs"), f.Get("config"))
	case "json":
		if f.Get("full").Truthy() {
			return jsonfix.TryFullParse(f.GetString("text")), nil
		}
		return jsonfix.TryParse(f.GetString("text")), nil
	case "jsonexpr":
		return f.Get("data").Lookup(f.GetString("path")), nil
	case "candidate":
		return candidate(f.GetString("candidate"))
	case "acl.build":
		return buildACL(f)
	case "acl.parse":
		return parseACL(f.GetString("serialized"))
	case "acl.exact":
		return exactAccess(f)
	case "acl.access":
		return o.access(ctx, f)
	}
	return value.Value{}, fault.Newf(fault.Unsupported, "op %s needs a service", op.Name)
}

// inferAll converts the inputs that a configuration declares. What JavaScript calls falsy is left as it is, as the
// engine does.
func inferAll(inputs, config value.Value) (value.Value, error) {
	out := inputs
	for _, declared := range config.Items() {
		name := declared.GetString("name")
		in := inputs.Get(name)
		if !in.Truthy() {
			continue
		}
		converted, err := infer.TypeOf(declared.GetString("type")).Convert(in)
		if err != nil {
			return value.Value{}, err
		}
		out = out.With(name, converted)
	}
	return out, nil
}
