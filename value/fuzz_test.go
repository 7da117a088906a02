package value

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sre-go/sre/fault"
)

// FuzzDecode compares the decoder with encoding/json: what one accepts the other accepts, and both read the same.
// The differences are intended: limits, valid UTF-8 only, numbers out of range.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", "null", "true", "[1,2.5,-0,1e5,1E-2,1e999]", `{"a":{"b":[{},[]]},"a":2}`, `"\ud83d\ude00\ud83d\u0041\"\/"`,
		"\"\xff\"", " [ ] ", "[1,]", `{"a":1,}`, "01", "1.", "\"\n\"", strings.Repeat("[", 120) + strings.Repeat("]", 120),
		objectOf(30, "k3"), `{"a":1,"A":2,"":3}`, `[0.1,123456789012345678,1e-7]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		strict, strictErr := Decode(text, Limits{})
		got, err := Parse(string(text))
		if strictErr == nil && (err != nil || !Equal(strict, got)) {
			t.Fatalf("Decode(%q) = %s, but Parse gives %s, %v", text, strict.JSON(), got.JSON(), err)
		}
		switch {
		case err == nil && !json.Valid(text):
			t.Fatalf("Parse(%q) = %s, but the text is not JSON", text, got.JSON())
		case err != nil && json.Valid(text) && utf8.Valid(text) && !fault.Is(err, fault.Limit):
			t.Fatalf("Parse(%q): %v, but the text is JSON", text, err)
		case err != nil:
			return
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("encoding/json: %v", err)
		}
		if !same(got, want) {
			t.Errorf("Parse(%q) = %s, encoding/json reads %v", text, got.JSON(), want)
		}
		if back, err := Decode([]byte(got.JSON()), Limits{}); err != nil || back.JSON() != got.JSON() {
			t.Errorf("Parse(%q) prints as %s, which reads as %s, %v", text, got.JSON(), back.JSON(), err)
		}
		if back, err := Parse(got.Indent("\t")); err != nil || back.JSON() != got.JSON() {
			t.Errorf("Parse(%q) prints indented as %s, which reads as %s, %v", text, got.Indent("\t"), back.JSON(), err)
		}
	})
}

// same compares a Value with what encoding/json decodes into any.
func same(v Value, want any) bool {
	switch w := want.(type) {
	case nil:
		return v.IsNull()
	case bool:
		b, ok := v.Boolean()
		return ok && b == w
	case json.Number:
		n, ok := v.Num()
		parsed, _ := strconv.ParseFloat(string(w), 64) // out of range gives an infinity here too
		return ok && n == parsed
	case string:
		s, ok := v.Str()
		return ok && s == w
	case []any:
		if !v.IsArray() || v.Len() != len(w) {
			return false
		}
		for i := range w {
			if !same(v.At(i), w[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		if !v.IsObject() || v.Len() != len(w) {
			return false
		}
		for k, inner := range w {
			if !same(v.Get(k), inner) {
				return false
			}
		}
		return true
	}
	return false
}
