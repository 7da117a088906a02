package value

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
)

func nested(depth int) Value {
	v := Of("x")
	for range depth {
		v = List(v)
	}
	return v
}

// What Encode gives Decode takes, and what Decode would refuse Encode refuses.
func TestEncode(t *testing.T) {
	t.Parallel()
	limits := Limits{Bytes: 40, Depth: 3, Values: 5}
	for _, c := range []struct {
		name string
		v    Value
		want string // the code of the error, "" for none
	}{
		{"text", Of("a\n\u2028"), ""},
		{"null", NullValue(), ""},
		{"object", Obj(M("b", OfInt(1)), M("a", List(OfBool(true)))), ""},
		{"as many values", List(OfInt(1), OfInt(2), OfInt(3), OfInt(4)), ""},
		{"absent members", Obj(M("a", Value{}), M("b", Value{}), M("c", Value{}), M("d", Value{}), M("e", OfInt(1))), ""},
		{"more values", List(OfInt(1), OfInt(2), OfInt(3), OfInt(4), OfInt(5)), "LIMIT_EXCEEDED(json_values)"},
		{"as deep", nested(3), ""},
		{"deeper", nested(4), "LIMIT_EXCEEDED(json_depth)"},
		{"as long", Of(strings.Repeat("x", 38)), ""},
		{"longer", Of(strings.Repeat("x", 39)), "LIMIT_EXCEEDED(json_bytes)"},
		{"long when quoted", Of(strings.Repeat("\x01", 7)), "LIMIT_EXCEEDED(json_bytes)"},
		{"absent", Value{}, fault.Invalid.String()},
	} {
		text, err := Encode(c.v, limits)
		if c.want != "" {
			if err == nil || fault.CodeOf(err) != c.want {
				t.Errorf("%s: Encode = %v, want %s", c.name, err, c.want)
			}
			if _, derr := Decode([]byte(c.v.JSON()), limits); derr == nil {
				t.Errorf("%s: Decode takes what Encode refused", c.name)
			}
			continue
		}
		got, derr := Decode([]byte(text), limits)
		if err != nil || derr != nil || !Equal(got, c.v) {
			t.Errorf("%s: Encode = %s, %v, decoded %s, %v", c.name, text, err, got.JSON(), derr)
		}
	}
}

// Encode and Decode agree about every text.
func FuzzEncode(f *testing.F) {
	for _, s := range []string{`1`, `[[[]]]`, `[[[[1]]]]`, `{"a":[1,2,{"b":null}]}`, `"\u0001\u0002"`, `[1,2,3,4,5,6,7,8,9]`} {
		f.Add(s)
	}
	limits := Limits{Bytes: 64, Depth: 3, Values: 8}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Parse(text)
		if err != nil {
			return
		}
		out, err := Encode(v, limits)
		_, derr := Decode([]byte(v.JSON()), limits)
		if (err == nil) != (derr == nil) || err == nil && out != v.JSON() {
			t.Errorf("Encode(%s) = %q, %v, but Decode says %v", v.JSON(), out, err, derr)
		}
	})
}
