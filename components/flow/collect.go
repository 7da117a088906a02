package flow

import (
	"slices"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

// The formats of a loop's result. Everything else counts as full.
const (
	formatMinimal = "minimal"
	formatArray   = "results-array"
	formatCleaned = "cleaned" // whole entries whose results lost what only the runtime reads
)

// kept returns the format in which debug sessions see the entries after the result was made.
func kept(format string) string {
	if format == formatMinimal || format == formatArray {
		return formatCleaned
	}
	return format
}

// collect shapes the entries that the iterations of a loop left. It does not keep the slice.
func collect(entries []value.Value, format string) value.Value {
	out := make([]value.Value, 0, len(entries))
	for _, e := range entries {
		switch format {
		case formatMinimal:
			out = append(out, cleaned(inner(e)))
		case formatArray:
			out = appendFlat(out, cleaned(inner(e)))
		case formatCleaned:
			if e.Get("result").IsObject() {
				e = e.With("result", cleaned(e.Get("result")))
			}
			out = append(out, e)
		default:
			out = append(out, e)
		}
	}
	return value.OfItems(slices.Clip(out))
}

// inner returns the result in an entry. The last component of an iteration may have shaped an entry of its own form,
// which then is the result.
func inner(entry value.Value) value.Value {
	if r := entry.Get("result"); r.Truthy() {
		return r
	}
	return entry
}

// cleaned takes away what only the runtime reads.
func cleaned(result value.Value) value.Value {
	return result.Without(component.KeyDebug, component.KeyError, keyTemp, component.KeyInProgress)
}

// appendFlat appends the values of an object, and the items of arrays among them however deep.
func appendFlat(out []value.Value, v value.Value) []value.Value {
	if !v.IsObject() {
		return appendItems(out, v)
	}
	for _, m := range v.Members() {
		out = appendItems(out, m.Value)
	}
	return out
}

func appendItems(out []value.Value, v value.Value) []value.Value {
	if !v.IsArray() {
		return append(out, v)
	}
	for _, it := range v.Items() {
		out = appendItems(out, it)
	}
	return out
}
