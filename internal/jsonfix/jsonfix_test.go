package jsonfix

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

// TestTryParse_Recorded runs what the reference answered.
func TestTryParse_Recorded(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("../conformance/testdata/cases/kernel/json-*")
	if err != nil || len(cases) == 0 {
		t.Fatalf("Glob() = %d cases, %v; want the recorded cases", len(cases), err)
	}
	for _, dir := range cases {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			ops, want := load(t, dir, "case.json").Get("ops").Items(), load(t, dir, "expected.json").Get("results").Items()
			for i, op := range ops {
				got := answer(t, op)
				if want[i].Get("undefined").Truthy() {
					if !got.IsAbsent() {
						t.Errorf("%s: got %s, want nothing", op.JSON(), got.JSON())
					}
				} else if !value.Equal(got, want[i].Get("value")) {
					t.Errorf("%s: got %s, want %s", op.JSON(), got.JSON(), want[i].JSON())
				}
			}
		})
	}
}

func answer(t *testing.T, op value.Value) value.Value {
	t.Helper()
	switch text := op.GetString("text"); {
	case op.GetString("op") == "jsonexpr":
		return op.Get("data").Lookup(op.GetString("path"))
	case op.GetString("op") != "json":
		t.Fatalf("unknown operation %s", op.JSON())
		return value.Value{}
	case op.Get("full").Truthy():
		return TryFullParse(text)
	default:
		return TryParse(text)
	}
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

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{ // want "" for a fault
		{"no quotes", `{name: Ann Lee, tags: [a b, c]}`, `{"name":"Ann Lee","tags":["a b","c"]}`},
		{"single quotes", `{'a':'it\'s'}`, `{"a":"it's"}`},
		{"apostrophe", `{'a':'it's ok'}`, `{"a":"it's ok"}`},
		{"typographic quotes", `{“a”:‘b’}`, `{"a":"b"}`},
		{"backticks", "{ `a`: `b` }", `{"a":"b"}`},
		{"quotes inside", `{"a":"He said "hi" to me"}`, `{"a":"He said \"hi\" to me"}`},
		{"quotes around everything", `{""a"":""b""}`, `{"\"a\"":"\"b\""}`},
		{"one quote too many", `{"a":"b"", "c":1}`, `{"a":"b\"","c":1}`},
		{"lost closing quote", `{"a":"b,"c":"d"}`, `{"a":"b","c":"d"}`},
		{"lost opening quote", `{a":1,b":"c"}`, `{"a":1,"b":"c"}`},
		{"lost end of a string", `{"a":"b, c`, `{"a":"b, c"}`},
		{"line break at a lost end", "{\"a\":\"b\n", `{"a":"b\n"}`},
		{"lost braces", `{"a":{"b":[1,{"c":2`, `{"a":{"b":[1,{"c":2}]}}`},
		{"braces too many", `{"a":1}}]`, `{"a":1}`},
		{"wrong brace", `{"a":[1,2}`, `{"a":[1,2]}`},
		{"lost commas", `{"a":1 "b":2, "c":["x" "y"]}`, `{"a":1,"b":2,"c":["x","y"]}`},
		{"commas too many", `{,"a":1,"b":[,1,],}`, `{"a":1,"b":[1]}`},
		{"lost colon", `{"a" "b"}`, `{"a":"b"}`},
		{"lost value", `{"a":}`, `{"a":null}`},
		{"number glued to a quote", `[1,2"x"]`, `[1,"2","x"]`},
		{"line breaks in strings", "{\"a\":\"x\ny\tz\"}", `{"a":"x\ny\tz"}`},
		{"Python", `{"a":True,"b":False,"c":None}`, `{"a":true,"b":false,"c":null}`},
		{"words that begin like keywords", `{a:true1, b:nullable, c:Nonesuch}`, `{"a":"true1","b":"nullable","c":"Nonesuch"}`},
		{"keywords without comma", `[true false null]`, `[true,false,null]`},
		{"keyword and more", `{"a":null 42}`, ""},
		{"undefined", `{"a":undefined,"b":NaN}`, `{"a":null,"b":"NaN"}`},
		{"comments", "/* x */{\"a\":1, // y\n\"b\":2}/* z", `{"a":1,"b":2}`},
		{"fence", "```json\n{\"a\":1}\n```", `{"a":1}`},
		{"JSONP", `callback({"a":1});`, `{"a":1}`},
		{"MongoDB", `{"a":NumberLong("2"),"b":ObjectId("x")}`, `{"a":"2","b":"x"}`},
		{"call of nothing", `{"a":f(`, ""},
		{"joined strings", `{"a":"x" + "y" +'z'}`, `{"a":"xyz"}`},
		{"join of nothing", `{"a":"x" +}`, `{"a":"x"}`},
		{"escaped once too often", `{\"a\":\"b\"}`, `{"a":"b"}`},
		{"stray backslash", `{"a":\b}`, ""},
		{"ellipsis", `[1,2,...,9,...]`, `[1,2,9]`},
		{"ellipsis in an object", `{"a":1,...}`, `{"a":1}`},
		{"lines", "{\"a\":1}\n{\"b\":2}\n", `[{"a":1},{"b":2}]`},
		{"lines without end", "{\"a\":1\n{\"b\":2", `[{"a":1},{"b":2}]`},
		{"list without brackets", `{"a":1},{"b":2}`, `[{"a":1},{"b":2}]`},
		{"two on one line", `{"a":1}{"b":2}`, ""},
		{"text behind", `{"a":1} x`, ""},
		{"numbers", `[1.,.5,-.5,2e,3e+,-,.,007,-1.5e3]`, `[1,0.5,-0.5,2,3,0,0,"007",-1500]`},
		{"words with digits", `[0x1F,1.2.3,12abc]`, `["0x1F","1.2.3","12abc"]`},
		{"addresses", `{a:http://x.y/z?q=1, b:c}`, `{"a":"http://x.y/z?q=1","b":"c"}`},
		{"address without end", `{"a":"http://x.y/z?q=1}`, `{"a":"http://x.y/z?q=1"}`},
		{"regular expression", `{"a":/x\/+/}`, `{"a":"/x\\/+/"}`},
		{"no-break spaces", "{\u00a0\"a\":\u20031}", `{"a":1}`},
		{"escapes", `{a:"\u00e9\t\x41\/"}`, `{"a":"é\tx41/"}`},
		{"pair of surrogates", `{a:"\ud83d\ude00"}`, `{"a":"😀"}`},
		{"half a pair", `{a:"\ud83dx\ud83d\u0041"}`, "{\"a\":\"\ufffdx\ufffdA\"}"},
		{"lost end of an escape", `{"a":"b\u12`, `{"a":"b"}`},
		{"escaped comma before a mark", `{"a":"x\," y"}`, ""},
		{"bad escape", `{a:"\u12g4"}`, ""},
		{"control character", "{a:\"\x01\"}", ""},
		{"bytes that are not UTF-8", "{a:\"\xff\",b:\xff}", "{\"a\":\"\ufffd\",\"b\":\"\ufffd\"}"},
		{"duplicate members", `{a:1,b:2,a:3}`, `{"a":3,"b":2}`},
		{"nothing", "", ""},
		{"no name", `{:1}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(test.text)
			if test.want == "" {
				if !fault.Is(err, fault.Invalid) {
					t.Errorf("Parse(%q) = %s, %v; want a fault", test.text, got.JSON(), err)
				}
			} else if err != nil || got.JSON() != test.want {
				t.Errorf("Parse(%q) = %s, %v; want %s", test.text, got.JSON(), err, test.want)
			}
		})
	}
}

func TestTryParse(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want, full string }{
		{"object", `{"a":1}`, `{"a":1}`, `{"a":1}`},
		{"blanks around", " \ufeff{'a':1}\n", `{"a":1}`, `" \ufeff{'a':1}\n"`},
		{"prose around", `Here: {a:1}. Bye`, `{"a":1}`, `"Here: {a:1}. Bye"`},
		{"widest span", `x {"a":{"b":1}} y`, `{"a":{"b":1}}`, `"x {\"a\":{\"b\":1}} y"`},
		{"list in prose", `x [1] y`, `"x [1] y"`, `"x [1] y"`},
		{"closed before opened", `}x{`, `"}x{"`, `"}x{"`},
		{"number", `12`, `"12"`, `"12"`},
		{"nothing", ``, `""`, `""`},
		{"hopeless", `{a b c}`, `"{a b c}"`,
			`{"result":"{a b c}","error":"text is not JSON and cannot be repaired: expected ':' after a member name at byte 6"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want, full := value.Value{}, value.Value{}
			for into, text := range map[*value.Value]string{&want: test.want, &full: test.full} {
				v, err := value.Parse(text)
				if err != nil {
					t.Fatal(err)
				}
				*into = v
			}
			if got := TryParse(test.text); !value.Equal(got, want) {
				t.Errorf("TryParse(%q) = %s, want %s", test.text, got.JSON(), test.want)
			}
			if got := TryFullParse(test.text); !value.Equal(got, full) {
				t.Errorf("TryFullParse(%q) = %s, want %s", test.text, got.JSON(), test.full)
			}
		})
	}
}

// FuzzParse checks that every answer is a value within the limits, that JSON is read as JSON, and that reading ends.
func FuzzParse(f *testing.F) {
	for _, piece := range hostile() {
		f.Add(piece + piece)
	}
	for _, s := range []string{`{"a":[1,{"b":null}]}`, `{'a':'it's ok'`, "{\"a\":1}\n{b:2", `callback({"a":NumberLong(2)});`, `{\"a\":\"b\"}`, `[1,...,"x"+"y"]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		exact, exactErr := value.Parse(text)
		got, err := Parse(text)
		switch {
		case exactErr == nil && (err != nil || !value.Equal(got, exact)):
			t.Fatalf("Parse(%q) = %s, %v; want %s", text, got.JSON(), err, exact.JSON())
		case err != nil:
			return
		}
		out := got.JSON()
		if !utf8.ValidString(out) {
			t.Errorf("Parse(%q) holds bytes that are not UTF-8", text)
		}
		if _, err := value.Decode([]byte(out), value.Limits{Bytes: 12*len(text) + 1024, Depth: limits.Default().JSONDepth + 1}); err != nil {
			t.Errorf("Parse(%q) gives %s, which does not decode: %v", text, out, err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	object := `{"name":"Ann","tags":["a","b"],"n":1.5,"ok":true}`
	list := func(item string) string { return "[" + strings.Repeat(item+",\n", 200) + "]" }
	for _, test := range []struct{ name, text string }{
		{"exact", strings.TrimSuffix(list(object), ",\n]") + "]"},
		{"trailing comma", list(object)},
		{"Python", list(`{'name':'Ann','tags':['a','b'],'n':1.5,'ok':True}`)},
		{"no quotes", list(`{name:Ann,tags:[a,b],n:1.5,ok:true}`)},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(test.text)))
			for b.Loop() {
				if _, err := Parse(test.text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkParse_Sizes shows that time grows with the length of the text: the rate must stay the same.
func BenchmarkParse_Sizes(b *testing.B) {
	for _, test := range []struct{ name, piece string }{
		{"lost commas", `{a:'some longer text' b:12345}, `},
		{"lost closing quotes", `{"a":"some longer text,"b":1},`},
		{"quotes inside", `{"a":"some "more" text"},`},
		{"strings read twice", `"some much longer: "text",`},
	} {
		for mib := 1; mib <= 8; mib *= 2 {
			b.Run(test.name+"/"+strconv.Itoa(mib)+"MiB", func(b *testing.B) {
				text := "[" + strings.Repeat(test.piece, mib<<20/len(test.piece)-1) + "]"
				b.ReportAllocs()
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					if v := TryParse(text); !v.IsArray() {
						b.Fatalf("TryParse() = a %s, want an array", v.Kind())
					}
				}
			})
		}
	}
}
