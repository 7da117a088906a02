package value

import (
	"math"
	"testing"
)

func TestKinds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		v       Value
		kind    Kind
		nilly   bool
		truthy  bool
		text    string
		plain   string
		length  int
		display string
	}{
		{"absent", Value{}, Absent, true, false, "undefined", "", 0, "absent"},
		{"null", NullValue(), Null, true, false, "null", "null", 0, "null"},
		{"true", OfBool(true), Bool, false, true, "true", "true", 0, "boolean"},
		{"false", OfBool(false), Bool, false, false, "false", "false", 0, "boolean"},
		{"zero", OfInt(0), Number, false, false, "0", "0", 0, "number"},
		{"NaN", OfNumber(math.NaN()), Number, false, false, "NaN", "null", 0, "number"},
		{"number", OfNumber(-2.5), Number, false, true, "-2.5", "-2.5", 0, "number"},
		{"empty text", Of(""), String, false, false, "", "", 0, "string"},
		{"text", Of("0"), String, false, true, "0", "0", 1, "string"},
		{"text outside the base plane", Of("a😀é"), String, false, true, "a😀é", "a😀é", 4, "string"},
		{"empty array", List(), Array, false, true, "", "[]", 0, "array"},
		{"array", List(OfInt(1), NullValue(), Value{}, List(Of("a"), OfBool(true)), Obj()), Array, false, true, "1,,,a,true,[object Object]",
			`[1,null,null,["a",true],{}]`, 5, "array"},
		{"empty object", Obj(), Object, false, true, "[object Object]", "{}", 0, "object"},
		{"object", Obj(M("a", OfInt(1))), Object, false, true, "[object Object]", `{"a":1}`, 1, "object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.v.Kind(); got != tt.kind || got.String() != tt.display {
				t.Errorf("Kind() = %v, want %v (%s)", got, tt.kind, tt.display)
			}
			if got := tt.v.IsNil(); got != tt.nilly {
				t.Errorf("IsNil() = %v, want %v", got, tt.nilly)
			}
			if got := tt.v.Truthy(); got != tt.truthy {
				t.Errorf("Truthy() = %v, want %v", got, tt.truthy)
			}
			if got := tt.v.Text(); got != tt.text {
				t.Errorf("Text() = %q, want %q", got, tt.text)
			}
			if got := tt.v.Plain(); got != tt.plain {
				t.Errorf("Plain() = %q, want %q", got, tt.plain)
			}
			if got := tt.v.Len(); got != tt.length {
				t.Errorf("Len() = %d, want %d", got, tt.length)
			}
			if got := tt.v.IsAbsent(); got != (tt.kind == Absent) {
				t.Errorf("IsAbsent() = %v", got)
			}
			if got := tt.v.IsNull(); got != (tt.kind == Null) {
				t.Errorf("IsNull() = %v", got)
			}
			if got := tt.v.IsObject(); got != (tt.kind == Object) {
				t.Errorf("IsObject() = %v", got)
			}
			if got := tt.v.IsArray(); got != (tt.kind == Array) {
				t.Errorf("IsArray() = %v", got)
			}
		})
	}
	if got, want := Kind(99).String(), "unknown"; got != want {
		t.Errorf("Kind(99).String() = %q, want %q", got, want)
	}
}

func TestAccessors_OfTheWrongKind(t *testing.T) {
	t.Parallel()
	for _, v := range []Value{{}, NullValue(), OfBool(true), OfInt(3), Of("ab"), List(Of("x")), Obj(M("k", Of("x")))} {
		t.Run(v.Kind().String(), func(t *testing.T) {
			t.Parallel()
			if _, ok := v.Str(); ok != (v.Kind() == String) {
				t.Errorf("Str() ok = %v", ok)
			}
			if n, ok := v.Num(); ok != (v.Kind() == Number) || !ok && n != 0 {
				t.Errorf("Num() = %v, %v", n, ok)
			}
			if b, ok := v.Boolean(); ok != (v.Kind() == Bool) || b != ok {
				t.Errorf("Boolean() = %v, %v", b, ok)
			}
			if got := v.Items(); (got != nil) != (v.Kind() == Array) {
				t.Errorf("Items() = %v", got)
			}
			if got := v.Members(); (got != nil) != (v.Kind() == Object) {
				t.Errorf("Members() = %v", got)
			}
			if got := v.Get("k"); got.IsAbsent() != (v.Kind() != Object) {
				t.Errorf("Get() = %s", got.JSON())
			}
			if got := v.At(0); got.IsAbsent() != (v.Kind() != Array) {
				t.Errorf("At(0) = %s", got.JSON())
			}
			if !v.At(-1).IsAbsent() || !v.At(1).IsAbsent() || v.Has("nope") || v.GetString("nope") != "" {
				t.Error("something that is not there was found")
			}
		})
	}
}

func TestStrings(t *testing.T) {
	t.Parallel()
	if got, want := Strings([]string{"a", ""}).JSON(), `["a",""]`; got != want {
		t.Errorf("Strings = %s, want %s", got, want)
	}
	if got, want := Strings(nil).JSON(), "[]"; got != want {
		t.Errorf("Strings(nil) = %s, want %s", got, want)
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	long := func(last Value) Value {
		b := NewBuilder(20)
		for _, k := range "abcdefghijklmnopqrs" {
			b.Add(string(k), OfInt(int(k)))
		}
		return b.Add("z", last).Build()
	}
	tests := []struct {
		name string
		a, b Value
		want bool
	}{
		{"absent", Value{}, Value{}, true},
		{"absent and null", Value{}, NullValue(), false},
		{"number and text", OfInt(1), Of("1"), false},
		{"zeros", OfNumber(0), OfNumber(math.Copysign(0, -1)), true},
		{"NaN", OfNumber(math.NaN()), OfNumber(math.NaN()), true},
		{"NaN and a number", OfNumber(math.NaN()), OfInt(1), false},
		{"booleans", OfBool(true), OfBool(false), false},
		{"texts", Of("a"), Of("b"), false},
		{"arrays", List(OfInt(1), OfInt(2)), List(OfInt(1), OfInt(2)), true},
		{"order of items", List(OfInt(1), OfInt(2)), List(OfInt(2), OfInt(1)), false},
		{"length", List(OfInt(1)), List(OfInt(1), OfInt(1)), false},
		{"order of members", Obj(M("a", OfInt(1)), M("b", OfInt(2))), Obj(M("b", OfInt(2)), M("a", OfInt(1))), true},
		{"other member", Obj(M("a", OfInt(1))), Obj(M("b", OfInt(1))), false},
		{"absent member", Obj(M("a", OfInt(1)), M("b", Value{})), Obj(M("a", OfInt(1))), true},
		{"absent against present member", Obj(M("x", Value{}), M("y", OfInt(1))), Obj(M("y", OfInt(1)), M("z", OfInt(2))), false},
		{"absent and null member", Obj(M("a", Value{})), Obj(M("a", NullValue())), false},
		{"long objects", long(OfInt(1)), long(OfInt(1)), true},
		{"long objects that differ", long(OfInt(1)), long(OfInt(2)), false},
		{"nested", List(Obj(M("a", List(Of("x"))))), List(Obj(M("a", List(Of("y"))))), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Equal(tt.a, tt.b); got != tt.want {
				t.Errorf("Equal(a, b) = %v, want %v", got, tt.want)
			}
			if got := Equal(tt.b, tt.a); got != tt.want {
				t.Errorf("Equal(b, a) = %v, want %v", got, tt.want)
			}
		})
	}
}
