package value

import (
	"encoding/json"
	"math"
	"testing"
)

func TestJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		v            Value
		want, indent string // indent is the form with two spaces a level
	}{
		{"absent", Value{}, "", ""},
		{"null", NullValue(), "null", "null"},
		{"booleans", List(OfBool(true), OfBool(false)), "[true,false]", "[\n  true,\n  false\n]"},
		{"no JSON form", List(OfNumber(math.NaN()), OfNumber(math.Inf(-1)), Value{}), "[null,null,null]", "[\n  null,\n  null,\n  null\n]"},
		{"negative zero", OfNumber(math.Copysign(0, -1)), "0", "0"},
		{"escapes", Of("\"\\/\b\f\n\r\t\x00\x1f\x7f"), `"\"\\/\b\f\n\r\t\u0000\u001f` + "\x7f\"", `"\"\\/\b\f\n\r\t\u0000\u001f` + "\x7f\""},
		{"nothing else is escaped", Of("<é>&\u2028😀"), "\"<é>&\u2028😀\"", "\"<é>&\u2028😀\""},
		{"invalid UTF-8", Of("a\xffb\xed\xa0\x80"), "\"a\uFFFDb\uFFFD\uFFFD\uFFFD\"", "\"a\uFFFDb\uFFFD\uFFFD\uFFFD\""},
		{"replacement character", Of("\uFFFD"), "\"\uFFFD\"", "\"\uFFFD\""},
		{"empty", List(List(), Obj()), "[[],{}]", "[\n  [],\n  {}\n]"},
		{"absent members", Obj(M("a", Value{}), M("b", OfInt(1)), M("c", Value{})), `{"b":1}`, "{\n  \"b\": 1\n}"},
		{"only absent members", Obj(M("a", Value{})), "{}", "{}"},
		{"order", Obj(M("b", OfInt(1)), M("a", Obj(M("z", OfInt(2)), M("y", List(OfInt(3)))))), `{"b":1,"a":{"z":2,"y":[3]}}`,
			"{\n  \"b\": 1,\n  \"a\": {\n    \"z\": 2,\n    \"y\": [\n      3\n    ]\n  }\n}"},
		{"quoted names", Obj(M("a\"\n", OfInt(1))), `{"a\"\n":1}`, "{\n  \"a\\\"\\n\": 1\n}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.v.JSON(); got != tt.want {
				t.Errorf("JSON() = %s, want %s", got, tt.want)
			}
			if got := tt.v.Indent("  "); got != tt.indent {
				t.Errorf("Indent() = %s, want %s", got, tt.indent)
			}
		})
	}
}

func TestAppend_KeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	dst := []byte("data: ")
	if got, want := string(Obj(M("a", Of("b"))).Append(dst)), `data: {"a":"b"}`; got != want {
		t.Errorf("Append = %s, want %s", got, want)
	}
}

func TestMarshalJSON_InAStruct(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(struct {
		Present Value `json:"present"`
		Absent  Value `json:"absent"`
	}{Present: List(OfInt(1), Of("x"))})
	if want := `{"present":[1,"x"],"absent":null}`; err != nil || string(got) != want {
		t.Errorf("json.Marshal = %s, %v, want %s", got, err, want)
	}
}
