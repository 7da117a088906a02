package jsonschema

import (
	"strconv"
	"strings"

	"github.com/sre-go/sre/value"
)

// Coerce returns an object whose members are of the type that the properties of a schema ask for, where that changes how
// they are written and nothing else: "5" for the number 5, 5 for the text "5", "true" for true. Models mix them up. What
// cannot be converted stays, for Check to refuse.
func Coerce(schema, object value.Value) value.Value {
	properties := schema.Get("properties")
	for _, m := range object.Members() {
		kind, _ := properties.Get(m.Key).Get("type").Str()
		if to, changed := coerce(kind, m.Value); changed {
			object = object.With(m.Key, to)
		}
	}
	return object
}

func coerce(kind string, v value.Value) (value.Value, bool) {
	text, isText := v.Str()
	switch {
	case kind == "string" && (v.Kind() == value.Number || v.Kind() == value.Bool):
		return value.Of(v.Text()), true
	case !isText:
		return v, false
	case kind == "number" || kind == "integer":
		// what a number looks like in JSON, and nothing else: no hexadecimal digits, no infinity
		n, err := value.Parse(strings.TrimSpace(text))
		return n, err == nil && n.Kind() == value.Number
	case kind == "boolean":
		b, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(text)))
		return value.OfBool(b), err == nil && len(text) > 1
	case kind == "object" || kind == "array":
		parsed, err := value.Parse(text)
		return parsed, err == nil && (kind == "object" && parsed.IsObject() || kind == "array" && parsed.IsArray())
	}
	return v, false
}
