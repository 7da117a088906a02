package schema

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// Decode reads settings into an S. Conversions follow JavaScript where agent files rely on it: numbers and booleans
// given as text count, an absent setting takes its documented default. What cannot be converted is left zero;
// call Check or CheckStrict first to refuse it.
func Decode[S any](o Object, settings value.Value) (S, error) {
	var s S
	if o.goType != reflect.TypeFor[S]() {
		return s, fault.Newf(fault.Internal, "schema of %s cannot decode %s", o.goType, reflect.TypeFor[S]())
	}
	o.decode(reflect.ValueOf(&s).Elem(), settings)
	return s, nil
}

func (o Object) decode(into reflect.Value, settings value.Value) {
	for _, f := range o.fields {
		v := settings.Get(f.Name)
		if v.IsNil() && f.Default != "" {
			v = value.Of(f.Default)
		}
		target := into.FieldByIndex(f.index)
		if v.IsAbsent() && (f.Nested == nil || target.Kind() != reflect.Struct) { // the members of a struct have defaults, too
			continue
		}
		if target.Kind() == reflect.Pointer {
			if v.IsNull() {
				continue
			}
			p := reflect.New(target.Type().Elem())
			f.assign(p.Elem(), v)
			target.Set(p)
			continue
		}
		f.assign(target, v)
	}
}

func (f *Field) assign(target reflect.Value, v value.Value) {
	switch target.Interface().(type) {
	case value.Value:
		target.Set(reflect.ValueOf(v))
		return
	case secret.Value:
		if s, ok := v.Str(); ok {
			target.Set(reflect.ValueOf(secret.New(s)))
		}
		return
	case time.Duration:
		if n := number(v) * float64(time.Second); math.Abs(n) < math.MaxInt64 {
			target.SetInt(int64(n))
		}
		return
	}
	switch target.Kind() {
	case reflect.String:
		if !v.IsNil() {
			target.SetString(v.Plain())
		}
	case reflect.Bool:
		if b, ok := v.Boolean(); ok {
			target.SetBool(b)
		} else if s, ok := v.Str(); ok {
			target.SetBool(strings.EqualFold(s, "true"))
		}
	case reflect.Float64:
		if n := number(v); n == n {
			target.SetFloat(n)
		}
	case reflect.Int, reflect.Int64:
		if n := number(v); n == n && math.Abs(n) <= 1<<53 {
			target.SetInt(int64(n))
		}
	case reflect.Slice:
		f.assignList(target, v)
	case reflect.Struct:
		if f.Nested != nil {
			f.Nested.decode(target, v)
		}
	}
}

func (f *Field) assignList(target reflect.Value, v value.Value) {
	items := v.Items()
	if s, ok := v.Str(); ok && s != "" {
		for part := range strings.SplitSeq(s, ",") {
			items = append(items, value.Of(strings.TrimSpace(part)))
		}
	}
	list := reflect.MakeSlice(target.Type(), len(items), len(items))
	for i, it := range items {
		f.assign(list.Index(i), it)
	}
	target.Set(list)
}

// number reads a number or a text of one; NaN otherwise.
func number(v value.Value) float64 {
	if n, ok := v.Num(); ok {
		return n
	}
	if s, ok := v.Str(); ok {
		if n, ok := decimal(s); ok {
			return n
		}
	}
	return math.NaN()
}

// decimal reads a finite decimal number, blanks around it allowed.
func decimal(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false // hexadecimal, Infinity, underscores: what Go reads and settings do not mean
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}
