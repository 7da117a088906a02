package apispec

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// sent is what a server reads of the request of the only operation of a document.
func sent(t *testing.T, doc *Document, text string) (*http.Request, error) {
	t.Helper()
	args, err := value.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	req, err := doc.Operations[0].Request(t.Context(), args)
	if err != nil {
		return nil, err
	}
	var wire bytes.Buffer
	if err := req.Write(&wire); err != nil {
		t.Fatalf("Write: %v", err)
	}
	got, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		t.Fatalf("ReadRequest: %v", err)
	}
	return got, nil
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, parameter, args, want string }{
		{"a text", `"name":"X-Key"`, `{"X-Key":"a b, c"}`, "a b, c"},
		{"a number", `"name":"X-Key"`, `{"X-Key":7}`, "7"},
		{"a list", `"name":"X-Key"`, `{"X-Key":["a",1,true]}`, "a,1,true"},
		{"a list in pieces", `"name":"X-Key","explode":true`, `{"X-Key":["a","b"]}`, "a,b"},
		{"an object", `"name":"X-Key"`, `{"X-Key":{"R":100,"G":200}}`, "R,100,G,200"},
		{"an object in pieces", `"name":"X-Key","explode":true`, `{"X-Key":{"R":100,"G":200}}`, "R=100,G=200"},
		{"space around", `"name":"X-Key"`, `{"X-Key":" \ta "}`, "a"},
		{"other scripts", `"name":"X-Key"`, `{"X-Key":"Zoë"}`, "Zoë"},
		{"nothing", `"name":"X-Key"`, `{}`, ""},
		{"null", `"name":"X-Key"`, `{"X-Key":null}`, ""},
		{"not declared", `"name":"X-Other"`, `{"X-Key":"a"}`, ""},
		{"written otherwise", `"name":"x-kEY"`, `{"x-kEY":"a"}`, "a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			req, err := sent(t, read(t, one("/a", "get", `{"parameters":[{"in":"header",`+tt.parameter+`}]}`)), tt.args)
			if err != nil {
				t.Fatal(err)
			}
			if got := req.Header.Get("X-Key"); got != tt.want {
				t.Errorf("X-Key is %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	const two = `{"in":"cookie","name":"a"},{"in":"cookie","name":"b"}`
	tests := []struct{ name, parameters, args, want string }{
		{"one", two, `{"b":"x"}`, "b=x"},
		{"two", two, `{"b":1,"a":"x=y"}`, "a=x=y; b=1"},
		{"a space", two, `{"a":"x y"}`, `a="x y"`},
		{"a comma", two, `{"a":"x,y"}`, `a="x,y"`},
		{"empty", two, `{"a":""}`, "a="},
		{"a list", two, `{"a":["x","y"]}`, "a=x; a=y"},
		{"a list in one", `{"in":"cookie","name":"a","explode":false}`, `{"a":["x","y"]}`, `a="x,y"`},
		{"an object", two, `{"a":{"R":1,"G":2}}`, `a="R,1,G,2"`},
		{"nothing", two, `{}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			req, err := sent(t, read(t, one("/a", "get", `{"parameters":[`+tt.parameters+`]}`)), tt.args)
			if err != nil {
				t.Fatal(err)
			}
			if got := req.Header.Get("Cookie"); got != tt.want {
				t.Errorf("Cookie is %q, want %q", got, tt.want)
			}
		})
	}
}

// TestHeaders_Injected: nothing that a model says ends a header, begins another cookie or is longer than servers take.
func TestHeaders_Injected(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxField+1)
	tests := []struct {
		in, text string
		kind     fault.Kind
	}{
		{"header", `a\r\nX-Admin: 1`, fault.Invalid}, {"header", `a\nb`, fault.Invalid}, {"header", `a\rb`, fault.Invalid},
		{"header", `a\u0000b`, fault.Invalid}, {"header", `\u007f`, fault.Invalid}, {"header", long, fault.Limit},
		{"cookie", `a; admin=1`, fault.Invalid}, {"cookie", `a\r\nb`, fault.Invalid}, {"cookie", `a\"b`, fault.Invalid},
		{"cookie", `a\\b`, fault.Invalid}, {"cookie", `ë`, fault.Invalid}, {"cookie", `a\tb`, fault.Invalid}, {"cookie", long, fault.Limit},
	}
	for _, tt := range tests {
		doc := read(t, one("/a", "get", `{"parameters":[{"in":"`+tt.in+`","name":"x"}]}`))
		if req, err := sent(t, doc, `{"x":"`+tt.text+`"}`); !fault.Is(err, tt.kind) {
			t.Errorf("%s %.20q: %v, %v; want it refused as %v", tt.in, tt.text, req, err, tt.kind)
		}
	}
}

// TestHeaders_Reserved: what makes a request what it is, and who sends it, is not for a document to declare. No model is
// offered it, and one that asks for it nevertheless is told so.
func TestHeaders_Reserved(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Host", "content-length", "Content-Type", "Accept", "AUTHORIZATION", "Transfer-Encoding", "Connection", "Cookie", "Proxy-Authorization",
		"X-Sre-Hop", "Accept-Encoding", "bad name", "X:Y", "é",
	} {
		doc := read(t, one("/a", "get", `{"parameters":[{"in":"header","name":"`+name+`","required":true},{"in":"header","name":"X-Fine"}]}`))
		if got, want := doc.Operations[0].Parameters.JSON(), `{"type":"object","properties":{"X-Fine":{"type":"string"}},"required":[]}`; got != want {
			t.Errorf("%s: the arguments are %s, want %s", name, got, want)
		}
		if req, err := sent(t, doc, `{"`+name+`":"x"}`); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "may set (leave the argument out)") {
			t.Errorf("%s: %v, %v; want it refused", name, req, err)
		}
		if req, err := sent(t, doc, `{"X-Fine":"x"}`); err != nil || req.Header.Get("X-Fine") != "x" || req.Host != "api.test" {
			t.Errorf("%s: the request without it is %v, %v", name, req, err)
		}
	}
	doc := read(t, one("/a", "get", `{"parameters":[{"in":"cookie","name":"a b"}]}`))
	if req, err := sent(t, doc, `{"a b":"x"}`); !fault.Is(err, fault.Invalid) {
		t.Errorf("a cookie whose name is none: %v, %v; want it refused", req, err)
	}
}

// Parameters of one name in several places are several arguments, and paths, queries and bodies keep the name.
func TestSameNames(t *testing.T) {
	t.Parallel()
	doc := read(t, `{"servers":[{"url":"https://api.test"}],"paths":{"/i/{id}":{
		"parameters":[{"in":"path","name":"id"},{"in":"header","name":"ID","description":"of the path"}],
		"post":{
			"parameters":[{"in":"header","name":"id","description":"own","required":true},{"in":"cookie","name":"id"},{"in":"header","name":"name"},{"in":"header","name":"key"},{"in":"header","name":"Host"}],
			"requestBody":{"content":{"application/json":{"schema":{"type":"object","required":["key"],"properties":{"name":{},"Host":{}}}}}}
		}}}}`)
	const want = `{"type":"object","properties":{"id":{"type":"string"},"name":{},"Host":{},` +
		`"id_header":{"type":"string","description":"own"},"id_cookie":{"type":"string"},"name_header":{"type":"string"},"key_header":{"type":"string"}},"required":["id","key","id_header"]}`
	if got := doc.Operations[0].Parameters.JSON(); got != want {
		t.Errorf("the arguments are %s, want %s", got, want)
	}
	req, err := sent(t, doc, `{"id":"1","id_header":"2","id_cookie":"3","name":"4","name_header":"5","Host":"6"}`)
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(req.Body); err != nil {
		t.Fatal(err)
	}
	got := []string{req.URL.Path, req.Header.Get("Id"), req.Header.Get("Cookie"), req.Header.Get("Name"), body.String(), req.Host}
	if want := `/i/1 2 id=3 5 {"name":"4","Host":"6"} api.test`; strings.Join(got, " ") != want {
		t.Errorf("sent is %q, want %q", strings.Join(got, " "), want)
	}
}
