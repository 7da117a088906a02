package conformance

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/value"
)

func parse(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func pointers(diffs []Diff) string {
	var list []string
	for _, d := range diffs {
		list = append(list, d.Pointer)
	}
	return strings.Join(list, " ")
}

func TestCompare(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ got, want, differs string }{
		"equal":              {`{"a":[1,"x",null,true]}`, `{"a":[1.0,"x",null,true]}`, ""},
		"order of members":   {`{"a":1,"b":2}`, `{"b":2,"a":1}`, ""},
		"order of items":     {`[1,2]`, `[2,1]`, "/0 /1"},
		"text is no number":  {`{"a":"1"}`, `{"a":1}`, "/a"},
		"null is not absent": {`{"a":null}`, `{}`, "/a"},
		"missing":            {`{}`, `{"a":{"b":1}}`, "/a"},
		"too many":           {`[1,2,3]`, `[1]`, "/1 /2"},
		"too few":            {`[1]`, `[1,2]`, "/1"},
		"deep":               {`{"a":[{"b/c":1,"d~":2}]}`, `{"a":[{"b/c":2,"d~":3}]}`, "/a/0/b~1c /a/0/d~0"},
		"varies":             {`{"a":5,"b":"x"}`, `{"a":"<VARIES:number>","b":"<VARIES:string>"}`, ""},
		"varies in kind":     {`{"a":"5"}`, `{"a":"<VARIES:number>"}`, "/a"},
		"varies but missing": {`{}`, `{"a":"<VARIES:number>"}`, "/a"},
		"kinds":              {`[]`, `{}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := pointers(Compare(parse(t, c.got), parse(t, c.want)))
			if name == "kinds" { // the root has the empty pointer
				if n := len(Compare(parse(t, c.got), parse(t, c.want))); n != 1 {
					t.Errorf("%d differences, want 1", n)
				}
			}
			if got != c.differs {
				t.Errorf("Compare(%s, %s) differs at %q, want %q", c.got, c.want, got, c.differs)
			}
		})
	}
}

func TestCompareUnordered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ got, want, differs string }{
		"same order":   {`[1,2]`, `[1,2]`, ""},
		"other order":  {`[{"a":1},{"a":2}]`, `[{"a":2},{"a":1}]`, ""},
		"twice":        {`[1,1]`, `[1,2]`, "/1"},
		"one differs":  {`[{"p":1,"x":1},{"p":2}]`, `[{"p":2},{"p":1,"x":2}]`, "/1/x"},
		"one too many": {`[1,2,3]`, `[3,1]`, "/1"},
		"one too few":  {`[2]`, `[1,2]`, "/0"},
		"no list":      {`1`, `[]`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			diffs := CompareUnordered(parse(t, c.got), parse(t, c.want))
			if got := pointers(diffs); got != c.differs || (name == "no list" && len(diffs) != 1) {
				t.Errorf("CompareUnordered(%s, %s) differs at %q, want %q", c.got, c.want, got, c.differs)
			}
		})
	}
}

func TestDiff_String(t *testing.T) {
	t.Parallel()
	long := Diff{Pointer: "/a", Got: value.Of(strings.Repeat("ä", 400))}
	if got := long.String(); !strings.Contains(got, "bytes)") || strings.Contains(got, "\uFFFD") || !strings.Contains(got, "want nothing") {
		t.Errorf("String() = %q", got)
	}
	if got, want := (Diff{Got: value.OfInt(1), Want: value.OfInt(2)}).String(), "(root)\n\t got 1\n\twant 2"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

func TestNormaliser(t *testing.T) {
	t.Parallel()
	n := NewNormaliser()
	for in, want := range map[string]string{
		"2026-11-22-10-11-12.MABCDEF0123":                   "<SESSION>",
		"2026-11-22-10-11-12.ABCDEFGHIJKLMNOPQRSTUVWX27":    "<SESSION>",
		"xTAG-MWABCDEF01":                                   "xTAG-<UID>",
		"dbg-MWABCDEF01 inj-MWABCDEF01 e-MWABCDEF01":        "dbg-<UID> inj-<UID> e-<UID>",
		"dbg-ABCDEFGHIJKLMNOPQRSTUVWX27":                    "dbg-<UID>",
		"smythfs://t/a/_temp/MXABCDEF012.png":               "smythfs://t/a/_temp/<UID>.png",
		"_temp/ABCDEFGHIJKLMNOPQRSTUVWX27.png":              "_temp/<UID>.png",
		"msg_123e4567-e89b-12d3-a456-426614174000":          "msg_<UUID>",
		"id 123E4567-e89b-12d3-a456-426614174000":           "id <UUID>",
		"plain text, MIXED 2026-11-22 and 12345678-1234-12": "plain text, MIXED 2026-11-22 and 12345678-1234-12",
	} {
		if got := n.Text(in); got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
		}
	}
	in := value.Obj(
		value.M("MXABCDEF012", value.OfInt(1)), value.M("MXABCDEF013", value.OfInt(2)), value.M("gone", value.Value{}),
		value.M("list", value.List(value.Value{}, value.OfNumber(0))),
	)
	if got, want := n.Value(in).JSON(), `{"<UID>":1,"<UID>#2":2,"list":[null,0]}`; got != want {
		t.Errorf("Value() = %s, want %s", got, want)
	}
}
