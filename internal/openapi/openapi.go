// Package openapi describes the skills of an agent as an OpenAPI document, for clients that call it over HTTP and for
// models that use its skills as tools.
package openapi

import (
	"regexp"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/value"
)

// Options choose what the document is for.
type Options struct {
	Server  string // base URL of the agent
	Version string // of the deployment; "" and "latest" give paths without a version
	// ForModels describes the agent by its behavior and leaves out skills that models must not see.
	ForModels bool
}

// Document returns the OpenAPI 3.0.1 document of an agent.
func Document(doc *agentfile.Document, o Options) value.Value {
	version := doc.Raw.GetString("version")
	if version == "" {
		version = "1.0.0"
	}
	return value.Obj(
		value.M("openapi", value.Of("3.0.1")),
		value.M("info", value.Obj(value.M("title", value.Of(plain(doc.Name))), value.M("description", value.Of(plain(describe(doc, o)))), value.M("version", value.Of(version)))),
		value.M("servers", value.List(value.Obj(value.M("url", value.Of(o.Server))))),
		value.M("paths", paths(doc, o)),
		value.M("components", value.Obj(value.M("schemas", value.Obj()))),
	)
}

var placeholder = regexp.MustCompile(`\{\{.*?\}\}`)

// plain removes what only means something inside of the agent: placeholders, and the backslashes of their escapes.
func plain(text string) string {
	return strings.ReplaceAll(placeholder.ReplaceAllString(text, ""), "\\", "")
}

func describe(doc *agentfile.Document, o Options) string {
	text := doc.Raw.GetString("shortDescription")
	if o.ForModels {
		text = doc.Behavior
	}
	if text == "" {
		text = doc.Raw.GetString("description")
	}
	return text
}

func paths(doc *agentfile.Document, o Options) value.Value {
	prefix := "/api/"
	if o.Version != "" && o.Version != "latest" {
		prefix = "/v" + o.Version + "/api/"
	}
	out := value.Obj()
	for i := range doc.Components {
		c := &doc.Components[i]
		if c.Type != "APIEndpoint" || o.ForModels && hidden(c) {
			continue
		}
		path := prefix + c.Settings.GetString("endpoint")
		method := strings.ToLower(c.Settings.GetString("method"))
		if method == "" {
			method = "post"
		}
		item := out.Get(path)
		if item.IsAbsent() {
			item = value.Obj()
		}
		out = out.With(path, item.With(method, operation(c, method, o)))
	}
	return out
}

// hidden reports whether a skill is kept from models. A skill that does not say so is shown.
func hidden(c *agentfile.Component) bool {
	exposed, said := c.Settings.Get("ai_exposed").Boolean()
	return said && !exposed
}

func operation(c *agentfile.Component, method string, o Options) value.Value {
	first, second := "doc", "description"
	if o.ForModels {
		first, second = second, first
	}
	summary := c.Settings.GetString(first)
	if summary == "" {
		summary = c.Settings.GetString(second)
	}
	b := value.NewBuilder(6)
	b.Set("summary", value.Of(plain(summary))).Set("operationId", value.Of(c.Settings.GetString("endpoint")))
	b.Set("x-openai-isConsequential", value.OfBool(false))
	if method != "get" && len(c.Inputs) > 0 {
		b.Set("requestBody", body(c.Inputs, o))
	}
	b.Set("responses", response())
	if method == "get" && len(c.Inputs) > 0 {
		b.Set("parameters", parameters(c.Inputs, o))
	}
	return b.Build()
}

func response() value.Value {
	text := value.Obj(value.M("schema", value.Obj(value.M("type", value.Of("string")))))
	return value.Obj(value.M("200", value.Obj(
		value.M("description", value.Of("response")),
		value.M("content", value.Obj(value.M("text/plain", text))),
	)))
}

func body(inputs []component.NodePort, o Options) value.Value {
	media := "application/json"
	properties := value.NewBuilder(len(inputs))
	var required []string
	for _, in := range inputs {
		s := schemaOf(in, o)
		if s.GetString("format") == "binary" {
			media = "multipart/form-data"
		}
		if in.Description != "" {
			s = s.With("description", value.Of(in.Description))
		}
		properties.Set(in.Name, withDefault(s, in))
		if !in.Optional {
			required = append(required, in.Name)
		}
	}
	schema := value.Obj(value.M("type", value.Of("object")), value.M("properties", properties.Build()))
	if required != nil {
		schema = schema.With("required", value.Strings(required))
	}
	return value.Obj(value.M("required", value.OfBool(true)),
		value.M("content", value.Obj(value.M(media, value.Obj(value.M("schema", schema))))))
}

func parameters(inputs []component.NodePort, o Options) value.Value {
	list := make([]value.Value, len(inputs))
	for i, in := range inputs {
		b := value.NewBuilder(6)
		b.Set("name", value.Of(in.Name)).Set("in", value.Of("query")).Set("required", value.OfBool(!in.Optional))
		if in.Description != "" {
			b.Set("description", value.Of(in.Description))
		}
		switch strings.ToLower(in.Type) {
		case "array":
			b.Set("style", value.Of("form")).Set("explode", value.OfBool(false))
		case "object":
			b.Set("style", value.Of("deepObject")).Set("explode", value.OfBool(true))
		}
		list[i] = b.Set("schema", schemaOf(in, o)).Build()
	}
	return value.OfItems(list)
}

func withDefault(s value.Value, in component.NodePort) value.Value {
	if in.DefaultVal.Truthy() {
		return s.With("default", in.DefaultVal)
	}
	return s
}

func schemaOf(in component.NodePort, o Options) value.Value {
	one := func(name string) value.Value { return value.Obj(value.M("type", value.Of(name))) }
	switch strings.ToLower(in.Type) {
	case "number", "float":
		return one("number")
	case "integer":
		return one("integer")
	case "boolean":
		return one("boolean")
	case "array":
		return one("array").With("items", value.Obj())
	case "object":
		return one("object").With("additionalProperties", value.Obj())
	case "binary":
		if !o.ForModels {
			return one("string").With("format", value.Of("binary"))
		}
	}
	return one("string")
}
