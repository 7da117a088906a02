package infer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/jsonfix"
	"github.com/sre-go/sre/value"
)

// TestConvert_Recorded runs what the reference answered for every declared type.
func TestConvert_Recorded(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("../conformance/testdata/cases/kernel/infer-*")
	if err != nil || len(cases) == 0 {
		t.Fatalf("Glob() = %d cases, %v; want the recorded cases", len(cases), err)
	}
	for _, dir := range cases {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			given, want := load(t, dir, "case.json").Get("ops").Items(), load(t, dir, "expected.json").Get("results").Items()
			for i, op := range given {
				in := op.Get("inputs").Get("v")
				var got value.Value
				if !in.Truthy() {
					got = result(in, nil)
				} else {
					got = result(TypeOf(op.Get("config").At(0).GetString("type")).Convert(in))
				}
				if !value.Equal(got, want[i]) {
					t.Errorf("%s: got %s, want %s", op.JSON(), got.JSON(), want[i].JSON())
				}
			}
		})
	}
}

// TestConvert_Endpoint follows the inputs of recorded agents through their endpoint and their output: each converts its
// input, and between them the endpoint reads texts that hold an object.
func TestConvert_Endpoint(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("../conformance/testdata/cases/endpoint/type-*")
	if err != nil || len(cases) == 0 {
		t.Fatalf("Glob() = %d cases, %v; want the recorded cases", len(cases), err)
	}
	for _, dir := range cases {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			components := load(t, dir, "agent.smyth").Get("components")
			requests, want := load(t, dir, "case.json").Get("requests").Items(), load(t, dir, "expected.json").Get("responses").Items()
			for i, request := range requests {
				in := request.Lookup("body.v")
				got, err := in, error(nil)
				for c, component := range components.Items() {
					if got.Truthy() && err == nil {
						got, err = TypeOf(component.Lookup("inputs[0].type").Text()).Convert(got)
					}
					s, _ := got.Str()
					if s = strings.TrimSpace(s); c == 0 && strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") {
						got = jsonfix.TryParse(s)
					}
				}
				data := want[i].Get("data")
				if err != nil {
					message := data.Lookup("result._error")
					if message.IsAbsent() {
						message = data
					}
					if message.Text() != err.Error() {
						t.Errorf("%s: got error %q, want %s", in.JSON(), err, data.JSON())
					}
				} else if !value.Equal(got, data.Get("v")) {
					t.Errorf("%s: got %s, want %s", in.JSON(), got.JSON(), data.JSON())
				}
			}
		})
	}
}

func TestTypeOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		want   Type
		binary bool
	}{
		{"Text", Text, false}, {"STRING", Text, false}, {"number", Number, false}, {"Integer", Integer, false},
		{"Boolean", Boolean, false}, {"Array", Array, false}, {"Object", Object, false}, {"Date", Date, false},
		{"Any", Any, false}, {"", Any, false}, {"DateTime", Any, false}, {"Picture", Any, false},
		{"Binary", Binary, true}, {"image", Image, true}, {"Audio", Audio, true}, {"Video", Video, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := TypeOf(test.name)
			if got != test.want || got.IsBinary() != test.binary {
				t.Errorf("TypeOf(%q) = %d, binary %t; want %d, %t", test.name, got, got.IsBinary(), test.want, test.binary)
			}
		})
	}
}

func TestConvert_Numbers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		as       Type
		want     string // "" for an error
	}{
		{"leading point", ".5x", Number, "0.5"},
		{"trailing point", "5.", Number, "5"},
		{"exponent without digits", "1e", Number, "1"},
		{"plus", "+7", Number, "7"},
		{"two signs", "--7", Number, ""},
		{"too large", "1e999", Number, "null"},
		{"minus infinity", " -Infinity", Number, "null"},
		{"no number", "e5", Number, ""},
		{"byte order mark is white space", "\uFEFF4", Number, "4"},
		{"hexadecimal", "-0x1F", Integer, "-31"},
		{"hexadecimal without digits", "0x", Integer, ""},
		{"more digits than a number holds", "12345678901234567890", Integer, "12345678901234567000"},
		{"fraction", "3.9", Integer, "3"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := test.as.Convert(value.Of(test.in))
			if test.want == "" {
				if !fault.Is(err, fault.Invalid) {
					t.Errorf("Convert(%q) = %s, %v; want a fault", test.in, got.JSON(), err)
				}
			} else if err != nil || got.JSON() != test.want {
				t.Errorf("Convert(%q) = %s, %v; want %s", test.in, got.JSON(), err, test.want)
			}
		})
	}
}

// TestConvert_FilesStay: reading a file is an effect, so inputs that are files pass unchanged.
func TestConvert_FilesStay(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Binary", "Image", "Audio", "Video", "Any", "Unheard of"} {
		for _, in := range []value.Value{value.Of("smythfs://other.team/agent/f.txt"), value.Of("12"), value.List(value.OfInt(1)), value.Obj()} {
			if got, err := TypeOf(name).Convert(in); err != nil || !value.Equal(got, in) {
				t.Errorf("%s: Convert(%s) = %s, %v; want it unchanged", name, in.JSON(), got.JSON(), err)
			}
		}
	}
}

func result(v value.Value, err error) value.Value {
	if err != nil {
		return value.Obj(value.M("error", value.Of(err.Error())))
	}
	return value.Obj(value.M("value", value.Obj(value.M("v", v))))
}

func load(t *testing.T, dir, name string) value.Value {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	v, err := value.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func FuzzConvert(f *testing.F) {
	for _, s := range []string{"", "12abc", "0x1f", "-Infinity", "2024-13-45", "Dec 25, 1995 10:00 PM +0200", "[1,", "{'a':1}", "TRUE"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for typ := Any; typ <= Video; typ++ {
			v, err := typ.Convert(value.Of(s))
			if err == nil && v.IsAbsent() {
				t.Errorf("type %d: Convert(%q) gave nothing", typ, s)
			}
		}
	})
}

func BenchmarkConvert(b *testing.B) {
	tests := []struct {
		name string
		as   Type
		in   value.Value
	}{
		{"text", Text, value.Of("hello")}, {"text of number", Text, value.OfInt(12)}, {"number", Number, value.Of("12.5")},
		{"integer", Integer, value.Of("12")}, {"boolean", Boolean, value.Of("TRUE")}, {"array", Array, value.Of("a,b,c")},
		{"object", Object, value.Of(`{"a":{"b":[1,2,3]}}`)},
	}
	for _, test := range tests {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := test.as.Convert(test.in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
