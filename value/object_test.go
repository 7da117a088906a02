package value

import (
	"strconv"
	"testing"
)

func TestOfMembers_Duplicates(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, indexFrom - 1, indexFrom, 40} {
		members := make([]Member, 0, n+1)
		for i := range n {
			members = append(members, M("k"+strconv.Itoa(i), OfInt(i)))
		}
		v := OfMembers(append(members, M("k1", Of("again"))))
		if v.Len() != n {
			t.Errorf("%d members and a duplicate: Len() = %d, want %d", n, v.Len(), n)
		}
		if got := v.GetString("k1"); got != "again" {
			t.Errorf("%d members and a duplicate: k1 = %q, want the later one", n, got)
		}
		if got := v.Members()[1].Key; got != "k1" {
			t.Errorf("%d members and a duplicate: second member is %q, want k1 in its place", n, got)
		}
	}
}

func TestBuilder(t *testing.T) {
	t.Parallel()
	var b Builder
	b.Set("a", OfInt(1)).Set("b", OfInt(2)).Set("a", OfInt(3))
	if got := b.Len(); got != 2 {
		t.Errorf("Len() = %d, want 2", got)
	}
	if got, want := b.Build().JSON(), `{"a":3,"b":2}`; got != want {
		t.Errorf("Build() = %s, want %s", got, want)
	}
	if got, want := NewBuilder(2).Add("a", OfInt(1)).Add("b", OfInt(2)).Add("a", OfInt(3)).Build().JSON(), `{"a":3,"b":2}`; got != want {
		t.Errorf("Add: Build() = %s, want %s", got, want)
	}
}

func TestWithAndWithout(t *testing.T) {
	t.Parallel()
	base := Obj(M("a", OfInt(1)), M("b", OfInt(2)))
	tests := []struct {
		name string
		got  Value
		want string
	}{
		{"replace", base.With("a", Of("x")), `{"a":"x","b":2}`},
		{"add", base.With("c", OfInt(3)), `{"a":1,"b":2,"c":3}`},
		{"add to nothing", Value{}.With("c", OfInt(3)), `{"c":3}`},
		{"add to a text", Of("t").With("c", OfInt(3)), `{"c":3}`},
		{"remove", base.Without("a"), `{"b":2}`},
		{"remove several", base.Without("b", "nope", "a"), `{}`},
		{"remove what is not there", base.Without("nope"), `{"a":1,"b":2}`},
		{"remove from a text", Of("t").Without("a"), `"t"`},
		{"base is unchanged", base, `{"a":1,"b":2}`},
	}
	for _, tt := range tests {
		if got := tt.got.JSON(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// A long object carries an index; every way to derive one must keep it right.
func TestLongObjects_StayConsistent(t *testing.T) {
	t.Parallel()
	v := Obj()
	for i := range 3 * indexFrom {
		v = v.With("k"+strconv.Itoa(i), OfInt(i))
	}
	v = v.Without("k0", "k20").With("k5", Of("five"))
	for _, m := range v.Members() {
		if got := v.Get(m.Key); !Equal(got, m.Value) {
			t.Errorf("Get(%q) = %s, want %s", m.Key, got.JSON(), m.Value.JSON())
		}
	}
	if v.Has("k0") || v.Has("k20") || v.GetString("k5") != "five" {
		t.Errorf("got %s, want no k0, no k20 and k5 = five", v.JSON())
	}
}
