// Package largevalue takes large texts out of a value before it is kept, and puts them back.
//
// The state of a run may hold megabytes that few of its readers need. Out of it they live in storage, and the state
// holds a reference: an object with the single member "$large". An object that happens to look like a reference is
// wrapped, so that no data is ever taken for one.
package largevalue

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Threshold is the size from which a text is large, in bytes.
const Threshold = 64 << 10

// member is the name of the only member of a reference; of a wrapped object, with the object itself as its value.
const member = "$large"

// Out returns the value with every large text replaced by a reference. put keeps a text under its id, which is the same
// for the same text: 64 hexadecimal digits.
func Out(v value.Value, put func(id, text string) error) (value.Value, error) {
	switch {
	case v.IsObject():
		out, err := members(v, func(v value.Value) (value.Value, error) { return Out(v, put) })
		if err == nil && marked(v) {
			out = value.Obj(value.M(member, out))
		}
		return out, err
	case v.IsArray():
		return items(v, func(v value.Value) (value.Value, error) { return Out(v, put) })
	}
	text, ok := v.Str()
	if !ok || len(text) < Threshold {
		return v, nil
	}
	id := idOf(text)
	return value.Obj(value.M(member, value.Of(id))), put(id, text)
}

// In is the inverse of Out. get returns the text of an id; a text that is not the one of its id is refused.
func In(v value.Value, get func(id string) (string, error)) (value.Value, error) {
	again := func(v value.Value) (value.Value, error) { return In(v, get) }
	switch {
	case v.IsArray():
		return items(v, again)
	case !v.IsObject():
		return v, nil
	case !marked(v):
		return members(v, again)
	}
	inner := v.Get(member)
	id, ok := inner.Str()
	if !ok {
		return members(inner, again) // an object that was wrapped
	}
	text, err := get(id)
	if err == nil && idOf(text) != id {
		err = &fault.Error{Op: "largevalue.read", Resource: id, Kind: fault.Internal, Code: "RECORD_DAMAGED"}
	}
	return value.Of(text), err
}

// marked reports whether an object is a reference, a wrapped object, or looks like one.
func marked(v value.Value) bool { return v.Len() == 1 && v.Has(member) }

func idOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// members changes what the members of an object hold. Values are immutable, so one that stays is not copied.
func members(v value.Value, change func(value.Value) (value.Value, error)) (value.Value, error) {
	out := value.NewBuilder(v.Len())
	for _, m := range v.Members() {
		to, err := change(m.Value)
		if err != nil {
			return v, err
		}
		out.Add(m.Key, to)
	}
	return out.Build(), nil
}

// items is members for the items of an array.
func items(v value.Value, change func(value.Value) (value.Value, error)) (value.Value, error) {
	out := make([]value.Value, v.Len())
	for i, it := range v.Items() {
		var err error
		if out[i], err = change(it); err != nil {
			return v, err
		}
	}
	return value.OfItems(out), nil
}
