// Package infer converts the inputs of components to their declared types, as JavaScript would.
//
// Agents rely on the leniency: "12abc" is the number 12, "a,b" is a list of two,
// text that holds an object becomes one. Values that JavaScript calls falsy are
// never converted; callers leave them out.
package infer

import (
	"math"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/jsonfix"
	"github.com/sre-go/sre/value"
)

// Type is a declared type of an input. The zero Type is Any.
type Type uint8

// The types. Names in agent files are compared without regard to case.
const (
	Any Type = iota
	Text
	Number
	Integer
	Boolean
	Array
	Object
	Date
	Binary
	Image
	Audio
	Video
)

// TypeOf returns the type of that name. Unknown names convert nothing.
func TypeOf(name string) Type {
	switch strings.ToLower(name) {
	case "string", "text":
		return Text
	case "number":
		return Number
	case "integer":
		return Integer
	case "boolean":
		return Boolean
	case "array":
		return Array
	case "object":
		return Object
	case "date":
		return Date
	case "binary":
		return Binary
	case "image":
		return Image
	case "audio":
		return Audio
	case "video":
		return Video
	}
	return Any
}

// IsBinary reports whether inputs of the type are files. Convert leaves them alone: reading them is an effect.
func (t Type) IsBinary() bool { return t >= Binary }

// Convert returns v as the type. The error is [fault.Invalid] with the message that agents know.
func (t Type) Convert(v value.Value) (value.Value, error) {
	switch t {
	case Text:
		return text(v), nil
	case Number:
		return number(v, "Invalid Number value", leadingFloat)
	case Integer:
		return number(v, "Invalid Integer value", leadingInteger)
	case Boolean:
		return boolean(v)
	case Array:
		return array(v)
	case Object:
		return object(v)
	case Date:
		return date(v)
	}
	return v, nil
}

func invalid(message string) (value.Value, error) {
	return value.Value{}, fault.Newf(fault.Invalid, "%s", message)
}

func text(v value.Value) value.Value {
	if s, ok := v.Str(); ok {
		if s == "null" || s == "undefined" {
			return value.Of("")
		}
		return v
	}
	if v.IsObject() || v.IsArray() {
		return value.Of(v.JSON())
	}
	return value.Of(v.Text())
}

// number reads the number a value starts with. Infinity has no JSON form and becomes null.
func number(v value.Value, message string, read func(string) (float64, bool)) (value.Value, error) {
	f, ok := read(v.Text())
	if !ok {
		return invalid(message)
	}
	if math.IsInf(f, 0) {
		return value.NullValue(), nil
	}
	return value.OfNumber(f), nil
}

func boolean(v value.Value) (value.Value, error) {
	switch v.Kind() {
	case value.Bool:
		return v, nil
	case value.String, value.Number:
		switch strings.ToLower(v.Text()) {
		case "true", "1":
			return value.OfBool(true), nil
		case "false", "0":
			return value.OfBool(false), nil
		}
	}
	return invalid("Invalid Boolean value")
}

func array(v value.Value) (value.Value, error) {
	if v.IsArray() {
		return v, nil
	}
	s, ok := v.Str()
	if !ok {
		return invalid("Invalid Array value")
	}
	if strings.HasPrefix(strings.TrimLeftFunc(s, isSpace), "[") {
		if list := jsonfix.TryParse(s); list.IsArray() {
			return list, nil
		}
		return invalid("Invalid Array value")
	}
	return value.Strings(strings.Split(s, ",")), nil
}

func object(v value.Value) (value.Value, error) {
	if s, ok := v.Str(); ok {
		v = jsonfix.TryParse(s)
	}
	if !v.IsObject() {
		return invalid("Invalid Object value")
	}
	return v, nil
}
