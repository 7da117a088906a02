package value

import (
	"strings"
	"testing"
	"unsafe"
)

func TestDetach(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`null`, `true`, `1.5`, `""`, `"text"`, `[]`, `[1,["a",{}]]`, `{"b":"x","a":{"c":["y",null]}}`} {
		v, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Detach(); got.JSON() != text || got.Kind() != v.Kind() {
			t.Errorf("Detach of %s = %s, want it unchanged", text, got.JSON())
		}
	}
	if got := (Value{}).Detach(); !got.IsAbsent() {
		t.Errorf("Detach of nothing = %s, want nothing", got.JSON())
	}
}

// No text of the copy lies in the memory of the original.
func TestDetachSharesNothing(t *testing.T) {
	t.Parallel()
	text := `{"key":"value","list":["first",{"inner":"second"}]}`
	v, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[*byte]bool)
	visit(v, func(s string) { seen[unsafe.StringData(s)] = true })
	if len(seen) != 6 {
		t.Fatalf("the original has %d texts, want 6", len(seen))
	}
	visit(v.Detach(), func(s string) {
		if seen[unsafe.StringData(s)] {
			t.Errorf("text %q is shared", s)
		}
	})
}

func visit(v Value, text func(string)) {
	if s, ok := v.Str(); ok {
		text(s)
	}
	for _, it := range v.Items() {
		visit(it, text)
	}
	for _, m := range v.Members() {
		text(m.Key)
		visit(m.Value, text)
	}
}

func TestFootprint(t *testing.T) {
	t.Parallel()
	small := List(Of("a"), Obj(M("k", Of("v"))))
	large := List(Of(strings.Repeat("a", 1000)), Obj(M(strings.Repeat("k", 500), Of(strings.Repeat("v", 250)))))
	if got, want := large.Footprint()-small.Footprint(), 999+499+249; got != want {
		t.Errorf("longer texts add %d bytes, want %d", got, want)
	}
	if got := List(small, small).Footprint(); got <= 2*small.Footprint() {
		t.Errorf("Footprint of two = %d, want more than twice %d", got, small.Footprint())
	}
	if got, want := Of("").Footprint(), int(unsafe.Sizeof(Value{})); got != want {
		t.Errorf("Footprint of an empty text = %d, want %d", got, want)
	}
}
