package jsonschema

import "github.com/sre-go/sre/value"

// holds says what the value of a keyword is.
type holds uint8

const (
	data    holds = 1 + iota // no schema
	schema                   // a schema
	schemas                  // a list of schemas
	named                    // schemas by name, or lists of names
)

// keywords are those of drafts 7 and 2020-12 that the library knows.
func keywords() map[string]holds {
	return map[string]holds{
		"$id": data, "$schema": data, "$ref": data, "$comment": data, "$anchor": data, "$dynamicAnchor": data, "$dynamicRef": data,
		"$vocabulary": data, "$defs": named, "definitions": named, "dependencies": named,
		"title": data, "description": data, "default": data, "deprecated": data, "readOnly": data, "writeOnly": data, "examples": data,
		"type": data, "enum": data, "const": data, "format": data, "pattern": data,
		"multipleOf": data, "minimum": data, "maximum": data, "exclusiveMinimum": data, "exclusiveMaximum": data,
		"minLength": data, "maxLength": data, "minItems": data, "maxItems": data, "uniqueItems": data, "minContains": data, "maxContains": data,
		"minProperties": data, "maxProperties": data, "required": data, "dependentRequired": data,
		"contentEncoding": data, "contentMediaType": data, "contentSchema": schema,
		"items": schemas, "prefixItems": schemas, "additionalItems": schema, "contains": schema, "unevaluatedItems": schema,
		"properties": named, "patternProperties": named, "dependentSchemas": named,
		"additionalProperties": schema, "propertyNames": schema, "unevaluatedProperties": schema,
		"allOf": schemas, "anyOf": schemas, "oneOf": schemas, "not": schema, "if": schema, "then": schema, "else": schema,
	}
}

// exact returns a schema with its keywords only. Others mean nothing, but the library takes a keyword in other letters, such
// as "$REF", for the keyword, and then what it checks is not what was measured.
func exact(v value.Value, known map[string]holds) value.Value {
	if !v.IsObject() {
		return v
	}
	b := value.NewBuilder(v.Len())
	for _, m := range v.Members() {
		switch known[m.Key] {
		case data:
			b.Set(m.Key, m.Value)
		case schema:
			b.Set(m.Key, exact(m.Value, known))
		case schemas:
			b.Set(m.Key, exactAll(m.Value, known))
		case named:
			b.Set(m.Key, exactByName(m.Value, known))
		}
	}
	return b.Build()
}

// exactAll is exact for a list, or for the schema that stands in its place.
func exactAll(v value.Value, known map[string]holds) value.Value {
	if !v.IsArray() {
		return exact(v, known)
	}
	items := make([]value.Value, v.Len())
	for i, it := range v.Items() {
		items[i] = exact(it, known)
	}
	return value.OfItems(items)
}

// exactByName is exact for schemas by name. What is none is left for the library to refuse.
func exactByName(v value.Value, known map[string]holds) value.Value {
	if !v.IsObject() {
		return v
	}
	b := value.NewBuilder(v.Len())
	for _, m := range v.Members() {
		b.Set(m.Key, exact(m.Value, known))
	}
	return b.Build()
}
