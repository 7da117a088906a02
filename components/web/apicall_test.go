package web

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/binary"
	"github.com/sre-go/sre/internal/publicfile"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/value"
)

func TestURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	tests := []struct{ name, url, in, want string }{
		{"value", "/{{a}}", `{"a":"x"}`, "/x"},
		{"space and more", "/{{a}}", `{"a":"a b\"<é>"}`, "/a%20b%22%3C%C3%A9%3E"},
		{"plus of the author", "/?q=a+b&r={{a}}", `{"a":"c+d"}`, "/?q=a%20b&r=c+d"},
		{"missing", "/{{no}}?x={{no}}", `{}`, "/?x="},
		{"escapes stay", "/{{a}}", `{"a":"%20%2F"}`, "/%20%2F"},
		{"lone percent", "/{{a}}", `{"a":"100%"}`, "/100%25"},
		{"dots", "/a/{{a}}/c", `{"a":".."}`, "/c"},
		{"backslash", `/a\b?q=\`, `{}`, "/a/b?q=%5C"},
		{"object", "/?q={{a}}", `{"a":{"o":1}}`, "/?q=%7B%22o%22:1%7D"},
		{"path of a value", "/{{a.b[1]}}", `{"a":{"b":[0,"z"]}}`, "/z"},
		{"fragment", "/a#b", `{}`, "/a"},
		{"spaces around", "/a  ", `{}`, "/a"},
		{"not expanded again", "/{{a}}", `{"a":"{{b}}","b":"secret"}`, "/%7B%7Bb%7D%7D"},
	}
	for _, tt := range tests {
		settings := value.Obj(value.M("method", value.Of("GET")), value.M("url", value.Of(w.url+tt.url)), value.M("contentType", value.Of("none")))
		out, err := w.run(settings.JSON(), tt.in)
		if err != nil || out.GetString("Response") != tt.want {
			t.Errorf("%s: %s, %v, want %q", tt.name, out.JSON(), err, tt.want)
		}
	}
}

func TestURL_Wrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	tests := []struct{ name, url, want string }{
		{"empty", "{{no}}", "Invalid URL"},
		{"no URL", "not a url", "Invalid URL"},
		{"no host", "http:///x", "Invalid URL"},
		{"relative", "//x/y", "Invalid URL"},
		{"two readings", "http://a b/", "Invalid URL"},
		{"host from the vault", "http://{{KEY(host)}}/", "the host of the URL must not be a key of the vault"},
	}
	w.secrets["host"] = newSecret("x.test")
	for _, tt := range tests {
		out, err := w.run(`{"method":"GET","url":`+value.Of(tt.url).JSON()+`}`, `{}`)
		if !fault.Is(err, fault.Invalid) || err.Error() != tt.want {
			t.Errorf("%s: %s, %v, want %q", tt.name, out.JSON(), err, tt.want)
		}
	}
	for url, want := range map[string]string{"ftp://x/y": "Unsupported protocol ftp:", "mailto:a@b": "Unsupported protocol mailto:"} {
		out, err := w.run(`{"method":"GET","url":"`+url+`"}`, `{}`)
		if got := out.JSON(); err != nil || got != `{"Response":null,"Headers":{},"_error":"`+want+`"}` {
			t.Errorf("%s: %s, %v, want %q", url, got, err, want)
		}
	}
}

// TestT07_LineInjection: what stands in a value cannot end a line of the request. Nothing is sent, and the field is named.
func TestT07_LineInjection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const evil = `{"a":"x\r\nHost: evil","n":"x\nX-Evil: 1"}`
	tests := []struct{ name, settings, field string }{
		{"URL", `"url":"URL/{{a}}"`, "URL"},
		{"query", `"url":"URL/?q={{n}}"`, "URL"},
		{"header value", `"url":"URL/","headers":{"X-A":"{{a}}"}`, "header X-A"},
		{"header value in text", `"url":"URL/","headers":"{\"X-A\":\"{{n}}\"}"`, "header X-A"},
		{"header name", `"url":"URL/","headers":{"{{a}}":"v"}`, "name of a header"},
		{"Host", `"url":"URL/","headers":{"Host":"evil.test"}`, "header Host"},
		{"Content-Length", `"url":"URL/","headers":{"content-length":"0"}`, "header Content-Length"},
		{"Transfer-Encoding", `"url":"URL/","headers":{"Transfer-Encoding":"chunked"}`, "header Transfer-Encoding"},
		{"Connection", `"url":"URL/","headers":{"Connection":"X-A"}`, "header Connection"},
		{"field of a form", `"url":"URL/","contentType":"multipart/form-data","body":{"{{a}}":"v"}`, "the name of a field"},
		{"name of a file", `"url":"URL/","contentType":"multipart/form-data","body":{"f":{"url":"data:text/plain;base64,aGk=","mimetype":"text/plain","name":"a\r\nX: 1"}}`, "the name of a file"},
	}
	for _, tt := range tests {
		out, err := w.run(`{"method":"POST",`+strings.ReplaceAll(tt.settings, "URL", w.url)+`}`, evil)
		text := out.GetString(component.KeyError)
		if err != nil {
			text = err.Error()
		}
		if !strings.Contains(text, tt.field) {
			t.Errorf("%s: %s, %v, want an error that names %q", tt.name, out.JSON(), err, tt.field)
		}
	}
	if n := w.count(); n != 0 {
		t.Errorf("%d requests were sent, want none: %v", n, w.last())
	}
}

// TestT07_QuotesStay: a value that stands between quotes cannot end the string that it was put into.
func TestT07_QuotesStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, evil := range []string{`","admin":"1`, `\","admin":"1`, `\\","admin":"1`, `\`, `\u0022,"admin":"1`, "'},{'admin':'1", "}}{{a}}", "\n", "\u2028", `"`} {
		in := value.Obj(value.M("a", value.Of(evil))).JSON()
		for _, body := range []string{`{"a":"{{a}}"}`, `{ "x" : [ "{{a}}" ], 'a': '{{a}}' }`, `{"a" : "{{a}}",}`} {
			settings := value.Obj(value.M("method", value.Of("POST")), value.M("url", value.Of(w.url)), value.M("contentType", value.Of("application/json")), value.M("body", value.Of(body)))
			if _, err := w.run(settings.JSON(), in); err != nil {
				t.Errorf("%q in %s: %v", evil, body, err)
				continue
			}
			got, err := value.Parse(w.last().body)
			if err != nil || got.GetString("a") != evil || got.Has("admin") {
				t.Errorf("%q in %s was sent as %s", evil, body, w.last().body)
			}
		}
		for _, headers := range []string{`{"X-A":"{{a}}"}`} {
			if strings.ContainsAny(evil, "\n") {
				continue
			}
			settings := value.Obj(value.M("method", value.Of("GET")), value.M("url", value.Of(w.url)), value.M("headers", value.Of(headers)))
			if _, err := w.run(settings.JSON(), in); err != nil || w.last().header.Get("X-A") != evil || w.last().header.Get("Admin") != "" {
				t.Errorf("%q in headers was sent as %v, %v", evil, w.last().header, err)
			}
		}
	}
}

// TestT28_SecondExpansion: what arrives in a value is data, wherever it is put.
func TestT28_SecondExpansion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.secrets["canary"] = newSecret("CANARY")
	for _, evil := range []string{"{{KEY(canary)}}", "{{other}}", "{{VAULTINPUT:A:[1]}}", "}}{{KEY(canary)}}{{", "{{{{KEY(canary)}}}}", "KEY(canary)"} {
		in := value.Obj(value.M("a", value.Of(evil)), value.M("other", value.Of("CANARY"))).JSON()
		for _, settings := range []string{
			`"url":"URL/?q={{a}}"`, `"url":"URL/","headers":{"X-A":"{{a}}"}`, `"url":"URL/","headers":"{{a}}"`, `"url":"URL/","contentType":"text/plain","body":"{{a}}"`,
			`"url":"URL/","contentType":"application/json","body":"{\"a\":\"{{a}}\"}"`, `"url":"URL/","contentType":"application/json","body":"{{a}}"`,
			`"url":"URL/","contentType":"application/x-www-form-urlencoded","body":{"a":"{{a}}"}`, `"url":"URL/","contentType":"multipart/form-data","body":"{\"a\":\"{{a}}\"}"`,
			`"url":"URL/","contentType":"application/xml","body":"<a>{{a}}</a>"`, `"url":"URL/","contentType":"none","body":"{{a}}"`, `"url":"URL/","contentType":"binary","body":"{{a}}"`,
		} {
			out, err := w.run(`{"method":"POST",`+strings.ReplaceAll(settings, "URL", w.url)+`}`, in)
			last := w.last()
			if text := last.uri + last.body + strings.Join(last.header.Values("X-A"), ""); strings.Contains(text+out.JSON(), "CANARY") {
				t.Errorf("%q in %s was sent as %s, %v", evil, settings, text, err)
			}
		}
	}
}

func TestBody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	tests := []struct{ name, contentType, body, in, want, wantType string }{
		{"JSON", "application/json", `{"a":"{{a}}","n":{{n}}}`, `{"a":"x\"\\\n","n":5}`, `{"a":"x\"\\\n","n":5}`, "application/json"},
		{"JSON from a text", "application/json", `{{a}}`, `{"a":"[1, 2]"}`, `[1,2]`, "application/json"},
		{"JSON number", "application/json", `{{n}}`, `{"n":5}`, `5`, "application/json"},
		{"JSON without a body", "application/json", ``, `{}`, ``, "application/json"},
		{"JSON of nothing", "application/json", `{{no}}`, `{}`, ``, "application/json"},
		{"form", "application/x-www-form-urlencoded", `{"a":"{{a}}","o":{"x":[1]},"b":true}`, `{"a":"x&y= z"}`, `a=x%26y%3D+z&o=%7B%22x%22%3A%5B1%5D%7D&b=true`, "application/x-www-form-urlencoded"},
		{"form as text", "application/x-www-form-urlencoded", `a={{a}}`, `{"a":"x"}`, `a=x`, "application/x-www-form-urlencoded"},
		{"text", "text/plain", `say "{{a}}"`, `{"a":"\"hi\""}`, `say ""hi""`, "text/plain"},
		{"XML", "application/xml", `<a b="{{a}}">{{n}}</a>`, `{"a":"<&'\"","n":1}`, `<a b="&lt;&amp;&apos;&quot;">1</a>`, "application/xml"},
		{"none", "none", `as {{a}} is`, `{"a":"x"}`, `as {{a}} is`, "application/x-www-form-urlencoded"},
		{"binary without a file", "binary", `{{a}}`, `{"a":"x"}`, ``, "binary"},
	}
	for _, tt := range tests {
		settings := value.Obj(value.M("method", value.Of("POST")), value.M("url", value.Of(w.url)), value.M("contentType", value.Of(tt.contentType)), value.M("body", value.Of(tt.body)))
		_, err := w.run(settings.JSON(), tt.in)
		if got := w.last(); err != nil || got.body != tt.want || got.header.Get("Content-Type") != tt.wantType {
			t.Errorf("%s: sent %q as %q, %v, want %q as %q", tt.name, got.body, got.header.Get("Content-Type"), err, tt.want, tt.wantType)
		}
	}
	if _, err := w.run(`{"method":"POST","url":"`+w.url+`","contentType":"application/json","body":{"a":["{{a}}",1]}}`, `{"a":"x"}`); err != nil || w.last().body != `{"a":["x",1]}` {
		t.Errorf("an object as the body: sent %q, %v", w.last().body, err)
	}
}

func TestMultipart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	call := &component.Call{Scope: w.scope(), Agent: &component.Agent{ID: "one"}, Effects: w.clock}
	stored, err := binary.Store(t.Context(), call, binary.File{Name: "f.png", MIME: "image/png", Data: []byte("\x89PNG")})
	if err != nil {
		t.Fatal(err)
	}
	inline := value.Obj(value.M("url", value.Of("data:text/csv;base64,"+base64.StdEncoding.EncodeToString([]byte("a,b")))), value.M("mimetype", value.Of("text/csv")), value.M("name", value.Of(`x "y".csv`)))
	in := value.Obj(value.M("p", stored), value.M("list", value.List(stored, inline)), value.M("t", value.Of("x")))
	settings := `{"method":"POST","url":"` + w.url + `","contentType":"multipart/form-data","body":"{\"p\":\"{{p}}\",\"bare\":{{p}},\"l\":\"{{list}}\",\"t\":\"a {{t}}\",\"n\":0,\"no\":\"{{no}}\",\"z\":null}"}`
	if out, err := w.run(settings, in.JSON()); err != nil {
		t.Fatalf("run: %s, %v", out.JSON(), err)
	}
	_, params, err := mime.ParseMediaType(w.last().header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for r := multipart.NewReader(strings.NewReader(w.last().body), params["boundary"]); ; {
		part, err := r.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, part.FormName()+"|"+part.FileName()+"|"+part.Header.Get("Content-Type")+"|"+string(data))
	}
	want := []string{"p|f.png|image/png|\x89PNG", "bare|f.png|image/png|\x89PNG", "l|f.png|image/png|\x89PNG", "l|x %22y%22.csv|text/csv|a,b", "t|||a x", "n|||0"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("sent\n%q\nwant\n%q", got, want)
	}
	if _, err := w.run(strings.Replace(settings, `{\"p\":\"{{p}}\"`, `[`, 1), in.JSON()); !fault.Is(err, fault.Invalid) {
		t.Errorf("a body that is no object: %v, want kind %v", err, fault.Invalid)
	}
	if _, err := w.run(`{"method":"POST","url":"`+w.url+`","contentType":"binary","body":"{{p}}"}`, in.JSON()); err != nil || w.last().body != "\x89PNG" || w.last().header.Get("Content-Type") != "image/png" {
		t.Errorf("binary: sent %q as %q, %v", w.last().body, w.last().header.Get("Content-Type"), err)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	answers := map[string][2]string{
		"/json": {"application/json; charset=utf-8", `{"a":[1]}`}, "/problem": {"application/problem+json", `{"t":1}`}, "/bom": {"application/json", "\xEF\xBB\xBF[1]"},
		"/text": {"text/csv", "a,b"}, "/latin": {"text/plain; charset=ISO-8859-1", "\xfc"}, "/bad": {"text/plain", "a\xff"}, "/none": {"", "plain"}, "/js": {"application/javascript", "x"},
		"/audio": {"audio/mpeg", "ID3"}, "/unknown": {"application/weird", "\x00\x01"}, "/words": {"application/weird", "words"}, "/wrong": {"nonsense;;", "words"}, "/blank": {"application/json", " \n"},
	}
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		a := answers[r.URL.Path]
		rw.Header()["Content-Type"] = []string{a[0]}
		if a[0] == "" {
			rw.Header()["Content-Type"] = nil
		}
		_, _ = io.WriteString(rw, a[1])
	})
	tests := []struct{ path, want string }{
		{"/json", `{"a":[1]}`}, {"/problem", `{"t":1}`}, {"/bom", `[1]`}, {"/text", `"a,b"`}, {"/latin", `"ü"`}, {"/bad", `"a` + "\uFFFD" + `"`}, {"/none", `"plain"`}, {"/js", `"x"`},
		{"/words", `"words"`}, {"/wrong", `"words"`}, {"/blank", `{}`},
	}
	for _, tt := range tests {
		out, err := w.run(`{"method":"GET","url":"`+w.url+tt.path+`"}`, `{}`)
		if got := out.Get("Response").JSON(); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v, want %s", tt.path, got, err, tt.want)
		}
	}
	for path, ending := range map[string]string{"/audio": ".mp3", "/unknown": ""} {
		out, err := w.run(`{"method":"GET","url":"`+w.url+path+`"}`, `{}`)
		file := out.Get("Response")
		if err != nil || !binary.IsObject(file) || !strings.HasSuffix(file.GetString("name"), ending) {
			t.Errorf("%s: %s, %v, want a file whose name ends in %q", path, out.JSON(), err, ending)
			continue
		}
		c := &component.Call{Scope: w.scope(), Agent: &component.Agent{ID: "one"}, Effects: w.clock}
		files, err := binary.From(t.Context(), c, file, "f")
		if err != nil || len(files) != 1 || string(files[0].Data) != answers[path][1] {
			t.Errorf("%s: stored %v, %v, want %q", path, files, err, answers[path][1])
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			select {
			case <-hold:
			case <-r.Context().Done():
			}
			return
		}
		rw.Header().Set("Location", "/again")
		rw.WriteHeader(http.StatusFound)
	})
	t.Cleanup(func() { close(hold) })
	tests := []struct{ name, settings, want string }{
		{"redirects", `"url":"URL/"`, "Maximum number of redirects exceeded"},
		{"refused", `"url":"http://127.0.0.1:1/"`, "connect ECONNREFUSED 127.0.0.1:1"},
		{"too slow", `"url":"URL/slow","timeout":0.02`, "timeout of 20ms exceeded"},
	}
	for _, tt := range tests {
		out, err := w.run(`{"method":"GET",`+strings.ReplaceAll(tt.settings, "URL", w.url)+`}`, `{}`)
		if want := `{"Response":null,"Headers":{},"_error":"` + tt.want + `"}`; err != nil || out.JSON() != want {
			t.Errorf("%s: %s, %v, want %s", tt.name, out.JSON(), err, want)
		}
	}
	if _, err := w.run(`{"method":"GET","url":"`+w.url+`"}`, `{}`, func(c *component.Call) { c.HTTP = nil }); !fault.Is(err, fault.Unsupported) {
		t.Errorf("without a way out: %v, want kind %v", err, fault.Unsupported)
	}
	if _, err := w.run(`{"method":"GET","url":"`+w.url+`","proxy":"not a proxy"}`, `{}`); err == nil || err.Error() != "Invalid URL" {
		t.Errorf("a proxy that is none: %v, want Invalid URL", err)
	}
	if out, err := w.run(`{"method":"GET","url":"`+w.url+`","proxy":"socks4://127.0.0.1:1"}`, `{}`); err != nil || !strings.Contains(out.GetString("_error"), "proxy-scheme") {
		t.Errorf("a proxy of another kind: %s, %v, want an error of the rule proxy-scheme", out.JSON(), err)
	}
}

// TestRedirect_LeavesTracesBehind: a request that is sent on does not tell where it comes from, nor of a body it no
// longer has.
func TestRedirect_LeavesTracesBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/end" {
			rw.Header().Set("Location", "/end")
			rw.WriteHeader(http.StatusFound)
		}
	})
	if _, err := w.run(`{"method":"POST","url":"`+w.url+`/start?secret=1","contentType":"application/json","body":"[1]","headers":{"X-A":"1"}}`, `{}`); err != nil {
		t.Fatal(err)
	}
	got := w.last()
	if got.method != "GET" || got.uri != "/end" || got.header.Get("Content-Type") != "" || got.header.Get("Referer") != "" || got.header.Get("X-A") != "1" {
		t.Errorf("the second request is %+v", got)
	}
}

// TestBasic: the user of an address becomes credentials, with a key of the vault too.
func TestBasic(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.secrets["k"] = newSecret("p@ss")
	for user, want := range map[string]string{"u:p": "u:p", "u:{{KEY(k)}}": "u:p@ss", "{{KEY(k)}}": "p@ss:"} {
		_, err := w.run(`{"method":"GET","url":"`+strings.Replace(w.url, "://", "://"+user+"@", 1)+`/x"}`, `{}`)
		if got := w.last().header.Get("Authorization"); err != nil || got != "Basic "+base64.StdEncoding.EncodeToString([]byte(want)) {
			t.Errorf("%s: sent %q, %v, want the credentials %s", user, got, err, want)
		}
	}
	if _, err := w.run(`{"method":"GET","url":"`+strings.Replace(w.url, "://", "://u:p@", 1)+`/x","headers":{"authorization":"mine"}}`, `{}`); err != nil || w.last().header.Get("Authorization") != "mine" {
		t.Errorf("beside other credentials: sent %q, %v, want those", w.last().header.Get("Authorization"), err)
	}
}

// TestStoredFilesInURL: a service fetches stored files by addresses that end with the call.
func TestStoredFilesInURL(t *testing.T) {
	t.Parallel()
	var w *world
	fetched := make(chan *httptest.ResponseRecorder, 2)
	fetch := func(address string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		files := publicfile.NewHandler(func(c access.Candidate) scope.Scope { return scope.New(w.services, c) })
		files.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, strings.TrimPrefix(address, "http://nullrouter.local"), nil))
		return rec
	}
	w = newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		fetched <- fetch(r.URL.Query().Get("file"))
		rw.WriteHeader(http.StatusTeapot)
	})
	call := &component.Call{Scope: w.scope(), Agent: &component.Agent{ID: "one"}, Effects: w.clock}
	stored, err := binary.Store(t.Context(), call, binary.File{Name: "f.png", MIME: "image/png", Data: []byte("\x89PNG")})
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.run(`{"method":"GET","url":"`+w.url+`/?a=1&file={{f}}&b=2"}`, value.Obj(value.M("f", stored.Get("url"))).JSON())
	if err != nil || out.GetString(component.KeyError) != "Request failed with status code 418" {
		t.Fatalf("run: %s, %v", out.JSON(), err)
	}
	if got := <-fetched; got.Code != 200 || got.Body.String() != "\x89PNG" {
		t.Errorf("during the call: status %d, %q", got.Code, got.Body)
	}
	address, _, _ := strings.Cut(strings.TrimPrefix(w.last().uri, "/?a=1&file="), "&")
	plain, err := url.QueryUnescape(address)
	if err != nil || !strings.HasPrefix(plain, "http://nullrouter.local/_temp/") || !strings.HasSuffix(w.last().uri, "&b=2") {
		t.Errorf("sent %s, %v", w.last().uri, err)
	}
	if got := fetch(plain); got.Code != http.StatusNotFound {
		t.Errorf("after the call: status %d", got.Code)
	}
	n := w.count()
	for _, file := range []string{"smythfs://blue.team/x/f", "smythfs://one.agent/none", "smythfs://one.agent/../x", "smythfs://"} {
		if out, err := w.run(`{"method":"GET","url":"`+w.url+`/?file={{f}}"}`, `{"f":"`+file+`"}`); err == nil || w.count() != n {
			t.Errorf("%s: %s after %d requests, want it refused", file, out.JSON(), w.count()-n)
		}
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	target := newWorld(t, nil)
	proxy := newWorld(t, nil) // shows what it is asked
	out, err := target.run(`{"method":"GET","url":"`+target.url+`/x","proxy":"`+strings.Replace(proxy.url, "http://", "http://u:p@", 1)+`\n"}`, `{}`)
	if got := proxy.last(); err != nil || got.uri != target.url+"/x" || target.count() != 0 {
		t.Errorf("run: %s, %v; the proxy was asked for %q, want the target", out.JSON(), err, got.uri)
	}
}

// TestLog: the log of a call shows what was sent, with keys and credentials left out.
func TestLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.secrets["k"] = newSecret("CANARY")
	var log string
	_, err := w.run(`{"method":"POST","url":"`+w.url+`/?k={{KEY(k)}}","contentType":"text/plain","body":"{{KEY(k)}} hello","headers":{"Authorization":"Bearer token"}}`, `{}`, func(c *component.Call) {
		c.Sink = func(_, message string) { log += message + "\n" }
	})
	if err != nil || !strings.HasPrefix(log, "=== API Call Log ===\n") || !strings.Contains(log, "hello") || strings.Contains(log, "Bearer token") {
		t.Errorf("log %q, %v", log, err)
	}
	if before, _, _ := strings.Cut(log, "Response"); strings.Contains(before, "CANARY") {
		t.Errorf("the log shows a key: %q", before)
	}
}

func BenchmarkLenient(b *testing.B) {
	w := newWorld(b, nil)
	in := component.Input{Ports: []component.NodePort{{Name: "a"}}, Values: []value.Value{value.Of("some text of a value")}}
	t := newTexts(&component.Call{Scope: w.scope(), Node: &component.Node{}, Effects: w.clock}, in, value.Value{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := t.lenient(b.Context(), `{"a":"{{a}}","b":["{{a}}",{"c":1}]}`); err != nil {
			b.Fatal(err)
		}
	}
}
