// Package jsonschema checks values against JSON Schema, drafts 7 and 2020-12: arguments of tools and answers of models.
//
// A library does the checking. Schemas come from anywhere, from servers of tools as well, so before the library sees one
// it is measured: how large it is with all its references written out. That bounds what a check can cost; a schema that
// refers to itself has no such bound and is refused, and so is one that refers to anything outside of itself.
package jsonschema

import (
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Schema is a compiled schema. It is immutable and safe for concurrent use.
type Schema struct{ resolved *jsonschema.Resolved }

// Compile reads a schema. One that is no schema, refers to itself or elsewhere, or is too large is [fault.Invalid].
func Compile(v value.Value) (*Schema, error) {
	if err := measure(v); err != nil {
		return nil, err
	}
	s := new(jsonschema.Schema)
	if err := s.UnmarshalJSON([]byte(exact(v, keywords()).JSON())); err != nil {
		return nil, invalid(err)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		return nil, invalid(err)
	}
	return &Schema{r}, nil
}

// Check compares a value with the schema. The error says where it does not fit, and is [fault.Invalid].
func (s *Schema) Check(v value.Value) error {
	if err := s.resolved.Validate(plain(v)); err != nil {
		return fault.Newf(fault.Invalid, "%s", readable(err.Error()))
	}
	return nil
}

func invalid(err error) error {
	return fault.Newf(fault.Invalid, "this is no JSON Schema that can be used: %s", readable(err.Error()))
}

// readable takes from an error of the library what only its readers understand.
func readable(text string) string {
	text = strings.TrimPrefix(text, "validating root: ")
	text = strings.ReplaceAll(text, "validating /properties/", "")
	return strings.ReplaceAll(text, "validating ", "")
}

// plain is a value as the library takes it. What is absent is null.
func plain(v value.Value) any {
	switch v.Kind() {
	case value.Bool:
		b, _ := v.Boolean()
		return b
	case value.Number:
		n, _ := v.Num()
		return n
	case value.String:
		s, _ := v.Str()
		return s
	case value.Array:
		out := make([]any, v.Len())
		for i, it := range v.Items() {
			out[i] = plain(it)
		}
		return out
	case value.Object:
		out := make(map[string]any, v.Len())
		for _, m := range v.Members() {
			out[m.Key] = plain(m.Value)
		}
		return out
	}
	return nil
}
