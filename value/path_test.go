package value

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPath_Walk(t *testing.T) {
	t.Parallel()
	data := Obj(
		M("body", Obj(M("items", List(Obj(M("name", Of("first"))), Of("héllo"), NullValue())))),
		M("0", Of("zero")),
		M("length", Of("own")),
		M("emoji", Of("a😀b")),
		M("raw", Of("a\xffb")),
		M("n", OfInt(7)),
	)
	tests := []struct {
		expr, want string // want as JSON, "" for absent
	}{
		{"body.items[0].name", `"first"`},
		{"body.items.0.name", `"first"`},
		{"body['items']", ""},
		{"body.items[1][1]", `"é"`},
		{"body.items[1].length", "5"},
		{"body.items.length", "3"},
		{"body.items[2]", "null"},
		{"body.items[2].x", ""},
		{"body.items[3]", ""},
		{"body.items[-1]", ""},
		{"body.items[00]", ""},
		{"body.items[4294967296]", ""},
		{"body.items.name", ""},
		{"body.length", ""},
		{"length", `"own"`},
		{"[0]", `"zero"`},
		{"emoji.length", "4"},
		{"emoji[0]", `"a"`},
		{"emoji[1]", "\"\uFFFD\""},
		{"emoji[2]", "\"\uFFFD\""},
		{"emoji[3]", `"b"`},
		{"emoji[4]", ""},
		{"emoji.x", ""},
		{"raw[1]", "\"\uFFFD\""},
		{"raw[2]", `"b"`},
		{"n.toFixed", ""},
		{"n[0]", ""},
		{"constructor", ""},
		{"__proto__.x", ""},
		{"nope.deeper[3]", ""},
		{"body..items[[0]].name.", `"first"`},
	}
	for _, tt := range tests {
		t.Run(tt.expr, func(t *testing.T) {
			t.Parallel()
			if got := data.Lookup(tt.expr).JSON(); got != tt.want {
				t.Errorf("Lookup(%q) = %s, want %s", tt.expr, got, tt.want)
			}
		})
	}
	if got := data.Lookup(""); !Equal(got, data) {
		t.Errorf("Lookup(\"\") = %s, want the value itself", got.JSON())
	}
}

func TestPath_Parts(t *testing.T) {
	t.Parallel()
	p := ParsePath("a.b[0]")
	if p.Len() != 3 || p.First() != "a" {
		t.Errorf("got %d steps from %q, want 3 from a", p.Len(), p.First())
	}
	if got := p.Tail(1); got.First() != "b" || got.Len() != 2 {
		t.Errorf("Tail(1): got %d steps from %q, want 2 from b", got.Len(), got.First())
	}
	if got := p.Tail(9); got.Len() != 0 || got.First() != "" {
		t.Errorf("Tail(9): got %d steps from %q, want none", got.Len(), got.First())
	}
}

// FuzzPath checks that no text and no path panics, and that Lookup agrees with a step-by-step walk.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"a.b[0].c", "", "....", "[[[", "a[0", "length", "0.length", "a.0.1", "\xff.\xff", "999999999999", "a[1]", "__proto__"} {
		f.Add(seed, "text\xff😀")
	}
	f.Fuzz(func(t *testing.T, expr, text string) {
		inner := List(Of(text), Obj(M("a", Of(text)), M("0", OfInt(1))), List(Of(text)))
		data := Obj(M("a", inner), M("0", inner), M(text, inner), M("length", Of(text)))
		got := data.Lookup(expr)
		step := data
		for _, part := range strings.FieldsFunc(expr, func(r rune) bool { return strings.ContainsRune(".[]", r) }) {
			step = step.Lookup(part)
		}
		if !Equal(got, step) {
			t.Errorf("Lookup(%q) = %s, step by step %s", expr, got.JSON(), step.JSON())
		}
		if out := got.JSON(); !utf8.ValidString(out) {
			t.Errorf("Lookup(%q) prints as invalid UTF-8 %q", expr, out)
		}
	})
}
