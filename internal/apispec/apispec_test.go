package apispec

import (
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

func at(t testing.TB, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func read(t testing.TB, text string) *Document {
	t.Helper()
	doc, err := Read([]byte(text), at(t, "https://docs.test/v1/openapi.json"))
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return doc
}

// one is a document with one operation.
func one(path, method, operation string) string {
	return `{"openapi":"3.0.1","servers":[{"url":"https://api.test/base/"}],"paths":{"` + path + `":{"` + method + `":` + operation + `}}}`
}

func TestRead(t *testing.T) {
	t.Parallel()
	const shop = `{
		"openapi": "3.0.1", "info": {"title": "Shop", "description": "Sells."},
		"paths": {
			"/items/{id}": {
				"parameters": [{"name": "id", "in": "path", "schema": {"type": "string"}}],
				"get": {"operationId": "getItem", "summary": "Get", "parameters": [{"name": "full", "in": "query", "description": "all of it", "schema": {"type": "boolean"}}, {"name": "X-Key", "in": "header"}]},
				"delete": {"description": "Remove"}
			},
			"/items": {"post": {"operationId": "add item!", "requestBody": {"content": {"application/json; charset=utf-8": {"schema": {"$ref": "#/components/schemas/Item"}}}}}},
			"/upload": {"post": {"operationId": "up", "requestBody": {"required": true, "content": {"multipart/form-data": {}}}}}
		},
		"components": {"schemas": {"Item": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "part": {"$ref": "#/components/schemas/Item"}}}}}
	}`
	doc := read(t, shop)
	if doc.Title != "Shop" || doc.Description != "Sells." {
		t.Errorf("the document is %q, %q", doc.Title, doc.Description)
	}
	want := []struct{ name, method, description, parameters string }{
		{"getItem", "GET", "Get", `{"type":"object","properties":{"full":{"type":"boolean","description":"all of it"},"id":{"type":"string"},"X-Key":{"type":"string"}},"required":["id"]}`},
		{"_items__id_", "DELETE", "Remove", `{"type":"object","properties":{"id":{"type":"string"}},"required":["id"]}`},
		{"add_item_", "POST", "", `{"type":"object","properties":{"name":{"type":"string"},"part":{}},"required":["name"]}`},
	}
	if len(doc.Operations) != len(want) {
		t.Fatalf("%d operations, want %d: the upload cannot be made", len(doc.Operations), len(want))
	}
	for i, w := range want {
		o := doc.Operations[i]
		if o.Name != w.name || o.Method != w.method || o.Description != w.description || o.Parameters.JSON() != w.parameters {
			t.Errorf("operation %d is %s %s %q %s, want %v", i, o.Name, o.Method, o.Description, o.Parameters.JSON(), w)
		}
	}
}

func TestRead_YAML(t *testing.T) {
	t.Parallel()
	doc := read(t, "openapi: 3.0.1\ninfo:\n  title: Shop\nservers:\n  - url: https://api.test\npaths:\n  /a:\n    get:\n      parameters:\n        - &n {name: n, in: query, required: true, schema: {type: integer, maximum: 0x10, default: 1.5, nullable: true}}\n    delete:\n      parameters: [*n]\n")
	if doc.Title != "Shop" || len(doc.Operations) != 2 {
		t.Fatalf("document %q with %d operations", doc.Title, len(doc.Operations))
	}
	const want = `{"type":"object","properties":{"n":{"type":"integer","maximum":16,"default":1.5,"nullable":true}},"required":["n"]}`
	for _, o := range doc.Operations {
		if got := o.Parameters.JSON(); got != want {
			t.Errorf("%s has the parameters %s, want %s", o.Name, got, want)
		}
	}
}

// TestT54_InvisibleText: what people cannot see does not reach a model either, and descriptions are bounded.
func TestT54_InvisibleText(t *testing.T) {
	t.Parallel()
	doc := read(t, one("/a", "get", `{"description":"Gets\u200b\u202e\u001b[31m`+strings.Repeat("x", 1<<20)+`","parameters":[{"name":"q","in":"query","description":"\udb40\udc41q"}]}`))
	o := doc.Operations[0]
	if !strings.HasPrefix(o.Description, "Gets[31mxxx") || len(o.Description) > maxDescription+8 {
		t.Errorf("the description begins %q and has %d bytes", o.Description[:20], len(o.Description))
	}
	if got := o.Parameters.Get("properties").Get("q").GetString("description"); got != "q" {
		t.Errorf("the description of q is %q, want q", got)
	}
}

func TestRead_Refuses(t *testing.T) {
	t.Parallel()
	many := strings.Builder{}
	for i := range maxOperations + 1 {
		many.WriteString(`,"/p` + value.OfInt(i).Text() + `":{"get":{}}`)
	}
	bomb := "a: &a [1,1,1,1,1,1,1,1,1]\n"
	for c := 'b'; c < 'k'; c++ {
		p := string(c - 1)
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+p+",", 9) + "1]\n"
	}
	refs := strings.Builder{}
	for i := range 20 {
		n, next := value.OfInt(i).Text(), value.OfInt(i+1).Text()
		to := `{"$ref":"#/components/schemas/s` + next + `"}`
		refs.WriteString(`,"s` + n + `":{"allOf":[` + to + strings.Repeat(","+to, 9) + `]}`)
	}
	tests := []struct {
		name, text string
		kind       fault.Kind
		want       string
	}{
		{"a page", "<html>", fault.Invalid, "no OpenAPI document"},
		{"empty", "", fault.Invalid, "no OpenAPI document"},
		{"broken", `{"paths":`, fault.Invalid, "no OpenAPI document"},
		{"no paths", `{"openapi":"3.0.0"}`, fault.Invalid, "it has no paths"},
		{"plain text", "hello", fault.Invalid, "it has no paths"},
		{"too many operations", `{"paths":{` + many.String()[1:] + `}}`, fault.Limit, "operations"},
		{"other scheme", `{"servers":[{"url":"file:///etc"}],"paths":{"/a":{"get":{}}}}`, fault.Invalid, "no address of the web"},
		{"YAML bomb", bomb + "paths: *j\n", fault.Limit, "values"},
		{"YAML that refers to itself", "paths: &p\n  /a: *p\n", fault.Limit, "depth"},
		{"references that multiply", `{"paths":{"/a":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/s0"}}}}}}},"components":{"schemas":{` + refs.String()[1:] + `}}}`, fault.Limit, "values"},
	}
	for _, test := range tests {
		_, err := Read([]byte(test.text), at(t, "https://docs.test/"))
		if !fault.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Read = %v (%v), want %q (%v)", test.name, err, fault.KindOf(err), test.want, test.kind)
		}
	}
}

func TestServer(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, root, op, want string }{
		{"none", ``, `{}`, "https://docs.test/a"},
		{"relative", `"servers":[{"url":"/api/v2"}],`, `{}`, "https://docs.test/api/v2/a"},
		{"variables", `"servers":[{"url":"https://{who}.api.test","variables":{"who":{"default":"eu"}}}],`, `{}`, "https://eu.api.test/a"},
		{"of the operation", `"servers":[{"url":"https://x.test"}],`, `{"servers":[{"url":"https://y.test"}]}`, "https://y.test/a"},
		{"older form", `"host":"old.test","basePath":"/v1/",`, `{}`, "https://old.test/v1/a"},
		{"no user, no query", `"servers":[{"url":"https://u:p@x.test/b?k=1#f"}],`, `{}`, "https://x.test/b/a"},
	}
	for _, test := range tests {
		doc := read(t, `{`+test.root+`"paths":{"/a":{"get":`+test.op+`}}}`)
		req, err := doc.Operations[0].Request(t.Context(), value.Obj())
		if err != nil || req.URL.String() != test.want {
			t.Errorf("%s: the request goes to %v (%v), want %s", test.name, req.URL, err, test.want)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	doc := read(t, `{"paths":{"/a":{"get":{"operationId":"x"},"put":{"operationId":"x"},"post":{"operationId":"x"},"delete":{"operationId":"`+strings.Repeat("n", 100)+`"}},"/a/b":{"get":{}},"/a_b":{"get":{}},"":{"get":{},"put":{},"get put":{}}}}`)
	var got []string
	for _, o := range doc.Operations {
		got = append(got, o.Name)
	}
	want := "x x_put x_post " + strings.Repeat("n", 55) + " _a_b _a_b_get get put"
	if strings.Join(got, " ") != want {
		t.Errorf("names %q, want %q", got, want)
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	const params = `"parameters":[{"name":"id","in":"path"},{"name":"q","in":"query"},{"name":"tags","in":"query","schema":{"type":"array"}},{"name":"ids","in":"query","explode":false}]`
	const body = `"requestBody":{"content":{"KIND":{"schema":{"type":"object","properties":{"name":{"type":"string"},"n":{}}}}}}`
	tests := []struct{ name, method, op, args, url, kind, body string }{
		{"query", "get", `{` + params + `}`, `{"id":"7","q":"a b&c","tags":["x","y"],"ids":[1,2],"more":1}`, "https://api.test/base/i/7?ids=1%2C2&q=a+b%26c&tags=x&tags=y", "application/json", ""},
		{"escaped", "get", `{` + params + `}`, `{"id":"a/../b?c#d%2f{x}"}`, "https://api.test/base/i/a%2F..%2Fb%3Fc%23d%252f%7Bx%7D", "application/json", ""},
		{"JSON", "post", `{` + params + `,` + strings.Replace(body, "KIND", "application/json", 1) + `}`, `{"id":1,"name":"Ada","n":[1],"evil":true}`, "https://api.test/base/i/1", "application/json", `{"name":"Ada","n":[1]}`},
		{"form", "post", `{` + params + `,` + strings.Replace(body, "KIND", "application/x-www-form-urlencoded", 1) + `}`, `{"id":1,"name":"A&B","n":[1,2]}`, "https://api.test/base/i/1", "application/x-www-form-urlencoded", "n=1&n=2&name=A%26B"},
		{"a list as body", "put", `{` + params + `,"requestBody":{"content":{"application/json":{"schema":{"type":"array"}}}}}`, `{"id":1,"body":[1]}`, "https://api.test/base/i/1", "application/json", "[1]"},
		{"any object as body", "put", `{` + params + `,"requestBody":{"content":{"application/json":{}}}}`, `{"id":1,"a":{"b":2}}`, "https://api.test/base/i/1", "application/json", `{"a":{"b":2}}`},
	}
	for _, test := range tests {
		doc := read(t, one("/i/{id}", test.method, test.op))
		args, err := value.Parse(test.args)
		if err != nil {
			t.Fatal(err)
		}
		req, err := doc.Operations[0].Request(t.Context(), args)
		if err != nil {
			t.Errorf("%s: Request: %v", test.name, err)
			continue
		}
		sent := ""
		if req.Body != nil {
			text, err := io.ReadAll(req.Body)
			if err != nil {
				t.Fatal(err)
			}
			sent = string(text)
		}
		if req.URL.String() != test.url || req.Header.Get("Content-Type") != test.kind || sent != test.body {
			t.Errorf("%s: %s as %s with %q, want %s as %s with %q", test.name, req.URL, req.Header.Get("Content-Type"), sent, test.url, test.kind, test.body)
		}
	}
}

// TestT10_Traversal: an argument cannot leave its segment of the path, nor the server.
func TestT10_Traversal(t *testing.T) {
	t.Parallel()
	doc := read(t, one("/i/{id}/x", "get", `{"parameters":[{"name":"id","in":"path"}]}`))
	for _, id := range []string{"..", ".", "", "\x00"} {
		req, err := doc.Operations[0].Request(t.Context(), value.Obj(value.M("id", value.Of(id))))
		if err == nil && !strings.HasPrefix(req.URL.String(), "https://api.test/base/i/%00/") {
			t.Errorf("id %q goes to %s, want a refusal", id, req.URL)
		}
	}
	for _, path := range []string{"//evil.test/a", "/../../a", "@evil.test/", ":99/a"} {
		doc := read(t, one(path, "get", `{}`))
		req, err := doc.Operations[0].Request(t.Context(), value.Obj())
		if err == nil && req.URL.Host != "api.test" {
			t.Errorf("path %q goes to %s, want api.test or a refusal", path, req.URL)
		}
	}
}

func TestRequest_Refuses(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]*Document{
		"missing":                  read(t, one("/i/{id}", "get", `{"parameters":[{"name":"id","in":"path"}]}`)),
		"undeclared":               read(t, one("/i/{id}", "get", `{}`)),
		"a percent sign by itself": read(t, one("/i/%zz", "get", `{}`)),
	} {
		if req, err := doc.Operations[0].Request(t.Context(), value.Obj()); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: Request = %v, %v; want it refused", name, req, err)
		}
	}
}

// FuzzRead checks that every document ends as operations within bounds or as an error, and that what they send stays on
// their server.
func FuzzRead(f *testing.F) {
	f.Add([]byte(one("/a/{id}", "post", `{"parameters":[{"name":"id","in":"path"}],"requestBody":{"content":{"application/json":{"schema":{"type":"object"}}}}}`)), "x")
	f.Add([]byte("paths:\n  /a: &a\n    get: {}\n  /b: *a\n"), "..")
	f.Add([]byte(one("/a", "get", `{"parameters":[{"name":"X-A","in":"header"},{"name":"c","in":"cookie"},{"name":"Host","in":"header"}]}`)), "a\r\nb")
	f.Add([]byte(`{"paths":{"/a":{"$ref":"#/paths/~1a"}}}`), "")
	f.Add([]byte(`{"paths":{"":{"get":{}}}}`), "")
	f.Fuzz(func(t *testing.T, text []byte, arg string) {
		doc, err := Read(text, at(t, "https://docs.test/openapi"))
		if err != nil {
			return
		}
		names := map[string]bool{}
		for _, o := range doc.Operations {
			if names[o.Name] || o.Name == "" || len(o.Name) > maxName {
				t.Fatalf("the name %q is taken or not within bounds", o.Name)
			}
			names[o.Name] = true
			args := value.Obj()
			for _, m := range o.Parameters.Get("properties").Members() {
				args = args.With(m.Key, value.Of(arg))
			}
			req, err := o.Request(t.Context(), args)
			if err != nil {
				continue
			}
			if req.URL.Host != o.base.Host || req.Host != "" && req.Host != o.base.Host {
				t.Fatalf("%s goes to %s, not to %s", o.Name, req.URL, o.base)
			}
			for name, values := range req.Header {
				if strings.ContainsAny(name+strings.Join(values, ""), "\r\n\x00") {
					t.Fatalf("%s sends the header %q: %q", o.Name, name, values)
				}
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	var paths strings.Builder
	for i := range 50 {
		paths.WriteString(`,"/items/` + value.OfInt(i).Text() + `/{id}":{"get":{"description":"Gets","parameters":[{"name":"id","in":"path"}]},"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Item"}}}}}}`)
	}
	text := []byte(`{"paths":{` + paths.String()[1:] + `},"components":{"schemas":{"Item":{"type":"object","properties":{"name":{"type":"string"},"next":{"$ref":"#/components/schemas/Item"}}}}}}`)
	from := at(b, "https://docs.test/")
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Read(text, from); err != nil {
			b.Fatal(err)
		}
	}
}
