package value

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       Value
	}{
		{"null", "null", NullValue()},
		{"true", "true", OfBool(true)},
		{"false", "false", OfBool(false)},
		{"zero", "0", OfNumber(0)},
		{"integer", "-17", OfInt(-17)},
		{"fraction", "0.1", OfNumber(0.1)},
		{"exponent", "1E+2", OfNumber(100)},
		{"small exponent", "25e-1", OfNumber(2.5)},
		{"largest exact integer", "9007199254740991", OfNumber(9007199254740991)},
		{"rounded integer", "9007199254740993", OfNumber(9007199254740992)},
		{"empty string", `""`, Of("")},
		{"text", `"héllo"`, Of("héllo")},
		{"escapes", `"\"\\\/\b\f\n\r\t"`, Of("\"\\/\b\f\n\r\t")},
		{"unicode escape", `"\u00e9\u20AC"`, Of("é€")},
		{"surrogate pair", `"\ud83d\ude00"`, Of("😀")},
		{"half a pair", `"\ud83d!"`, Of("\uFFFD!")},
		{"two first halves", `"\ud83d\ud83d"`, Of("\uFFFD\uFFFD")},
		{"first half and another escape", `"\ud83d\u0041"`, Of("\uFFFDA")},
		{"second half alone", `"\ude00"`, Of("\uFFFD")},
		{"empty array", "[]", List()},
		{"array", "[1, [2], {}]", List(OfInt(1), List(OfInt(2)), Obj())},
		{"empty object", "{ }", Obj()},
		{"object", `{"b":1,"a":{"c":null}}`, Obj(M("b", OfInt(1)), M("a", Obj(M("c", NullValue()))))},
		{"empty name", `{"":1}`, Obj(M("", OfInt(1)))},
		{"white space", "\t\r\n {\n\"a\" :\t[ 1 , 2 ] } \n", Obj(M("a", List(OfInt(1), OfInt(2))))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(tt.text)
			if err != nil {
				t.Fatalf("Parse(%q): %v", tt.text, err)
			}
			if !Equal(got, tt.want) {
				t.Errorf("Parse(%q) = %s, want %s", tt.text, got.JSON(), tt.want.JSON())
			}
			strict, err := Decode([]byte(tt.text), Limits{})
			if err != nil || !Equal(strict, tt.want) {
				t.Errorf("Decode(%q) = %s, %v, want %s", tt.text, strict.JSON(), err, tt.want.JSON())
			}
		})
	}
}

func TestParse_OutOfRange(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"1e999": "Infinity", "-1e999": "-Infinity", "1e-999": "0", "1e99999999999": "Infinity"} {
		v, err := Parse(text)
		if err != nil || v.Text() != want {
			t.Errorf("Parse(%q) = %q, %v, want %q", text, v.Text(), err, want)
		}
	}
}

func TestDecode_Faults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text, pointer, reason string
		offset                      int
	}{
		{"empty", "", "", "unexpected end of text", 0},
		{"only space", " \n", "", "unexpected end of text", 2},
		{"two values", "1 2", "", "unexpected text after the value", 2},
		{"word cut short", "tru", "", "expected a value", 0},
		{"word too long", "nullx", "", "unexpected text after the value", 4},
		{"upper case", "True", "", "expected a value", 0},
		{"NaN", "NaN", "", "expected a value", 0},
		{"byte order mark", "\ufeff1", "", "expected a value", 0},
		{"leading zero", "012", "", "unexpected text after the value", 1},
		{"plus sign", "+1", "", "expected a value", 0},
		{"minus alone", "-", "", "expected a digit", 1},
		{"point alone", "1.", "", "expected a digit after the decimal point", 2},
		{"no whole part", ".5", "", "expected a value", 0},
		{"exponent alone", "1e+", "", "expected a digit in the exponent", 3},
		{"open string", `"abc`, "", "string without an end", 4},
		{"open escape", `"abc\`, "", "string without an end", 4},
		{"unknown escape", `"\x41"`, "", "unknown escape in a string", 3},
		{"short unicode escape", `"\u12"`, "", `expected four hexadecimal digits after \u`, 3},
		{"sign in unicode escape", `"\u+123"`, "", `expected four hexadecimal digits after \u`, 3},
		{"fault in a second escape", `"\ud83d\u12"`, "", `expected four hexadecimal digits after \u`, 9},
		{"line break in a string", "\"a\nb\"", "", "control character in a string", 2},
		{"NUL in a string with escapes", "\"\\n\x00\"", "", "control character in a string", 3},
		{"invalid UTF-8", "\"a\xff\"", "", "string is not valid UTF-8", 3},
		{"invalid UTF-8 after an escape", "\"\\n\xff\"", "", "string is not valid UTF-8", 4},
		{"encoded surrogate", "\"\xed\xa0\x80\"", "", "string is not valid UTF-8", 4},
		{"open array", "[1,", "/1", "unexpected end of text", 3},
		{"trailing comma in an array", "[1,]", "/1", "expected a value", 3},
		{"no comma in an array", "[1,2 3]", "/1", "expected ',' or ']' in an array", 5},
		{"open object", `{"a":1`, "/a", "expected ',' or '}' in an object", 6},
		{"trailing comma in an object", `{"a":1,}`, "/a", "expected a member name in quotes", 7},
		{"name without quotes", "{a:1}", "/", "expected a member name in quotes", 1},
		{"no colon", `{"a" 1}`, "/a", "expected ':' after a member name", 5},
		{"no value", `{"a":}`, "/a", "expected a value", 5},
		{"single quotes", "{'a':1}", "/", "expected a member name in quotes", 1},
		{"comment", "/* */ 1", "", "expected a value", 0},
		{"duplicate", `{"a":1,"b":2,"a":3}`, "/a", `duplicate member "a"`, 16},
		{"duplicate by escape", `{"a":1,"\u0061":3}`, "/a", `duplicate member "a"`, 15},
		{"deep pointer", `{"a":[0,{"b/c~d":[1,2,x]}]}`, "/a/1/b~1c~0d/2", "expected a value", 22},
		{"pointer after a closed array", `[[1,2],[3],{"k":[[],!]}]`, "/2/k/1", "expected a value", 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Decode([]byte(tt.text), Limits{})
			syn, ok := errors.AsType[*SyntaxError](err)
			if !ok {
				t.Fatalf("Decode(%q) = %s, %v, want a SyntaxError", tt.text, got.JSON(), err)
			}
			want := SyntaxError{Offset: tt.offset, Pointer: tt.pointer, Reason: tt.reason}
			if *syn != want {
				t.Errorf("Decode(%q): got %+v, want %+v", tt.text, *syn, want)
			}
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("Decode(%q): kind %s, want %s", tt.text, fault.KindOf(err), fault.Invalid)
			}
			if !got.IsAbsent() {
				t.Errorf("Decode(%q) also returned %s, want an absent value", tt.text, got.JSON())
			}
		})
	}
}

func TestSyntaxError_Text(t *testing.T) {
	t.Parallel()
	_, err := Parse(`{"a":[1,}`)
	if got, want := err.Error(), "invalid JSON at byte 8 (/a/1): expected a value"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	_, err = Parse("")
	if got, want := err.Error(), "invalid JSON at byte 0 (/): unexpected end of text"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}

// objectOf returns the text of an object with n members k0, k1, ... and then one more member.
func objectOf(n int, last string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		b.WriteString(`"k` + strconv.Itoa(i) + `":` + strconv.Itoa(i) + `,`)
	}
	b.WriteString(`"` + last + `":"last"}`)
	return b.String()
}

func TestDecode_LongObjects(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, indexFrom - 2, indexFrom - 1, indexFrom, indexFrom + 1, 500} {
		text := objectOf(n, "z")
		for name, decode := range map[string]func() (Value, error){
			"Decode": func() (Value, error) { return Decode([]byte(text), Limits{}) },
			"Parse":  func() (Value, error) { return Parse(text) },
		} {
			v, err := decode()
			if err != nil || v.Len() != n+1 {
				t.Fatalf("%s with %d members: got %d, %v", name, n+1, v.Len(), err)
			}
			for i := range n {
				if got, _ := v.Get("k" + strconv.Itoa(i)).Num(); got != float64(i) {
					t.Errorf("%s with %d members: k%d = %v, want %d", name, n+1, i, got, i)
				}
			}
			if got := v.GetString("z"); got != "last" {
				t.Errorf("%s with %d members: z = %q, want %q", name, n+1, got, "last")
			}
			if got := v.JSON(); got != text {
				t.Errorf("%s with %d members: order was lost: got %s, want %s", name, n+1, got, text)
			}
		}
	}
	for _, n := range []int{1, indexFrom - 1, indexFrom, 500} {
		text := objectOf(n, "k0")
		if _, err := Decode([]byte(text), Limits{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("Decode of a duplicate after %d members: got %v, want %s", n, err, fault.Invalid)
		}
		v, err := Parse(text)
		if err != nil || v.Len() != n || v.GetString("k0") != "last" || v.Members()[0].Key != "k0" {
			t.Errorf("Parse of a duplicate after %d members = %s, %v, want the last k0 in the first place", n, v.JSON(), err)
		}
	}
}

func TestDecode_NamesAreExact(t *testing.T) {
	t.Parallel()
	v, err := Decode([]byte(`{"Role":"user","role":"admin"}`), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := v.GetString("role")+v.GetString("Role")+v.GetString("ROLE"), "adminuser"; got != want {
		t.Errorf("members by case: got %q, want %q", got, want)
	}
}

func TestDecode_DoesNotKeepTheText(t *testing.T) {
	t.Parallel()
	text := []byte(`{"name":"Ada"}`)
	v, err := Decode(text, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range text {
		text[i] = 'x'
	}
	if got, want := v.JSON(), `{"name":"Ada"}`; got != want {
		t.Errorf("after the text was overwritten: got %s, want %s", got, want)
	}
}
