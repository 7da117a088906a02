package value

import (
	"strings"
	"unsafe"
)

// What a part of a value takes beside its texts, in bytes. The allocator adds to it.
const (
	itemBytes   = int(unsafe.Sizeof(Value{}))
	memberBytes = int(unsafe.Sizeof(Member{}))
	nodeBytes   = int(unsafe.Sizeof(node{}))
)

// Footprint returns about how many bytes of memory v takes, if it shares none of it with other values.
func (v Value) Footprint() int { return itemBytes + v.body() }

// body is what v takes beside the Value itself.
func (v Value) body() int {
	switch v.kind {
	case String:
		return len(v.str)
	case Array:
		n := nodeBytes
		for i := range v.ref.items {
			n += v.ref.items[i].Footprint()
		}
		return n
	case Object:
		n := nodeBytes
		for i := range v.ref.members {
			n += memberBytes + len(v.ref.members[i].Key) + v.ref.members[i].Value.body()
		}
		return n
	}
	return 0
}

// Detach returns a copy of v that shares no memory with it. Texts of a decoded value are parts of the whole text that was
// decoded, so one small part keeps all of it alive: who keeps values for long keeps detached ones.
func (v Value) Detach() Value {
	switch v.kind {
	case String:
		v.str = strings.Clone(v.str)
	case Array:
		items := make([]Value, len(v.ref.items))
		for i := range v.ref.items {
			items[i] = v.ref.items[i].Detach()
		}
		return OfItems(items)
	case Object:
		members := make([]Member, len(v.ref.members))
		for i, m := range v.ref.members {
			members[i] = Member{strings.Clone(m.Key), m.Value.Detach()}
		}
		return OfMembers(members)
	}
	return v
}
