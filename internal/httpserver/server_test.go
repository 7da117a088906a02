package httpserver

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/agent"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

func TestNew_Refuses(t *testing.T) {
	t.Parallel()
	agents := agent.NewManager(agent.Config{})
	tests := []struct {
		name string
		cfg  Config
		want string
	}{
		{"no agents", Config{Open: true}, "set Agents"},
		{"no token", Config{Agents: agents}, "give it a token"},
		{"short token", Config{Agents: agents, Token: secret.New("short")}, "16 to 512"},
		{"token with a blank", Config{Agents: agents, Token: secret.New("a token with some blanks")}, "without blanks"},
		{"token with a line", Config{Agents: agents, Open: true, Token: secret.New("0123456789abcdef\n")}, "without blanks"},
	}
	for _, tt := range tests {
		_, err := New(tt.cfg)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: New() error = %v, want one with %q", tt.name, err, tt.want)
		}
		if err != nil && !tt.cfg.Token.IsZero() && strings.Contains(err.Error(), tt.cfg.Token.Reveal()) {
			t.Errorf("%s: the error holds the token", tt.name)
		}
	}
}

func TestRoutes_OneAgent(t *testing.T) {
	t.Parallel()
	w := serve(t, nil)
	w.load("hello", `"version":"1.0.0","description":"Greets.",`, part{endpoint: "greet"}, part{endpoint: "look", method: "GET"})
	tests := []struct {
		name, method, path, body, header string
		status                           int
		want                             string // within the body
	}{
		{"skill", "POST", "/api/greet", `{"name":"Ada"}`, asJSON, 200, `"body":{"name":"Ada"}`},
		{"by id", "POST", "/agents/hello/api/greet", `{"name":"Ada"}`, asJSON, 200, `"body":{"name":"Ada"}`},
		{"with version", "POST", "/v1/api/greet", `{"name":"Ada"}`, asJSON, 200, `"body":{"name":"Ada"}`},
		{"with minor version", "POST", "/agents/hello/v1.0/api/greet", `{"name":"Ada"}`, asJSON, 200, `"body":{"name":"Ada"}`},
		{"JSON of another name", "POST", "/api/greet", `{"name":"Ada"}`, "Content-Type: application/vnd.x+json; charset=UTF-8", 200, `"body":{"name":"Ada"}`},
		{"JSON without a type", "POST", "/api/greet", `{"name":"Ada"}`, "", 200, `"body":{"name":"Ada"}`},
		{"list", "POST", "/api/greet", `["Ada"]`, asJSON, 200, `"body":{"0":"Ada"}`},
		{"form", "POST", "/api/greet", "name=Ada+L&name=B&x=%C3%A9", "Content-Type: application/x-www-form-urlencoded", 200, `"body":{"name":["Ada L","B"],"x":"é"}`},
		{"no body", "POST", "/api/greet", "", "", 200, `"body":{}`},
		{"query", "GET", "/api/look?name=Ada&tag=a&tag=b&one[]=1&f[min]=2&f[max]=3&flag", "", "", 200, `"query":{"name":"Ada","tag":["a","b"],"one":["1"],"f":{"min":"2","max":"3"},"flag":""}`},
		{"headers in lower case", "POST", "/api/greet", "", "X-Mine: 1", 200, `"x-mine":"1"`},
		{"nearest endpoint", "POST", "/api/gret", "", "", 404, `{"error":"Endpoint POST /api/gret Not Found","code":"NOT_FOUND","hint":"did you mean /api/greet?"}`},
		{"far endpoint", "POST", "/api/zzzzzzzz", "", "", 404, `"hint":"GET /agents lists the skills"`},
		{"other method", "GET", "/api/greet", "", "", 404, `"hint":"it answers POST"`},
		{"method of none", "OPTIONS", "/api/greet", "", "", 405, `"hint":"it answers GET, POST, PUT, PATCH, DELETE"`},
		{"no trigger", "POST", "/trigger/mail", "", "", 404, `"hint":"the agent has nothing below /trigger/"`},
		{"no endpoint", "POST", "/api/", "", "", 404, `"error":"Endpoint POST /api/ Not Found"`},
		{"no such path", "GET", "/nothing", "", "", 404, `"hint":"skills are at /api/{name}`},
		{"deeper", "POST", "/api/greet/x", "", "", 404, `"there is nothing at this path"`},
		{"slash at the end", "POST", "/api/greet/", "", "", 404, `"there is nothing at this path"`},
		{"two slashes", "POST", "//api/greet", "", "", 404, `"there is nothing at this path"`},
		{"not cleaned", "POST", "/agents/../api/greet", "", "", 404, `"there is no such agent"`},
		{"escaped", "POST", "/api/%67reet", "", "", 404, `"there is nothing at this path"`},
		{"unknown agent", "POST", "/agents/nobody/api/greet", "", "", 404, `"there is no such agent"`},
		{"post to a list", "POST", "/agents", "", "", 405, `"hint":"it answers GET, HEAD"`},
		{"agents", "GET", "/agents", "", "", 200, `{"agents":[{"id":"hello","name":"hello","description":"Greets.","skills":[{"method":"POST","path":"/agents/hello/api/greet","description":"Does greet"},{"method":"GET","path":"/agents/hello/api/look","description":"Does look"}],"openapi":"/agents/hello/openapi.json"}]}`},
		{"openapi", "GET", "/openapi.json", "", "", 200, `"servers":[{"url":"` + w.url + `"}]`},
		{"openapi by id", "GET", "/agents/hello/openapi.json", "", "", 200, `"servers":[{"url":"` + w.url + `/agents/hello"}]`},
		{"health", "GET", "/healthz", "", "Authorization:", 200, `{"status":"ok"}`},
		{"ready", "GET", "/readyz", "", "", 200, `{"status":"ready","parts":{}}`},
		{"not JSON", "POST", "/api/greet", `{"name":`, asJSON, 422, `"code":"INVALID"`},
		{"name twice", "POST", "/api/greet", `{"name":1,"name":2}`, asJSON, 422, `"code":"INVALID"`},
		{"a text alone", "POST", "/api/greet", `"Ada"`, asJSON, 422, `send the inputs by name`},
		{"JSON as form", "POST", "/api/greet", `{"name":"Ada"}`, "Content-Type: application/x-www-form-urlencoded", 422, `Content-Type: application/json`},
		{"other type", "POST", "/api/greet", `hello`, "Content-Type: text/plain", 415, `send application/json`},
		{"other charset", "POST", "/api/greet", `{}`, "Content-Type: application/json; charset=latin1", 415, `UTF-8`},
		{"compressed", "POST", "/api/greet", `x`, "Content-Encoding: gzip", 415, `send the body as it is`},
		{"broken escape", "GET", "/api/look?a=%zz", "", "", 422, `write %25 for it`},
		{"text and object", "GET", "/api/look?a=1&a[b]=2", "", "", 422, `"code":"INVALID"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var headers []string
			if tt.header != "" {
				headers = []string{tt.header}
			}
			got := w.do(tt.method, tt.path, tt.body, headers...)
			if got.status != tt.status || !strings.Contains(got.body, tt.want) {
				t.Errorf("%s %s = %d %s, want %d with %s", tt.method, tt.path, got.status, got.body, tt.status, tt.want)
			}
			if got.header.Get("X-Request-Id") == "" || got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers = %v, want those of every response", got.header)
			}
			if got.header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("the response allows other origins, want none")
			}
		})
	}
}

func TestRoutes_SeveralAgents(t *testing.T) {
	t.Parallel()
	w := serve(t, nil)
	if got := w.do("POST", "/api/greet", ""); got.status != 404 || got.get("error") != "no agent is loaded" {
		t.Errorf("without agents: %d %s, want 404 that says so", got.status, got.body)
	}
	w.load("one", "", part{endpoint: "greet"})
	w.load("two", "", part{endpoint: "part"})
	got := w.do("POST", "/v1/api/greet", "")
	if got.status != 404 || !strings.Contains(got.get("hint"), "/agents/{id}/v1/api/greet") {
		t.Errorf("two agents: %d %s, want 404 with the longer path", got.status, got.body)
	}
	if got := w.do("GET", "/openapi.json", ""); got.status != 404 || !strings.Contains(got.get("hint"), "/agents/{id}/openapi.json") {
		t.Errorf("two agents: %d %s, want 404 with the longer path", got.status, got.body)
	}
	if got := w.do("POST", "/agents/two/api/part", ""); got.status != 200 {
		t.Errorf("by id: %d %s, want 200", got.status, got.body)
	}
}

func TestTriggers(t *testing.T) {
	t.Parallel()
	w := serve(t, nil)
	w.loadText(`{"id":"mail","components":[
		{"id":"T","name":"Files","data":{"triggerEndpoint":"inbox"},"inputs":[],"outputs":[{"name":"Output","default":true}]},
		{"id":"U","name":"Files","data":{"triggerEndpoint":"../healthz"},"inputs":[],"outputs":[{"name":"Output","default":true}]}],"connections":[]}`)
	for _, path := range []string{"/trigger/inbox", "/agents/mail/trigger/inbox", "/v1/trigger/inbox"} {
		for _, method := range []string{"GET", "POST"} {
			if got := w.do(method, path, ""); got.status != 200 || !strings.Contains(got.body, `"files":[]`) {
				t.Errorf("%s %s = %d %s, want the answer of the trigger", method, path, got.status, got.body)
			}
		}
	}
	if got := w.do("POST", "/trigger/inbx", ""); got.status != 404 || got.get("hint") != "did you mean /trigger/inbox?" {
		t.Errorf("unknown trigger: %d %s, want 404 with the nearest", got.status, got.body)
	}
	if got := w.do("GET", "/healthz", ""); got.body != `{"status":"ok"}` {
		t.Errorf("GET /healthz = %s, want that of the server", got.body)
	}
	for _, method := range []string{"HEAD", "OPTIONS", "TRACE"} {
		if got := w.do(method, "/trigger/inbox", ""); got.status != 405 {
			t.Errorf("%s of a trigger = %d, want 405", method, got.status)
		}
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	w := serve(t, nil)
	w.load("fixed", `"agentVersion":"2.1",`, part{endpoint: "greet"})
	for path, want := range map[string]int{"/api/greet": 200, "/v2/api/greet": 200, "/v2.1/api/greet": 200, "/v1/api/greet": 404, "/v2.10/api/greet": 404, "/v/api/greet": 404, "/v2./api/greet": 404} {
		if got := w.do("POST", path, ""); got.status != want {
			t.Errorf("POST %s = %d %s, want %d", path, got.status, got.body, want)
		}
	}
}

// TestRun_MissingInputs: a run that ends with nothing because inputs are missing is an error that names them, never an
// empty list.
func TestRun_MissingInputs(t *testing.T) {
	t.Parallel()
	w := serve(t, nil)
	w.loadText(`{"id":"waits","components":[
		{"id":"EP","name":"APIEndpoint","data":{"endpoint":"go"},"inputs":[{"name":"name","type":"Any"},{"name":"city","type":"Any","optional":true}],"outputs":[{"name":"body.name"},{"name":"body.city"}]},
		{"id":"OUT","name":"APIOutput","title":"Answer","data":{"format":"minimal"},"inputs":[{"name":"name","type":"Any"},{"name":"city","type":"Any"}],"outputs":[{"name":"Output","default":true}]}],
		"connections":[{"sourceId":"EP","sourceIndex":0,"targetId":"OUT","targetIndex":0},{"sourceId":"EP","sourceIndex":1,"targetId":"OUT","targetIndex":1}]}`)
	tests := []struct {
		name, body string
		status     int
		want       string
	}{
		{"a component waits", `{"name":"Ada"}`, 422, `{"error":"the run ended without a result: component OUT (Answer) waits for city","code":"INVALID","hint":"send these inputs, or mark them optional in the agent"}`},
		{"nothing began", `{}`, 422, `{"error":"the run ended without a result: the request lacks name","code":"INVALID","hint":"send these inputs, or mark them optional in the agent"}`},
		{"everything", `{"name":"Ada","city":"London"}`, 200, `{"name":"Ada","city":"London"}`},
	}
	for _, tt := range tests {
		if got := w.do("POST", "/api/go", tt.body, asJSON); got.status != tt.status || got.body != tt.want {
			t.Errorf("%s: %d %s, want %d %s", tt.name, got.status, got.body, tt.status, tt.want)
		}
	}
}

// TestRun_Raw: a text is answered as JSON, like everything else.
func TestRun_Raw(t *testing.T) {
	t.Parallel()
	w := serve(t, nil)
	w.loadText(strings.Replace(agentText("raw", "", part{endpoint: "go", typ: "Files"}), `"format":"minimal"`, `"format":"raw","contentType":"text/html"`, 1))
	got := w.do("POST", "/api/go", `{}`, asJSON)
	if v, err := value.Parse(got.body); err != nil || v.Kind() != value.String || got.header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("raw = %d %s (%s), want a JSON text", got.status, got.body, got.header.Get("Content-Type"))
	}
}

func TestRun_Upload(t *testing.T) {
	t.Parallel()
	w := serve(t, func(c *Config) { c.Limits.UploadFiles, c.Limits.UploadBytes = 2, 4000 })
	w.load("up", "", part{endpoint: "go", typ: "Files"})
	form := func(parts ...string) string {
		text := ""
		for _, p := range parts {
			text += "--edge\r\nContent-Disposition: form-data; " + strings.Replace(p, "|", "\r\n\r\n", 1) + "\r\n"
		}
		return text + "--edge--\r\n"
	}
	file := `name="doc"; filename="../a/b.txt"` + "\r\nContent-Type: text/plain; charset=latin1|hello"
	tests := []struct {
		name, body string
		status     int
		want       string
	}{
		{"files and texts", form(`name="note"|hi`, file, `name="tag[]"|x`, `name="more"; filename="c"|`+"\x00\xff"), 200, `{"answer":{"body":{"note":"hi","tag":["x"]},"files":["doc=b.txt (text/plain) \"hello\"","more=c (application/octet-stream) \"\\x00\\xff\""]}}`},
		{"too many files", form(file, file, file), 413, `"code":"LIMIT_EXCEEDED(upload_files)"`},
		{"too large", form(file, `name="x"|`+strings.Repeat("x", 4000)), 413, `"code":"LIMIT_EXCEEDED(upload_bytes)"`},
		{"no name", form(`filename="x"|x`), 422, `has no name`},
		{"broken off", "--edge\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nabc", 422, `"code":"INVALID"`},
		{"broken off between parts", form(file)[:len(form(file))-len("--edge--\r\n")], 422, `"code":"INVALID"`},
		{"empty", "--edge--\r\n", 200, `"files":[]`},
		{"no form at all", "nothing", 422, `"code":"INVALID"`},
	}
	for _, tt := range tests {
		for _, chunked := range []bool{false, true} {
			r := w.request(t.Context(), "POST", "/api/go", tt.body, "Content-Type: multipart/form-data; boundary=edge")
			if chunked {
				r.ContentLength = -1
			}
			if got := w.send(r); got.status != tt.status || !strings.Contains(got.body, tt.want) {
				t.Errorf("%s (chunked %v): %d %s, want %d with %s", tt.name, chunked, got.status, got.body, tt.status, tt.want)
			}
		}
	}
	if got := w.do("POST", "/api/go", "x", "Content-Type: multipart/form-data"); got.status != 415 {
		t.Errorf("no boundary: %d %s, want 415", got.status, got.body)
	}
}

// TestRun_ClientGone: a client that goes away cancels what works for it.
func TestRun_ClientGone(t *testing.T) {
	t.Parallel()
	w := serve(t, nil)
	w.load("slow", "", part{endpoint: "go", typ: "Block"})
	for _, body := range []string{"", `{"name":"Ada"}`} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			res, err := w.client.Do(w.request(ctx, "POST", "/api/go", body, asJSON))
			if err == nil {
				err = res.Body.Close()
			}
			done <- err
		}()
		<-w.started
		cancel()
		if err := <-w.ended; !errors.Is(err, context.Canceled) {
			t.Errorf("body %q: the component ended with %v, want context.Canceled", body, err)
		}
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("body %q: the client got %v, want context.Canceled", body, err)
		}
	}
}

// TestRun_Killed: who waits for a run that somebody else ended learns so.
func TestRun_Killed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.load("slow", "", part{endpoint: "go", typ: "Block"})
	ctx, kill := context.WithCancelCause(t.Context())
	rec := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(ctx, "POST", "/api/go", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+testToken)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.server.ServeHTTP(rec, r)
	}()
	<-w.started
	kill(&engine.KilledError{Reason: "too dear"})
	<-done
	if got, want := rec.Body.String(), `{"error":"AGENT_KILLED","reason":"too dear","code":"AGENT_KILLED"}`; rec.Code != 409 || got != want {
		t.Errorf("killed run: %d %s, want 409 %s", rec.Code, got, want)
	}
}

// TestPanics: a bug fails its request, tells the caller nothing of what it had in hand, and leaves the server running.
func TestPanics(t *testing.T) {
	t.Parallel()
	w := serve(t, func(c *Config) {
		c.OpenAPI = func(*agent.Agent, string) value.Value { panic("canary-in-handler") }
		c.Health = func(context.Context) map[string]error {
			return map[string]error{"Vault": fault.Newf(fault.Unavailable, "sealed"), "Cache": nil}
		}
	})
	w.load("bad", "", part{endpoint: "go", typ: "Throw"})
	for _, got := range []reply{w.do("GET", "/openapi.json", ""), w.do("POST", "/api/go", `{"x":"canary-in-body"}`, asJSON)} {
		if got.status != 500 || got.get("code") != "INTERNAL" || strings.Contains(got.body, "canary") {
			t.Errorf("panic: %d %s, want 500 without what was thrown", got.status, got.body)
		}
	}
	if got := w.do("GET", "/healthz", ""); got.status != 200 {
		t.Errorf("after a panic: %d %s, want 200", got.status, got.body)
	}
	if log := w.log.String(); strings.Contains(log, "canary") || strings.Count(log, "panic=string") != 2 || !strings.Contains(log, "world_test.go") {
		t.Errorf("log = %s\nwant two stacks and nothing that was thrown", log)
	}
	got := w.do("GET", "/readyz", "")
	if want := `{"status":"unready","parts":{"Cache":"ok","Vault":"sealed"}}`; got.status != 503 || got.body != want {
		t.Errorf("GET /readyz = %d %s, want 503 %s", got.status, got.body, want)
	}
}

// TestReady_Open: in an open server, details are still for the operator.
func TestReady_Open(t *testing.T) {
	t.Parallel()
	w := serve(t, func(c *Config) {
		c.Open = true
		c.Health = func(context.Context) map[string]error { return map[string]error{"Vault": errors.New("sealed")} }
	})
	if got := w.do("GET", "/readyz", "", "Authorization:"); got.status != 503 || got.body != `{"status":"unready"}` {
		t.Errorf("stranger: %d %s, want 503 without details", got.status, got.body)
	}
	if got := w.do("GET", "/readyz", ""); got.status != 503 || !strings.Contains(got.body, "sealed") {
		t.Errorf("operator: %d %s, want 503 with details", got.status, got.body)
	}
}

// TestLog: each request is one line that holds its id, and neither query values, bodies, headers nor the token.
func TestLog(t *testing.T) {
	t.Parallel()
	w := serve(t, nil)
	w.load("hello", "", part{endpoint: "greet"})
	got := w.do("POST", "/api/greet?q=canary-query", `{"name":"canary-body"}`, asJSON, "X-Mine: canary-header", "Cookie: canary-cookie")
	w.do("GET", "/%1b%5b31m%0aid=forged", "")
	log := w.log.String()
	if strings.Contains(log, "canary") || strings.Contains(log, testToken) {
		t.Errorf("log = %s\nwant nothing of what was sent", log)
	}
	id := got.header.Get("X-Request-Id")
	if !strings.Contains(log, "id="+id) || !strings.Contains(log, "path=/api/greet status=200") || !strings.Contains(log, "client=127.0.0.1") {
		t.Errorf("log = %s\nwant the request %s with path, status and client", log, id)
	}
	if strings.Count(log, "\n") != 2 || strings.Contains(log, "\x1b") {
		t.Errorf("log = %q, want two lines without control characters", log)
	}
}

// TestDebug: the operator steps a session and reads its state.
func TestDebug(t *testing.T) {
	t.Parallel()
	w := serve(t, nil)
	w.load("one", "", part{endpoint: "greet"})
	w.load("two", "", part{endpoint: "greet"})
	start := w.do("POST", "/agents/one/api/greet?includeNewState=true", `{"name":"Ada"}`, asJSON, "X-Debug-Run:")
	session := start.get("dbgSession")
	v, err := value.Parse(start.body)
	if err != nil || !strings.HasPrefix(session, "dbg-") || !v.Get("newState").Get("state").IsObject() {
		t.Fatalf("start: %d %s, want a session with a new state", start.status, start.body)
	}
	read := w.do("POST", "/agents/one/api/", "", "X-Debug-Read: "+session)
	if again := w.do("POST", "/agents/one/api/", "", "X-Debug-Read: "+session); read.status != 200 || read.body != again.body || read.get("dbgSession") != session {
		t.Errorf("read twice: %d %s, then %s, want the same state", read.status, read.body, again.body)
	}
	step := w.do("POST", "/agents/one/api/", "", "X-Debug-Run: "+session)
	if step.status != 200 || !strings.Contains(step.body, `"id":"OUT0"`) {
		t.Errorf("step: %d %s, want the output", step.status, step.body)
	}
	foreign := w.do("POST", "/agents/two/api/", "", "X-Debug-Read: "+session)
	missing := w.do("POST", "/agents/two/api/", "", "X-Debug-Read: dbg-NONE")
	if foreign.status != 404 || foreign.body != strings.ReplaceAll(missing.body, "dbg-NONE", session) {
		t.Errorf("session of another agent: %d %s, want what a missing one gives: %s", foreign.status, foreign.body, missing.body)
	}
}

// TestLongResponse: a response of many pieces arrives whole.
func TestLongResponse(t *testing.T) {
	t.Parallel()
	w := serve(t, nil)
	w.load("hello", "", part{endpoint: "greet"})
	long := strings.Repeat("0123456789", 50_000)
	got := w.do("POST", "/api/greet", `{"name":"`+long+`"}`, asJSON)
	if !strings.Contains(got.body, `"name":"`+long+`"`) {
		t.Errorf("%d bytes came back, want the text of %d", len(got.body), len(long))
	}
}
