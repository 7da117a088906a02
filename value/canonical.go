package value

import (
	"slices"
	"strings"
)

// Canonical returns the JSON of the value with the members of every object in order of their names, so that equal values
// have equal texts.
func (v Value) Canonical() string { return v.sorted().JSON() }

func (v Value) sorted() Value {
	switch {
	case v.IsObject():
		members := slices.Clone(v.Members())
		slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Key, b.Key) })
		for i := range members {
			members[i].Value = members[i].Value.sorted()
		}
		return OfMembers(members)
	case v.IsArray():
		items := slices.Clone(v.Items())
		for i := range items {
			items[i] = items[i].sorted()
		}
		return OfItems(items)
	}
	return v
}
