package value

// indexFrom is the number of members from which an object carries a map for lookups.
const indexFrom = 12

// OfMembers returns an object with the given members. A later duplicate replaces the earlier one in its place.
// The caller must not change the slice afterwards.
func OfMembers(members []Member) Value {
	if len(members) < indexFrom {
		for i := 1; i < len(members); i++ {
			for j := range i {
				if members[i].Key == members[j].Key {
					return dedupe(members)
				}
			}
		}
		return Value{kind: Object, ref: &node{members: members}}
	}
	index := make(map[string]int, len(members))
	for i := range members {
		if _, ok := index[members[i].Key]; ok {
			return dedupe(members)
		}
		index[members[i].Key] = i
	}
	return Value{kind: Object, ref: &node{members: members, index: index}}
}

func dedupe(members []Member) Value {
	at := make(map[string]int, len(members))
	out := make([]Member, 0, len(members))
	for _, m := range members {
		if i, ok := at[m.Key]; ok {
			out[i].Value = m.Value
			continue
		}
		at[m.Key] = len(out)
		out = append(out, m)
	}
	return OfMembers(out)
}

// Obj returns an object of the given members; for literals in code and tests.
func Obj(members ...Member) Value { return OfMembers(members) }

// M returns a member; for literals in code and tests.
func M(key string, v Value) Member { return Member{Key: key, Value: v} }

// Builder collects the members of an object in order. The zero Builder is ready for use.
type Builder struct {
	members []Member
}

// NewBuilder returns a builder with room for n members.
func NewBuilder(n int) *Builder { return &Builder{members: make([]Member, 0, n)} }

// Set adds a member, or replaces the one of that name in its place.
func (b *Builder) Set(key string, v Value) *Builder {
	for i := range b.members {
		if b.members[i].Key == key {
			b.members[i].Value = v
			return b
		}
	}
	b.members = append(b.members, Member{key, v})
	return b
}

// Add appends a member without looking for an earlier one; Build sorts duplicates out. It is the fast form for long objects.
func (b *Builder) Add(key string, v Value) *Builder {
	b.members = append(b.members, Member{key, v})
	return b
}

// Len returns how many members were set.
func (b *Builder) Len() int { return len(b.members) }

// Build returns the object. The builder must not be used afterwards.
func (b *Builder) Build() Value { return OfMembers(b.members) }

// With returns an object like v with one member set; v is unchanged. Anything but an object counts as empty.
func (v Value) With(key string, to Value) Value {
	old := v.Members()
	members := make([]Member, 0, len(old)+1)
	members = append(members, old...)
	for i := range members {
		if members[i].Key == key {
			members[i].Value = to
			return OfMembers(members)
		}
	}
	return OfMembers(append(members, Member{key, to}))
}

// Without returns an object like v that lacks the named members; v itself when it has none of them.
func (v Value) Without(keys ...string) Value {
	found := false
	for _, k := range keys {
		for i := range v.Members() {
			if v.ref.members[i].Key == k {
				found = true
			}
		}
	}
	if !found {
		return v
	}
	members := make([]Member, 0, len(v.ref.members))
next:
	for _, m := range v.ref.members {
		for _, k := range keys {
			if m.Key == k {
				continue next
			}
		}
		members = append(members, m)
	}
	return OfMembers(members)
}
