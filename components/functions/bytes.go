package functions

import (
	"math"
	"strconv"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// What Node.js says of an argument of the wrong kind, up to the description of what it got.
const (
	wrongData      = `The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received `
	wrongFirst     = `The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received `
	wrongKey       = `The "key" argument must be of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey. Received `
	wrongAlgorithm = `The "algorithm" argument must be of type string. Received `
)

// wrongType is the error for an argument that is none of the kinds accepted.
func wrongType(text string, got value.Value) error {
	return fault.Newf(fault.Invalid, "%s%s", text, received(got))
}

// received describes a value as errors of Node.js do.
func received(v value.Value) string {
	switch v.Kind() {
	case value.Bool:
		return "type boolean (" + v.Text() + ")"
	case value.Number:
		if n, _ := v.Num(); n == 0 && math.Signbit(n) {
			return "type number (-0)"
		}
		return "type number (" + v.Text() + ")"
	case value.String:
		return "type string ('" + v.Text() + "')"
	case value.Array:
		return "an instance of Array"
	case value.Object:
		return "an instance of Object"
	}
	return v.Text()
}

// messageBytes returns the bytes of what is to be hashed or signed: UTF-8 of a text, or the bytes of a buffer.
func messageBytes(v value.Value) ([]byte, error) {
	if s, ok := v.Str(); ok {
		return []byte(s), nil
	}
	if b, ok := bufferBytes(v); ok {
		return b, nil
	}
	return nil, wrongType(wrongData, v)
}

// looseBytes is messageBytes that also takes an array for the bytes it lists.
func looseBytes(v value.Value) ([]byte, error) {
	if v.IsArray() {
		return itemBytes(v), nil
	}
	b, err := messageBytes(v)
	if err != nil {
		return nil, wrongType(wrongFirst, v)
	}
	return b, nil
}

// bufferValue returns bytes in the form that the JSON of a Node.js buffer has.
func bufferValue(b []byte) value.Value {
	items := make([]value.Value, len(b))
	for i, c := range b {
		items[i] = value.OfInt(int(c))
	}
	return value.Obj(value.M("type", value.Of("Buffer")), value.M("data", value.OfItems(items)))
}

// bufferBytes reads what bufferValue wrote.
func bufferBytes(v value.Value) ([]byte, bool) {
	data := v.Get("data")
	if v.GetString("type") != "Buffer" || !data.IsArray() {
		return nil, false
	}
	return itemBytes(data), true
}

// itemBytes takes each item for a number and keeps its low eight bits; what is no number gives zero.
func itemBytes(list value.Value) []byte {
	b := make([]byte, list.Len())
	for i, it := range list.Items() {
		n, ok := it.Num()
		if !ok {
			n = number(it)
		}
		if math.IsNaN(n) || math.IsInf(n, 0) {
			continue
		}
		low := math.Mod(math.Trunc(n), 256)
		if low < 0 {
			low += 256
		}
		b[i] = byte(low)
	}
	return b
}

// number converts as JavaScript's Number(v) does; NaN for what is no number.
func number(v value.Value) float64 {
	switch v.Kind() {
	case value.Null:
		return 0
	case value.Absent:
		return math.NaN()
	case value.Bool:
		if v.Truthy() {
			return 1
		}
		return 0
	case value.Number:
		n, _ := v.Num()
		return n
	}
	s := strings.TrimSpace(v.Text())
	if s == "" {
		return 0
	}
	if len(s) > 2 && s[0] == '0' && strings.IndexByte("xXoObB", s[1]) >= 0 {
		n, err := strconv.ParseUint(s, 0, 64)
		if err != nil || strings.Contains(s, "_") {
			return math.NaN()
		}
		return float64(n)
	}
	if strings.Trim(s, "0123456789+-.eE") != "" {
		return math.NaN()
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(n, 0) {
		return math.NaN()
	}
	return n
}
