package functions

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

// What Node.js 20 makes of broken text and bytes.
func TestRead(t *testing.T) {
	t.Parallel()
	tests := []struct{ encoding, text, want string }{
		{"base64", "YQ==YQ==", "61"},
		{"base64", "YQ=YQ", "61"},
		{"base64", "Y Q = =", "61"},
		{"base64", "YWI", "6162"},
		{"base64", "YWJj\nZGVm", "616263646566"},
		{"base64", "Y", ""},
		{"base64", "YW=Jj", "61"},
		{"base64", "_-8", "ffef"},
		{"base64url", "/+8", "ffef"},
		{"base64", "=YQ", ""},
		{"base64", "\u00e9YQ", "61"},
		{"base64", "YWJjZ", "616263"},
		{"base64", "YWJj====ZGVm", "616263"},
		{"hex", "616", "61"},
		{"hex", "6g61", ""},
		{"hex", "zz", ""},
		{"hex", "0X61", ""},
		{"hex", "61 62", "61"},
		{"HEX", "aBcD", "abcd"},
		{"hex", "6161\u00e9", "6161"},
		{"hex", "\u0131\u0131", "11"},
		{"base64", "a\u0131\u0141", "6b50"},
		{"base64", "YQ\U0001f600YQ", "61"},
		{"latin1", "\u00e9\u0161\U0001f600", "e9613d00"},
		{"binary", "a\u00ff", "61ff"},
		{"ascii", "\u00e9", "e9"},
		{"utf16le", "a\U0001f600", "61003dd800de"},
		{"ucs-2", "a", "6100"},
		{"utf8", "\u00e9", "c3a9"},
		{"UTF-8", "", ""},
	}
	for _, test := range tests {
		e := encodingNamed(test.encoding)
		if got := hex.EncodeToString(e.read(test.text)); e == unknown || got != test.want {
			t.Errorf("%s read of %q = %q, want %q", test.encoding, test.text, got, test.want)
		}
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	tests := []struct{ encoding, bytes, want string }{
		{"utf8", "e282", "\ufffd"},
		{"utf8", "e28241", "\ufffdA"},
		{"utf8", "f09f98", "\ufffd"},
		{"utf8", "c328", "\ufffd("},
		{"utf8", "eda080", "\ufffd\ufffd\ufffd"},
		{"utf8", "f4908080", "\ufffd\ufffd\ufffd\ufffd"},
		{"utf8", "c080", "\ufffd\ufffd"},
		{"utf8", "80bf", "\ufffd\ufffd"},
		{"utf8", "f0808080", "\ufffd\ufffd\ufffd\ufffd"},
		{"utf8", "f888888888", "\ufffd\ufffd\ufffd\ufffd\ufffd"},
		{"utf8", "e0a0", "\ufffd"},
		{"utf8", "efbfbd41", "\ufffdA"},
		{"utf8", "efbbbf41", "\ufeffA"},
		{"utf16le", "3dd800de41", "\U0001f600"},
		{"utf16le", "3dd8", "\ufffd"},
		{"latin1", "61e9", "a\u00e9"},
		{"ascii", "61e9", "ai"},
		{"hex", "61e9", "61e9"},
		{"base64", "fbff", "+/8="},
		{"base64url", "fbff", "-_8"},
	}
	for _, test := range tests {
		b, err := hex.DecodeString(test.bytes)
		if err != nil {
			t.Fatal(err)
		}
		e := encodingNamed(test.encoding)
		if got := e.write(b); e == unknown || got != test.want {
			t.Errorf("%s write of %s = %q, want %q", test.encoding, test.bytes, got, test.want)
		}
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	tests := []recording{
		{"no settings", `{}`, `{"Data":"h\u00e9"}`, `"h\u00e9"`, ""},
		{"null settings", `{"action":null,"encoding":null}`, `{"Data":"a"}`, `"a"`, ""},
		{"empty encoding", `{"encoding":""}`, `{"Data":"a"}`, ``, "Unknown encoding: "},
		{"empty encoding decodes UTF-8", `{"action":"Decode","encoding":""}`, `{"Data":"a"}`, `"a"`, ""},
		{"upper case", `{"encoding":"HEX"}`, `{"Data":"a"}`, `"61"`, ""},
		{"any other action decodes", `{"action":"encode","encoding":"hex"}`, `{"Data":"61"}`, `"a"`, ""},
		{"buffer", `{"encoding":"hex"}`, `{"Data":{"type":"Buffer","data":[1,255]}}`, `"01ff"`, ""},
		{"decode of an array", `{"action":"Decode","encoding":"hex"}`, `{"Data":[104,105]}`, `"hi"`, ""},
		{"numbers of every kind", `{"encoding":"hex"}`, `{"Data":[104,"105",300,-1,1.5,null,"x",true,[5],"0x10"," 7 ",1e20,"1e2",{},-1.5,"1_0","Infinity"]}`, `"68692cff01000001051007006400ff0000"`, ""},
		{"length without bytes", `{"encoding":"hex"}`, `{"Data":{"length":1e9}}`, ``, wrongFirst + "an instance of Object"},
		{"buffer without data", `{"encoding":"hex"}`, `{"Data":{"type":"Buffer","data":"x"}}`, ``, wrongFirst + "an instance of Object"},
		{"null", `{"encoding":"hex"}`, `{"Data":null}`, ``, wrongFirst + "null"},
		{"nothing", `{"encoding":"hex"}`, `{}`, ``, wrongFirst + "undefined"},
		{"boolean", `{"encoding":"hex"}`, `{"Data":true}`, ``, wrongFirst + "type boolean (true)"},
		{"decode of a number", `{"action":"Decode"}`, `{"Data":-0.0}`, ``, wrongFirst + "type number (-0)"},
	}
	for _, r := range tests {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			r.check(t, "FEncDec", "Output", &component.Call{})
		})
	}
}

// FuzzRoundTrip: what an encoding wrote it reads back, whatever the bytes.
func FuzzRoundTrip(f *testing.F) {
	for _, s := range []string{"", "a", "\xff\xfe", "h\u00e9", "\x00\x01\x02"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, name := range []string{"hex", "base64", "base64url", "latin1"} {
			e := encodingNamed(name)
			if got := e.read(e.write(b)); !bytes.Equal(got, b) {
				t.Errorf("%s gives %x back for %x", name, got, b)
			}
		}
		text := utf8Text(b)
		for _, name := range []string{"utf8", "utf16le"} {
			e := encodingNamed(name)
			if got := e.write(e.read(text)); got != text {
				t.Errorf("%s gives %q back for %q", name, got, text)
			}
		}
	})
}

// FuzzRead: no text is too broken to be read.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"", "a", "YQ==", "0x", "\xff", "\ud7ff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for e := asUTF8; e <= asBase64URL; e++ {
			if n := len(e.read(text)); n > 2*len(text) {
				t.Errorf("encoding %d makes %d bytes of %d", e, n, len(text))
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	inst := definition(b, "FEncDec").Compile(parse(b, `{"action":"Encode","encoding":"base64"}`))
	in := component.Input{Ports: []component.NodePort{{Name: "Data"}}, Values: []value.Value{value.Of("hello world")}}
	call := &component.Call{}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := inst.Run(b.Context(), call, in); err != nil {
			b.Fatal(err)
		}
	}
}
