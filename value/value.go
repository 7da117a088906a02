// Package value holds agent data: JSON with JavaScript's rules.
//
// It differs from decoding into any in four ways that agents depend on: objects
// keep the order of their members, numbers print as JavaScript prints them,
// absent (the zero Value) is different from null, and decoding is exact: names
// are case-sensitive, duplicates are refused, depth and size are bounded.
//
// Values are immutable: no method changes one, so a Value may be shared by any
// number of goroutines and runs without copying.
package value

// Kind says what a Value holds.
type Kind uint8

// The kinds. Absent is JavaScript's undefined: no value at all.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// String returns the name that JSON Schema uses for the kind.
func (k Kind) String() string {
	switch k {
	case Absent:
		return "absent"
	case Null:
		return "null"
	case Bool:
		return "boolean"
	case Number:
		return "number"
	case String:
		return "string"
	case Array:
		return "array"
	case Object:
		return "object"
	}
	return "unknown"
}

// Value is one JSON value, or its absence. The zero Value is absent.
type Value struct {
	str  string
	num  float64
	ref  *node
	kind Kind
}

// node is the shared body of an array or an object.
type node struct {
	items   []Value
	members []Member
	index   map[string]int
}

// Member is one name and value of an object.
type Member struct {
	Key   string
	Value Value
}

// NullValue returns JSON null.
func NullValue() Value { return Value{kind: Null} }

// Of returns a string value.
func Of(s string) Value { return Value{kind: String, str: s} }

// OfBool returns a boolean value.
func OfBool(b bool) Value {
	v := Value{kind: Bool}
	if b {
		v.num = 1
	}
	return v
}

// OfNumber returns a number. NaN and the infinities are kept, and print as null in JSON.
func OfNumber(f float64) Value { return Value{kind: Number, num: f} }

// OfInt returns a number.
func OfInt(i int) Value { return Value{kind: Number, num: float64(i)} }

// OfItems returns an array over items. The caller must not change items afterwards.
// Absent items stay absent in memory and print as null.
func OfItems(items []Value) Value { return Value{kind: Array, ref: &node{items: items}} }

// List returns an array of the given items.
func List(items ...Value) Value { return OfItems(items) }

// Strings returns an array of strings.
func Strings(ss []string) Value {
	items := make([]Value, len(ss))
	for i, s := range ss {
		items[i] = Of(s)
	}
	return OfItems(items)
}

// Kind returns the kind of v.
func (v Value) Kind() Kind { return v.kind }

// IsAbsent reports whether there is no value.
func (v Value) IsAbsent() bool { return v.kind == Absent }

// IsNull reports whether v is JSON null.
func (v Value) IsNull() bool { return v.kind == Null }

// IsNil reports whether v is absent or null.
func (v Value) IsNil() bool { return v.kind <= Null }

// IsObject reports whether v is an object.
func (v Value) IsObject() bool { return v.kind == Object }

// IsArray reports whether v is an array.
func (v Value) IsArray() bool { return v.kind == Array }

// Str returns the text of a string and whether v is one.
func (v Value) Str() (string, bool) { return v.str, v.kind == String }

// Num returns the number and whether v is one.
func (v Value) Num() (float64, bool) {
	if v.kind != Number {
		return 0, false
	}
	return v.num, true
}

// Boolean returns the truth value and whether v is a boolean.
func (v Value) Boolean() (b, ok bool) { return v.kind == Bool && v.num != 0, v.kind == Bool }

// Items returns the items of an array, nil for anything else. The caller must not change the slice.
func (v Value) Items() []Value {
	if v.kind != Array {
		return nil
	}
	return v.ref.items
}

// Members returns the members of an object in order, nil for anything else. The caller must not change the slice.
func (v Value) Members() []Member {
	if v.kind != Object {
		return nil
	}
	return v.ref.members
}

// Len returns the number of items or members, or of UTF-16 units of a string, as JavaScript counts them.
func (v Value) Len() int {
	switch v.kind {
	case Array:
		return len(v.ref.items)
	case Object:
		return len(v.ref.members)
	case String:
		return utf16Len(v.str)
	}
	return 0
}

// Get returns the member of an object by its exact name, absent when v is not an object or has no such member.
func (v Value) Get(key string) Value {
	if v.kind != Object {
		return Value{}
	}
	if v.ref.index != nil {
		if i, ok := v.ref.index[key]; ok {
			return v.ref.members[i].Value
		}
		return Value{}
	}
	for i := range v.ref.members {
		if v.ref.members[i].Key == key {
			return v.ref.members[i].Value
		}
	}
	return Value{}
}

// GetString returns the text of a member, "" when it is missing or not a string.
func (v Value) GetString(key string) string {
	s, _ := v.Get(key).Str()
	return s
}

// Has reports whether an object has a member of that name that is not absent.
func (v Value) Has(key string) bool { return !v.Get(key).IsAbsent() }

// At returns the item of an array, absent when out of range or not an array.
func (v Value) At(i int) Value {
	if v.kind != Array || i < 0 || i >= len(v.ref.items) {
		return Value{}
	}
	return v.ref.items[i]
}

// Truthy reports whether JavaScript would take v as true.
func (v Value) Truthy() bool {
	switch v.kind {
	case Absent, Null:
		return false
	case Bool:
		return v.num != 0
	case Number:
		return v.num != 0 && v.num == v.num
	case String:
		return v.str != ""
	}
	return true
}
