package ramcache

import (
	"strings"
	"unsafe"

	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// What the parts of an entry take beside their texts, in bytes. The map and the allocator add to it; these are guesses
// on the high side.
const (
	valueBytes  = int(unsafe.Sizeof(value.Value{}))
	memberBytes = int(unsafe.Sizeof(value.Member{}))
	bodyBytes   = 64 // of an array or object
	entryBytes  = int(unsafe.Sizeof(entry{})) + 64
)

// sizeOf returns what an entry counts for the budget.
func sizeOf(key string, r cache.Record) int {
	return entryBytes + len(key) + len(r.ACL.String()) + texts(r.Value) + texts(r.Metadata)
}

// texts returns what a value takes beside the Value itself.
func texts(v value.Value) int {
	n := 0
	switch v.Kind() {
	case value.String:
		s, _ := v.Str()
		n = len(s)
	case value.Array:
		n = bodyBytes
		for _, it := range v.Items() {
			n += valueBytes + texts(it)
		}
	case value.Object:
		n = bodyBytes
		for _, m := range v.Members() {
			n += memberBytes + len(m.Key) + texts(m.Value)
		}
	}
	return n
}

// detach returns a copy of v that shares no memory with it. Texts of a decoded value are parts of the whole text that
// was decoded: one small part kept in a cache would keep all of it.
func detach(v value.Value) value.Value {
	switch v.Kind() {
	case value.String:
		s, _ := v.Str()
		return value.Of(strings.Clone(s))
	case value.Array:
		items := make([]value.Value, v.Len())
		for i, it := range v.Items() {
			items[i] = detach(it)
		}
		return value.OfItems(items)
	case value.Object:
		members := make([]value.Member, v.Len())
		for i, m := range v.Members() {
			members[i] = value.M(strings.Clone(m.Key), detach(m.Value))
		}
		return value.OfMembers(members)
	}
	return v
}
