package googlellm

import (
	"strings"

	"github.com/sre-go/sre/value"
)

// A schema is bounded with its references followed: it may refer to itself, in several places. What is beyond is any text.
const (
	maxSchemaDepth = 32
	maxSchemas     = 2000
)

// clean writes a JSON Schema in the provider's own form of schemas, a part of OpenAPI's, see
// https://ai.google.dev/api/caching#Schema. References are followed, choices become anyOf, and what the form does not know
// is left out: it is a help for the model, and what comes back is checked against the schema itself.
func clean(schema value.Value) value.Value { return (&cleaner{root: schema}).schema(schema, 0) }

type cleaner struct {
	root  value.Value
	count int // of schemas so far
}

func (c *cleaner) schema(s value.Value, depth int) value.Value {
	s = c.followed(s)
	if c.count++; depth > maxSchemaDepth || c.count > maxSchemas || !s.IsObject() {
		return value.Obj(value.M("type", value.Of("STRING")))
	}
	if all := s.Get("allOf").Items(); len(all) > 0 {
		s = c.merged(s.Without("allOf"), all)
	}
	b := value.NewBuilder(8)
	kind, nullable := typeOf(s)
	for _, key := range []string{"anyOf", "oneOf"} {
		var choices []value.Value
		for _, it := range s.Get(key).Items() {
			if it.GetString("type") == "null" {
				nullable = true
				continue
			}
			choices = append(choices, c.schema(it, depth+1))
		}
		if len(choices) > 0 {
			b.Set("anyOf", value.OfItems(choices))
			kind = "" // the provider wants nothing beside the choices
		}
	}
	if kind != "" {
		b.Set("type", value.Of(kind))
	}
	if nullable {
		b.Set("nullable", value.OfBool(true))
	}
	if text := s.GetString("description"); text != "" {
		b.Set("description", value.Of(text))
	}
	switch kind {
	case "STRING":
		c.text(b, s)
	case "NUMBER", "INTEGER":
		keep(b, s, "minimum", "maximum")
	case "ARRAY":
		b.Set("items", c.schema(s.Get("items"), depth+1))
		keep(b, s, "minItems", "maxItems")
	case "OBJECT":
		c.object(b, s, depth)
	}
	return b.Build()
}

func (c *cleaner) text(b *value.Builder, s value.Value) {
	list := s.Get("enum").Items()
	if fixed := s.Get("const"); !fixed.IsAbsent() {
		list = []value.Value{fixed}
	}
	var texts []string
	for _, it := range list {
		if text, ok := it.Str(); ok && text != "" { // the provider refuses an empty one
			texts = append(texts, text)
		}
	}
	if texts != nil {
		b.Set("format", value.Of("enum")).Set("enum", value.Strings(texts))
		return
	}
	if s.GetString("format") == "date-time" {
		b.Set("format", value.Of("date-time"))
	}
	keep(b, s, "minLength", "maxLength", "pattern")
}

func (c *cleaner) object(b *value.Builder, s value.Value, depth int) {
	properties := s.Get("properties")
	if properties.Len() == 0 {
		return
	}
	out := value.NewBuilder(properties.Len())
	var order []string
	for _, m := range properties.Members() {
		out.Set(m.Key, c.schema(m.Value, depth+1))
		order = append(order, m.Key)
	}
	b.Set("properties", out.Build())
	var required []string
	for _, it := range s.Get("required").Items() {
		if name, ok := it.Str(); ok && properties.Has(name) {
			required = append(required, name)
		}
	}
	if required != nil {
		b.Set("required", value.Strings(required))
	}
	b.Set("propertyOrdering", value.Strings(order))
}

// followed returns what a reference within the schema refers to, with a description of its own.
func (c *cleaner) followed(s value.Value) value.Value {
	for range maxSchemaDepth {
		path, ok := s.Get("$ref").Str()
		if !ok {
			return s
		}
		to := c.root
		for _, name := range strings.Split(strings.TrimPrefix(path, "#"), "/") {
			if name != "" {
				to = to.Get(strings.NewReplacer("~1", "/", "~0", "~").Replace(name))
			}
		}
		if text := s.Get("description"); !text.IsAbsent() && to.IsObject() {
			to = to.With("description", text)
		}
		s = to
	}
	return value.Value{}
}

// merged lays schemas that hold together over each other.
func (c *cleaner) merged(s value.Value, all []value.Value) value.Value {
	for _, it := range all {
		for _, m := range c.followed(it).Members() {
			switch {
			case m.Key == "properties" && s.Get("properties").IsObject():
				both := s.Get("properties")
				for _, p := range m.Value.Members() {
					both = both.With(p.Key, p.Value)
				}
				s = s.With("properties", both)
			case m.Key == "required" && s.Get("required").IsArray():
				s = s.With("required", value.OfItems(append(append([]value.Value(nil), s.Get("required").Items()...), m.Value.Items()...)))
			case !s.Has(m.Key):
				s = s.With(m.Key, m.Value)
			}
		}
	}
	return s
}

// typeOf returns the provider's name of a type, and whether null is allowed beside it.
func typeOf(s value.Value) (kind string, nullable bool) {
	nullable = s.Get("nullable").Truthy()
	types := s.Get("type").Items()
	if text, ok := s.Get("type").Str(); ok {
		types = []value.Value{value.Of(text)}
	}
	for _, it := range types {
		name, _ := it.Str()
		switch name = strings.ToUpper(name); name {
		case "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT":
			if kind == "" {
				kind = name
			}
		case "NULL":
			nullable = true
		}
	}
	if kind == "" {
		switch {
		case s.Get("properties").IsObject():
			kind = "OBJECT"
		case s.Has("items"):
			kind = "ARRAY"
		default:
			kind = "STRING"
		}
	}
	return kind, nullable
}

// keep copies members that both forms have.
func keep(b *value.Builder, s value.Value, keys ...string) {
	for _, key := range keys {
		if v := s.Get(key); !v.IsNil() {
			b.Set(key, v)
		}
	}
}
