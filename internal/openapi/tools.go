package openapi

import (
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/value"
)

// Tool is a skill as a model is shown it.
type Tool struct {
	Name        string // of the endpoint
	Method      string // POST, GET and so on
	Description string
	Status      string // what is shown while it runs, "" when the skill does not say
	Parameters  value.Value
	Inputs      []component.NodePort
}

// Tools returns the skills that models may use, in the order of the file. What a model is shown, what its calls are
// checked by and what the skill receives all come from the declared inputs.
func Tools(doc *agentfile.Document) []Tool {
	o := Options{ForModels: true}
	var out []Tool
	for i := range doc.Components {
		c := &doc.Components[i]
		if c.Type != "APIEndpoint" || hidden(c) || c.Settings.GetString("endpoint") == "" {
			continue
		}
		t := Tool{
			Name: c.Settings.GetString("endpoint"), Method: strings.ToUpper(c.Settings.GetString("method")), Status: c.Settings.GetString("status_message"), Inputs: c.Inputs,
		}
		if t.Method == "" {
			t.Method = "POST"
		}
		op := operation(c, strings.ToLower(t.Method), o)
		t.Description = op.GetString("summary")
		t.Parameters = object(c.Inputs, t.Method == "GET", o)
		out = append(out, t)
	}
	return out
}

// object is the schema of the arguments.
func object(inputs []component.NodePort, query bool, o Options) value.Value {
	properties := value.NewBuilder(len(inputs))
	var required []string
	for _, in := range inputs {
		s := schemaOf(in, o)
		if in.Description != "" {
			s = s.With("description", value.Of(in.Description))
		}
		if !query {
			s = withDefault(s, in)
		}
		properties.Set(in.Name, s)
		if !in.Optional {
			required = append(required, in.Name)
		}
	}
	return value.Obj(value.M("type", value.Of("object")), value.M("properties", properties.Build()), value.M("required", value.Strings(required)))
}
