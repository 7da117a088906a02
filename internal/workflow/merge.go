package workflow

import (
	"slices"

	"github.com/sre-go/sre/value"
)

// merge adds a value to what an input holds already: nothing and x is x, a list and x is a longer list, anything else
// and x is the list of both.
func merge(held, arrived value.Value) value.Value {
	switch {
	case held.IsAbsent():
		return arrived
	case held.IsArray():
		if held.Len() == 0 {
			return arrived
		}
		return value.OfItems(append(slices.Clip(held.Items()), arrived))
	}
	return value.List(held, arrived)
}
