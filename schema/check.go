package schema

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Violation is one setting that breaks a rule.
type Violation struct {
	Name    string // of the setting, with a path for nested ones: "credentials.apiKey"
	Message string // "\"Delay\" must be a number"
}

func (v Violation) Error() string { return v.Message }

// Check returns the violations of settings in field order. Names that the schema does not know are ignored:
// agent files carry keys of editors. Numbers and booleans may be given as text.
func (o Object) Check(settings value.Value) []Violation {
	var out []Violation
	for _, f := range o.fields {
		if msg := f.check(settings.Get(f.Name)); msg != "" {
			out = append(out, Violation{f.Name, msg})
		}
	}
	return out
}

// CheckStrict is Check for configuration: an unknown name is refused with the nearest known one, and the first
// violation is returned as [fault.Invalid].
func (o Object) CheckStrict(settings value.Value) error {
	if !settings.IsNil() && !settings.IsObject() {
		return fault.Newf(fault.Invalid, "settings must be an object, not %s", settings.Kind())
	}
	for _, m := range settings.Members() {
		f := o.Field(m.Key)
		if f == nil {
			return fault.New(fault.Invalid, UnknownName("setting", m.Key, o.Names()))
		}
		if f.Nested != nil && m.Value.IsObject() {
			if err := f.Nested.CheckStrict(m.Value); err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
		}
	}
	for _, v := range o.Check(settings) {
		return fault.New(fault.Invalid, v)
	}
	return nil
}

func (f *Field) check(v value.Value) string {
	l := strconv.Quote(f.label())
	switch {
	case v.IsAbsent() && f.Required:
		return l + " is required"
	case v.IsAbsent():
		return ""
	case v.IsNull() && (f.AllowNull || f.Type == Any):
		return ""
	}
	if len(f.Enum) > 0 {
		if s, ok := v.Str(); ok {
			if s == "" && f.AllowEmpty {
				return ""
			}
			for _, e := range f.Enum {
				if s == e {
					return ""
				}
			}
		}
		return l + " must be one of [" + strings.Join(f.Enum, ", ") + "]"
	}
	switch f.Type {
	case Text:
		return f.checkText(l, v)
	case Number, Integer:
		return f.checkNumber(l, v)
	case Boolean:
		if _, ok := v.Boolean(); ok {
			return ""
		}
		if s, ok := v.Str(); ok && (strings.EqualFold(s, "true") || strings.EqualFold(s, "false")) {
			return ""
		}
		return l + " must be a boolean"
	case List:
		if !v.IsArray() {
			return l + " must be an array"
		}
	case Map:
		if !v.IsObject() {
			return l + " must be of type object"
		}
		if f.Nested != nil {
			for _, in := range f.Nested.Check(v) {
				return in.Message
			}
		}
	}
	return ""
}

func (f *Field) checkText(l string, v value.Value) string {
	s, ok := v.Str()
	if !ok {
		return l + " must be a string"
	}
	if s == "" {
		if f.AllowEmpty {
			return ""
		}
		return l + " is not allowed to be empty"
	}
	n := float64(v.Len())
	if f.Max != nil && n > *f.Max {
		return l + " length must be less than or equal to " + value.FormatNumber(*f.Max) + " characters long"
	}
	if f.Min != nil && n < *f.Min {
		return l + " length must be at least " + value.FormatNumber(*f.Min) + " characters long"
	}
	if f.pattern != nil && !f.pattern.MatchString(s) {
		return fmt.Sprintf("%s with value %s fails to match the required pattern: %s", l, strconv.Quote(s), f.Pattern)
	}
	return ""
}

func (f *Field) checkNumber(l string, v value.Value) string {
	n, ok := v.Num()
	if s, isText := v.Str(); isText {
		if s == "" && f.AllowEmpty {
			return ""
		}
		n, ok = decimal(s)
	}
	switch {
	case !ok || n != n:
		return l + " must be a number"
	case f.seconds && math.Abs(n*float64(time.Second)) >= math.MaxInt64:
		return l + " must be a time of less than 292 years, in seconds"
	case f.Type == Integer && n != math.Trunc(n):
		return l + " must be an integer"
	case f.Min != nil && n < *f.Min:
		return l + " must be greater than or equal to " + value.FormatNumber(*f.Min)
	case f.Max != nil && n > *f.Max:
		return l + " must be less than or equal to " + value.FormatNumber(*f.Max)
	}
	return ""
}
