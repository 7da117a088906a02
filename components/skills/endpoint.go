package skills

import (
	"context"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/infer"
	"github.com/sre-go/sre/internal/jsonfix"
	"github.com/sre-go/sre/value"
)

type endpointSettings struct {
	Endpoint      string `json:"endpoint" sre:"required,max=50,pattern=endpoint" doc:"Name of the skill and last part of its path: /api/<endpoint>."`
	Method        string `json:"method" sre:"enum=POST|GET|,allowEmpty" doc:"HTTP method; empty means POST."`
	Description   string `json:"description" sre:"max=5000,allowEmpty" doc:"What the skill does, for the models that call it."`
	Summary       string `json:"summary" sre:"max=1000,allowEmpty" doc:"What the skill does, for people."`
	Doc           string `json:"doc" sre:"max=1000,allowEmpty" doc:"Older form of the summary."`
	AIExposed     bool   `json:"ai_exposed" default:"true" doc:"Whether models may call the skill as a tool."`
	AdvancedMode  bool   `json:"advancedModeEnabled" doc:"Set by editors."`
	EndpointLabel string `json:"endpointLabel" sre:"max=100,allowEmpty" doc:"Name of the skill in status texts."`
}

func endpoint() component.Definition {
	return component.Define(component.Spec{
		Name:     "APIEndpoint",
		Summary:  "A skill of the agent: where a request enters a workflow.",
		Category: component.Skills,
		Outputs: []component.Port{
			{Name: "headers", Doc: "Headers of the request, in lower case and as sent."},
			{Name: "body", Doc: "Body of the request, converted to the declared inputs."},
			{Name: "query", Doc: "Query of the request, converted to the declared inputs."},
		},
		Traits: component.Traits{Endpoint: true, Cheap: true},
	}, runEndpoint)
}

func runEndpoint(ctx context.Context, call *component.Call, _ *endpointSettings, in component.Input) (value.Value, error) {
	r := call.Request
	body, query, params := r.Body, r.Query, r.Params
	if strings.HasPrefix(r.Path, "/trigger") {
		body, query, params = in.Object(), value.Obj(), value.Obj()
	}
	body = keyed(body)
	if call.Logs() {
		call.LogDebug("Parsing inputs")
		call.LogDebug(" Headers", r.Headers.Indent("  "))
		call.LogDebug(" Body", body.Indent("  "))
		call.LogDebug(" Params", params.Indent("  "))
		call.LogDebug(" Query", query.Indent("  "))
	}
	body, query = defaults(call.Node, in, body, query)
	if injected := in.Object(); call.Debug && r.Headers.Has("x-debug-inj") && injected.Len()+len(injected.Members()) > 0 {
		if r.Method == "GET" {
			query = injected
		} else {
			body = injected
		}
	}
	var err error
	if body, err = section(call, "body", body); err != nil {
		return value.Value{}, err
	}
	if query, err = section(call, "query", query); err != nil {
		return value.Value{}, err
	}
	if body, err = files(ctx, call, body, r.Files); err != nil {
		return value.Value{}, err
	}
	if query, err = files(ctx, call, query, nil); err != nil {
		return value.Value{}, err
	}
	return value.Obj(value.M("headers", r.Headers), value.M("body", body), value.M("query", query), value.M("params", params)), nil
}

// keyed makes a body an object: a list becomes one with the keys 0, 1 and so on.
func keyed(body value.Value) value.Value {
	switch {
	case body.IsNil():
		return value.Obj()
	case body.IsArray():
		members := make([]value.Member, body.Len())
		for i, v := range body.Items() {
			members[i] = value.M(value.OfInt(i).Text(), v)
		}
		return value.OfMembers(members)
	}
	return body
}

// defaults fills empty members of body and query with the default values of the inputs that feed them.
func defaults(n *component.Node, in component.Input, body, query value.Value) (value.Value, value.Value) {
	for i := range n.Inputs {
		if !n.Inputs[i].DefaultVal.Truthy() {
			continue
		}
		name, v := n.Inputs[i].Name, in.Values[i]
		if v.IsAbsent() {
			continue
		}
		if feeds(n, "body", name) && body.IsObject() && empty(body.Get(name)) {
			body = body.With(name, v)
		}
		if feeds(n, "query", name) && query.IsObject() && empty(query.Get(name)) {
			query = query.With(name, v)
		}
	}
	return body, query
}

// feeds reports whether an output such as "body.name" takes that input from a section of the request.
func feeds(n *component.Node, section, input string) bool {
	for i := range n.Outputs {
		expr := n.Outputs[i].Expression
		if expr == "" {
			expr = n.Outputs[i].Name
		}
		head, rest, dotted := strings.Cut(expr, ".")
		second, _, _ := strings.Cut(rest, ".")
		if dotted && second == input && strings.Contains(head, section) {
			return true
		}
	}
	return false
}

// empty reports whether a value counts as not given: nothing, null, blank text, an empty list or object.
func empty(v value.Value) bool {
	if s, ok := v.Str(); ok {
		return strings.TrimSpace(s) == ""
	}
	return v.IsNil() || v.IsArray() && v.Len() == 0 || v.IsObject() && len(v.Members()) == 0
}

// section converts the declared members of a section to their types, and then texts that hold an object to objects.
func section(call *component.Call, name string, v value.Value) (value.Value, error) {
	var err error
	for i := range call.Node.Inputs {
		port := &call.Node.Inputs[i]
		given := v.Get(port.Name)
		if !given.Truthy() {
			continue
		}
		t := infer.TypeOf(port.Type)
		if t.IsBinary() || port.IsFile {
			continue
		}
		if given, err = t.Convert(given); err != nil {
			return value.Value{}, err
		}
		v = v.With(port.Name, given)
	}
	call.LogDebug("Parsing", name, "json input")
	for _, m := range v.Members() {
		if s, ok := m.Value.Str(); ok && looksLikeObject(s) {
			v = v.With(m.Key, jsonfix.TryParse(s))
		}
	}
	if call.Logs() {
		call.LogDebug("Parsed", name, "json input", v.Indent("  "))
	}
	return v, nil
}

func looksLikeObject(s string) bool {
	s = strings.TrimSpace(s)
	return strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}")
}
