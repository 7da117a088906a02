package jsonschema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
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

const person = `{"type":"object","properties":{"name":{"type":"string","minLength":1},"age":{"type":"integer","minimum":0},
	"tags":{"type":"array","items":{"$ref":"#/$defs/tag"}},"sex":{"enum":["f","m",null]}},
	"required":["name"],"additionalProperties":false,"$defs":{"tag":{"type":"string","pattern":"^[a-z]+$"}}}`

func TestCheck(t *testing.T) {
	t.Parallel()
	s, err := Compile(parse(t, person))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, value, want string }{
		{"fits", `{"name":"Ada","age":36,"tags":["a","b"],"sex":null}`, ""},
		{"a number without a fraction", `{"name":"Ada","age":36.0}`, ""},
		{"missing", `{"age":3}`, "name"},
		{"wrong type", `{"name":5}`, "name"},
		{"fraction", `{"name":"a","age":3.5}`, "age"},
		{"below", `{"name":"a","age":-1}`, "minimum"},
		{"too short", `{"name":""}`, "minLength"},
		{"of a list", `{"name":"a","tags":["ok","NO"]}`, "pattern"},
		{"not listed", `{"name":"a","sex":"x"}`, "enum"},
		{"one too many", `{"name":"a","shell":"rm"}`, "shell"},
		{"no object", `[1]`, "object"},
		{"null", `null`, "object"},
	}
	for _, tt := range tests {
		err := s.Check(parse(t, tt.value))
		if tt.want == "" && err != nil || tt.want != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: Check(%s) = %v, want %q", tt.name, tt.value, err, tt.want)
		}
	}
}

func TestCompile_Refuses(t *testing.T) {
	t.Parallel()
	wide := `{"$defs":{"a0":{"type":"string"}`
	for i := 1; i < 40; i++ {
		wide += fmt.Sprintf(`,"a%d":{"allOf":[{"$ref":"#/$defs/a%d"},{"$ref":"#/$defs/a%d"}]}`, i, i-1, i-1)
	}
	wide += `},"$ref":"#/$defs/a39"}`
	for name, text := range map[string]string{
		"no object":            `5`,
		"to itself":            `{"$ref":"#"}`,
		"in a circle":          `{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"}`,
		"a tree of itself":     `{"type":"object","properties":{"left":{"$ref":"#"},"right":{"$ref":"#"}}}`,
		"twice at every level": wide,
		"remote":               `{"$ref":"http://169.254.169.254/latest"}`,
		"a file":               `{"$ref":"file:///etc/passwd"}`,
		"not there":            `{"$ref":"#/$defs/none"}`,
		"dynamic":              `{"$dynamicRef":"#x"}`,
		"another base":         `{"properties":{"a":{"$id":"http://x.test/","$ref":"#/b"}}}`,
		"pattern":              `{"pattern":"("}`,
		"keyword":              `{"properties":5}`,
		"deep":                 strings.Repeat(`{"not":`, 70) + `{}` + strings.Repeat(`}`, 70),
	} {
		if _, err := Compile(parse(t, text)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: Compile = %v, want %v", name, err, fault.Invalid)
		}
	}
}

func TestCompile_ReferencesThatEnd(t *testing.T) {
	t.Parallel()
	s, err := Compile(parse(t, `{"$defs":{"a/b":{"type":"integer"}},"properties":{"x":{"$ref":"#/$defs/a~1b"},"y":{"$ref":"#/properties/x"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(parse(t, `{"x":1,"y":2}`)); err != nil {
		t.Error(err)
	}
	if err := s.Check(parse(t, `{"y":"2"}`)); err == nil {
		t.Error("a text passes for an integer")
	}
}

// A keyword in other letters is none, and so no way around what is measured.
func TestCompile_KeywordsInOtherLetters(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"to itself":      `{"$rEf":"#"}`,
		"to itself deep": `{"properties":{"REF":{"$REF":"#"}},"items":[{"$Ref":"#/items/0"}],"anyOf":[{"not":{"$reF":"#"}},{}]}`,
		"a type":         `{"TYPE":"string","Required":["name"],"propertie\u017f":{"name":false},"minItem\u017f":5}`,
		"an id":          `{"properties":{"a":{"$ID":"http://x.test/","$ref":"#/properties/b"},"b":{}}}`,
	} {
		s, err := Compile(parse(t, text))
		if err != nil {
			t.Errorf("%s: Compile = %v", name, err)
			continue
		}
		for _, v := range []string{`5`, `{"name":{"REF":1}}`, `[[[]]]`} {
			if err := s.Check(parse(t, v)); err != nil {
				t.Errorf("%s: Check(%s) = %v, want no rule at all", name, v, err)
			}
		}
	}
	// Names are no keywords.
	s, err := Compile(parse(t, `{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"TYPE":{"type":"integer"},"$REF":{"type":"integer"}},"required":["TYPE"],"additionalProperties":false,
		"definitions":{"Type":{"minimum":1}},"dependencies":{"TYPE":["$REF"],"$REF":{"properties":{"TYPE":{"$ref":"#/definitions/Type"}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for v, fits := range map[string]bool{`{"TYPE":1,"$REF":2}`: true, `{"TYPE":0,"$REF":2}`: false, `{"TYPE":1}`: false, `{"type":1}`: false, `{"TYPE":"x","$REF":2}`: false} {
		if err := s.Check(parse(t, v)); (err == nil) != fits {
			t.Errorf("Check(%s) = %v, want it to fit: %v", v, err, fits)
		}
	}
}

func TestCoerce(t *testing.T) {
	t.Parallel()
	schema := parse(t, `{"properties":{"n":{"type":"number"},"i":{"type":"integer"},"b":{"type":"boolean"},"s":{"type":"string"},"o":{"type":"object"},"a":{"type":"array"},"any":{}}}`)
	tests := []struct{ in, want string }{
		{`{"n":"1.5","i":" 5 ","b":"True","s":7,"o":"{\"x\":1}","a":"[1]","any":"5"}`, `{"n":1.5,"i":5,"b":true,"s":"7","o":{"x":1},"a":[1],"any":"5"}`},
		{`{"n":"0x10","i":"many","b":"1","s":{"x":1},"o":"[1]","a":"{}","z":"5"}`, `{"n":"0x10","i":"many","b":"1","s":{"x":1},"o":"[1]","a":"{}","z":"5"}`},
		{`{"n":"NaN","i":"","b":"yes","s":true,"o":null,"a":5}`, `{"n":"NaN","i":"","b":"yes","s":"true","o":null,"a":5}`},
	}
	for _, tt := range tests {
		if got := Coerce(schema, parse(t, tt.in)).JSON(); got != tt.want {
			t.Errorf("Coerce(%s) = %s, want %s", tt.in, got, tt.want)
		}
	}
}

// Whatever the schema and the value are: an answer, soon, and no panic.
func FuzzCheck(f *testing.F) {
	f.Add(person, `{"name":"Ada"}`)
	f.Add(`{"$ref":"#"}`, `1`)
	f.Add(`{"oneOf":[{"type":"string"},{"not":{}}],"if":true,"then":false}`, `"x"`)
	f.Add(`{"prefixItems":[{}],"unevaluatedItems":false,"contains":{"const":1}}`, `[1,2]`)
	f.Add(`{"multipleOf":0.1,"dependentRequired":{"a":["b"]}}`, `{"a":1}`)
	f.Fuzz(func(_ *testing.T, schema, text string) {
		s, err := value.Parse(schema)
		if err != nil {
			return
		}
		c, err := Compile(s)
		if err != nil {
			return
		}
		if v, err := value.Parse(text); err == nil {
			_ = c.Check(Coerce(s, v)) // either answer is one
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	s, err := Compile(parse(b, person))
	if err != nil {
		b.Fatal(err)
	}
	v := parse(b, `{"name":"Ada","age":36,"tags":["a","b"]}`)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Check(v); err != nil {
			b.Fatal(err)
		}
	}
}
