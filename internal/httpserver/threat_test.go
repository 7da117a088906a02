package httpserver

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sre-go/sre/internal/agent"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

// spoofs are headers by which callers claim to be somebody, or to be allowed something.
func spoofs() []string {
	return []string{
		"X-AGENT-ID: other", "X-AGENT-VERSION: 9", "x-smyth-team-id: victim", "X-REQUEST-TAG: t", "x-caller-session-id: s",
		"X-CONVERSATION-ID: c", "X-MONITOR-ID: m", "X-CACHE-ID: c", "X-MOCK-DATA-INJ: 1", "X-DEBUG-RUN:", "X-DEBUG-RUN: dbg-1",
		"X-DEBUG-READ: dbg-1", "X-DEBUG-INJ:", "X-DEBUG-INJ: inj-1", "X-DEBUG-STOP: dbg-1", "X-DEBUG-SKIP: 1", "X-Debug: 1",
		"X-FORCE-DEBUGGER: 1", "X-ROUTING-MODE: debugger", "X-AGENT-REMOTE-CALL: 1", "X-Forwarded-For: 10.0.0.1",
		"X-Forwarded-Host: evil.test", "X-Forwarded-Proto: https", "X-Forwarded-Prefix: /x", "Forwarded: for=10.0.0.1;host=evil.test", "X-Real-Ip: 10.0.0.1",
	}
}

// TestT17_HeaderSpoofing: without the token, no header that steers, debugs or claims changes anything.
func TestT17_HeaderSpoofing(t *testing.T) {
	t.Parallel()
	w := serve(t, open)
	w.load("hello", "", part{endpoint: "greet"})
	paths := []struct{ method, path, body string }{
		{"POST", "/api/greet", `{"name":"Ada"}`}, {"POST", "/api/", `[{"id":"OUT0","ctx":{"active":true,"input":{"body":1}}}]`},
		{"GET", "/openapi.json", ""}, {"GET", "/agents", ""}, {"GET", "/readyz", ""},
	}
	for _, p := range paths {
		for _, auth := range []string{"Authorization:", "Authorization: Bearer wrong-" + testToken, "Authorization: Basic " + testToken} {
			ask := func(more ...string) reply {
				got := w.do(p.method, p.path, p.body, append([]string{asJSON, auth}, more...)...)
				got.header.Del("Date")
				got.header.Del("X-Request-Id")
				return got
			}
			want := ask()
			for _, spoof := range spoofs() {
				got := ask(spoof)
				if got.status != want.status || got.body != want.body || fmt.Sprint(got.header) != fmt.Sprint(want.header) {
					t.Errorf("%s %s with %q = %d %s, want as without: %d %s", p.method, p.path, spoof, got.status, got.body, want.status, want.body)
				}
			}
		}
	}
	if log := w.log.String(); strings.Contains(log, "10.0.0.1") {
		t.Error("the log names a client that only a header claims")
	}
}

// TestT17_Proxies: what a listed proxy forwards is believed, up to the first address that is not listed.
func TestT17_Proxies(t *testing.T) {
	t.Parallel()
	w := serve(t, trusting)
	w.load("hello", "", part{endpoint: "greet"})
	got := w.do("GET", "/openapi.json", "", "X-Forwarded-Host: evil.test, api.example.com", "X-Forwarded-Proto: https")
	if !strings.Contains(got.body, `"url":"https://api.example.com"`) {
		t.Errorf("behind a proxy: %s, want the address that the nearest proxy was called by", got.body)
	}
	got = w.do("GET", "/openapi.json", "", `X-Forwarded-Host: a"/b`, "X-Forwarded-Proto: javascript")
	if !strings.Contains(got.body, `"url":"http://localhost"`) {
		t.Errorf("forwarded nonsense: %s, want none of it", got.body)
	}
	w.do("GET", "/healthz", "", "X-Forwarded-For: 6.6.6.6, 203.0.113.9, 127.0.0.7")
	w.do("GET", "/healthz", "", "X-Forwarded-For: 6.6.6.6, nonsense")
	if log := w.log.String(); !strings.Contains(log, "client=203.0.113.9") || strings.Contains(log, "6.6.6.6") {
		t.Errorf("log = %s\nwant the last address that no listed proxy has", log)
	}
}

// TestTokenStaysHere: the token of the operator does not reach agents, what callers of agents send does.
func TestTokenStaysHere(t *testing.T) {
	t.Parallel()
	w := serve(t, open)
	w.load("hello", "", part{endpoint: "greet"})
	if got := w.do("POST", "/api/greet", "", "Proxy-Authorization: Bearer "+testToken); got.status != 200 || strings.Contains(got.body, testToken) {
		t.Errorf("operator: %d %s, want the headers without the token", got.status, got.body)
	}
	if got := w.do("POST", "/api/greet", "", "Authorization: Bearer of-the-agent"); !strings.Contains(got.body, `"authorization":"Bearer of-the-agent"`) {
		t.Errorf("stranger: %s, want the header that is meant for the agent", got.body)
	}
}

// TestT25_Guessing: strangers cannot tell what exists; the operator cannot tell a hidden agent from none.
func TestT25_Guessing(t *testing.T) {
	t.Parallel()
	w := serve(t, nil)
	w.load("hello", "", part{endpoint: "greet"})
	doc, err := agentfile.Parse([]byte(agentText("hidden", "", part{endpoint: "greet"})), w.agents.Bounds())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.agents.Load(t.Context(), doc, agent.Options{Private: true}); err != nil {
		t.Fatal(err)
	}
	for _, auth := range []string{"Authorization:", "Authorization: Bearer " + testToken} {
		var wants []string
		for _, id := range []string{"NOBODYATALL", "hidden", "a.b", "..", "x_y"} {
			for i, path := range []string{"/api/greet", "/api/nothing", "/v3/api/greet", "/trigger/mail", "/openapi.json"} {
				got := w.do("POST", "/agents/"+id+path, `{"name":"Ada"}`, auth, asJSON)
				if path == "/openapi.json" {
					got = w.do("GET", "/agents/"+id+path, "", auth)
				}
				if i == len(wants) {
					wants = append(wants, got.body)
				}
				if got.body != wants[i] || got.status == 200 {
					t.Errorf("%s%s (%s) = %d %s, want as for an agent that does not exist: %s", id, path, auth, got.status, got.body, wants[i])
				}
			}
		}
	}
	known, unknown := w.do("POST", "/agents/hello/api/greet", "", "Authorization:"), w.do("POST", "/agents/nobody/x", "", "Authorization:")
	if known.status != 401 || known.status != unknown.status || known.body != unknown.body {
		t.Errorf("stranger: %d %s and %d %s, want the same 401", known.status, known.body, unknown.status, unknown.body)
	}
	seen := map[string]bool{}
	for range 100 {
		id := w.do("GET", "/healthz", "").header.Get("X-Request-Id")
		if len(id) != 26 || seen[id] {
			t.Fatalf("request id %q, want 128 fresh bits", id)
		}
		seen[id] = true
	}
}

// TestT26_Token: only the whole token, once, in its scheme, is a credential.
func TestT26_Token(t *testing.T) {
	t.Parallel()
	w := serve(t, nil)
	w.load("hello", "", part{endpoint: "greet"})
	bad := map[string][]string{
		"none":          {"Authorization:"},
		"empty":         {"Authorization: "},
		"scheme only":   {"Authorization: Bearer"},
		"blank":         {"Authorization: Bearer "},
		"blanks":        {"Authorization: Bearer      "},
		"prefix":        {"Authorization: Bearer " + testToken[:20]},
		"longer":        {"Authorization: Bearer " + testToken + "x"},
		"surrounded":    {"Authorization: Bearer x." + testToken + ".x"},
		"two blanks":    {"Authorization: Bearer  " + testToken},
		"tab":           {"Authorization: Bearer\t" + testToken},
		"other scheme":  {"Authorization: Basic " + testToken},
		"no scheme":     {"Authorization: " + testToken},
		"list":          {"Authorization: Bearer " + testToken + ", Bearer " + testToken},
		"upper case":    {"Authorization: Bearer " + strings.ToUpper(testToken)},
		"JWT of none":   {"Authorization: Bearer eyJhbGciOiJub25lIn0.e30."},
		"cookie":        {"Authorization:", "Cookie: token=" + testToken},
		"other header":  {"Authorization:", "X-Auth-Token: " + testToken},
		"proxy header":  {"Authorization:", "Proxy-Authorization: Bearer " + testToken},
		"quoted":        {`Authorization: Bearer "` + testToken + `"`},
		"other of once": {"Authorization: Bearer wrong", "Authorization: Bearer wrong"},
	}
	for name, headers := range bad {
		got := w.do("POST", "/api/greet", `{}`, append(headers, asJSON)...)
		if got.status != 401 || got.get("code") != "UNAUTHENTICATED" || got.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s, want 401", name, got.status, got.body)
		}
	}
	twice := w.request(t.Context(), "POST", "/api/greet", "")
	twice.Header["Authorization"] = []string{"Bearer " + testToken, "Bearer " + testToken}
	if got := w.send(twice); got.status != 401 {
		t.Errorf("sent twice: %d %s, want 401", got.status, got.body)
	}
	if got := w.do("POST", "/api/greet?token="+testToken+"&access_token="+testToken, `{}`, "Authorization:", asJSON); got.status != 401 {
		t.Errorf("in the query: %d %s, want 401", got.status, got.body)
	}
	for _, good := range []string{"Bearer ", "bearer ", "BEARER "} {
		if got := w.do("POST", "/api/greet", `{}`, "Authorization: "+good+testToken, asJSON); got.status != 200 {
			t.Errorf("%s: %d %s, want 200", good, got.status, got.body)
		}
	}
}

// TestT58_Routes: without a token, every route but those of health and readiness is closed, whatever the method.
func TestT58_Routes(t *testing.T) {
	t.Parallel()
	w := serve(t, nil)
	w.load("hello", "", part{endpoint: "greet"})
	for k := nowhere; k <= toSkill; k++ {
		if r := k.rule(); r.public != (k == toHealth || k == toReady) || (r.answer == nil) != (k == nowhere) {
			t.Errorf("rule of kind %d: public %v, want only health and readiness to be public", k, r.public)
		}
	}
	paths := []string{"/", "/agents", "/openapi.json", "/agents/hello/openapi.json", "/api/greet", "/api/", "/trigger/x", "/debug/pprof/heap", "/metrics", "/agent/hello/monitor", "/agent/hello/debugSession", "/storage/x", "/nothing"}
	for _, path := range paths {
		for _, method := range []string{"GET", "POST", "HEAD", "OPTIONS", "DELETE", "TRACE"} {
			if got := w.do(method, path, "", "Authorization:"); got.status != 401 {
				t.Errorf("%s %s = %d %s, want 401", method, path, got.status, got.body)
			}
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := w.do("HEAD", path, "", "Authorization:"); got.status != 200 || got.body != "" {
			t.Errorf("HEAD %s = %d %q, want 200 without a body", path, got.status, got.body)
		}
	}
}

// TestT59_Browser: pages of other sites reach nothing, by no name and with no kind of request.
func TestT59_Browser(t *testing.T) {
	t.Parallel()
	w := serve(t, func(c *Config) { c.Open, c.Hosts = true, []string{"Agents.Example.com"} })
	w.load("hello", "", part{endpoint: "greet"}, part{endpoint: "look", method: "GET"})
	u, err := url.Parse(w.url)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, method string
		headers      []string
		status       int
	}{
		{"rebinding", "POST", []string{"Host: evil.test"}, 403},
		{"rebinding with port", "GET", []string{"Host: evil.test:" + u.Port()}, 403},
		{"a name that begins right", "GET", []string{"Host: localhost.evil.test"}, 403},
		{"a name that ends right", "GET", []string{"Host: evil-localhost"}, 403},
		{"an address that begins right", "GET", []string{"Host: 127.0.0.1.nip.io"}, 403},
		{"another address", "GET", []string{"Host: 10.0.0.1"}, 403},
		{"forwarded host", "GET", []string{"Host: evil.test", "X-Forwarded-Host: localhost"}, 403},
		{"localhost", "POST", []string{"Host: LocalHost.:" + u.Port()}, 200},
		{"v6", "POST", []string{"Host: [::1]:80"}, 200},
		{"listed", "POST", []string{"Host: agents.example.com"}, 200},
		{"cross site", "POST", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"cross site GET", "GET", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"same site", "POST", []string{"Sec-Fetch-Site: same-site"}, 403},
		{"twice", "POST", []string{"Sec-Fetch-Site: none", "Sec-Fetch-Site: cross-site"}, 403},
		{"same origin", "POST", []string{"Sec-Fetch-Site: same-origin"}, 200},
		{"typed in", "GET", []string{"Sec-Fetch-Site: none"}, 200},
		{"old browser", "POST", []string{"Origin: https://evil.test"}, 403},
		{"origin null", "POST", []string{"Origin: null"}, 403},
		{"other port", "POST", []string{"Origin: http://127.0.0.1:1"}, 403},
		{"own origin", "POST", []string{"Origin: " + w.url}, 200},
	}
	for _, tt := range tests {
		path := "/api/greet"
		if tt.method == "GET" {
			path = "/api/look"
		}
		got := w.do(tt.method, path, "", append(tt.headers, "Authorization:")...)
		if got.status != tt.status {
			t.Errorf("%s: %d %s, want %d", tt.name, got.status, got.body, tt.status)
		}
	}
	form := w.do("POST", "/api/greet", "x=1", "Authorization:", "Content-Type: text/plain", "Origin: https://evil.test")
	if form.status != 403 {
		t.Errorf("form of another site: %d %s, want 403", form.status, form.body)
	}
}

// TestT45_EndpointCollisions: what agents call their skills neither takes the place of a route nor reaches beyond /api/.
func TestT45_EndpointCollisions(t *testing.T) {
	t.Parallel()
	w := serve(t, nil)
	names := []string{"healthz", "agents", "openapi.json", "../healthz", "../admin", "a b", "x?y", "x#y", "a/b", ".*", "", "é", "%2e", strings.Repeat("x", 10_000), "twice"}
	var parts []part
	for _, n := range names {
		parts = append(parts, part{endpoint: n})
	}
	parts = append(parts, part{endpoint: "twice", typ: "Files"}, part{endpoint: "readyz", method: "GET"})
	w.load("hostile", "", parts...)
	for _, tt := range []struct {
		method, path string
		status       int
		want         string
	}{
		{"GET", "/healthz", 200, `{"status":"ok"}`},
		{"GET", "/readyz", 200, `{"status":"ready","parts":{}}`},
		{"GET", "/agents", 200, `{"agents":[{"id":"hostile"`},
		{"GET", "/openapi.json", 200, `"openapi":"3.0.1"`},
		{"POST", "/api/healthz", 200, `"headers"`},
		{"POST", "/api/agents", 200, `"headers"`},
		{"GET", "/api/readyz", 200, `"headers"`},
		{"POST", "/api/twice", 200, `{`},
		{"POST", "/api/", 404, `Endpoint POST /api/ Not Found`},
		{"POST", "/api/TWICE", 404, `did you mean /api/twice?`},
	} {
		if got := w.do(tt.method, tt.path, ""); got.status != tt.status || !strings.Contains(got.body, tt.want) {
			t.Errorf("%s %s = %d %s, want %d with %s", tt.method, tt.path, got.status, clip(got.body), tt.status, tt.want)
		}
	}
	for _, n := range names {
		if validName(n) {
			continue
		}
		for _, path := range []string{"/api/" + n, "/api/" + url.PathEscape(n), "/agents/hostile/api/" + url.PathEscape(n)} {
			r := w.request(t.Context(), "POST", "/", "")
			r.URL.Opaque = path // as it is, without repair by the client
			if res, err := w.client.Do(r); err != nil {
				if !strings.Contains(err.Error(), "EOF") {
					t.Errorf("POST %s: %v", clip(path), err)
				}
			} else if err := res.Body.Close(); err != nil || res.StatusCode != 404 && res.StatusCode != 400 {
				t.Errorf("POST %s = %d, want 404 or 400", clip(path), res.StatusCode)
			}
		}
	}
	if list := w.do("GET", "/agents", "").body; strings.Contains(list, "admin") || strings.Contains(list, "a b") || strings.Contains(list, "xxxx") {
		t.Errorf("GET /agents = %s, want only skills that a path can name", clip(list))
	}
}

// endless is a body without an end that counts what was read of it.
type endless struct {
	head string
	unit string
	read atomic.Int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.head)
	e.head = e.head[n:]
	for n+len(e.unit) <= len(p) {
		n += copy(p[n:], e.unit)
	}
	if e.read.Add(int64(n)) > 1<<30 {
		return n, errors.New("the whole of it was read")
	}
	return n, nil
}

// TestT47_Bodies: bodies are bounded in size, depth and number of values, by what arrives and not by what is announced.
func TestT47_Bodies(t *testing.T) {
	t.Parallel()
	w := serve(t, nil)
	w.load("hello", "", part{endpoint: "greet"})
	tests := []struct {
		name, body string
		status     int
		code       string
	}{
		{"deep lists", strings.Repeat("[", 1_000_000), 413, "LIMIT_EXCEEDED(json_depth)"},
		{"deep objects", strings.Repeat(`{"a":`, 1_000_000), 413, "LIMIT_EXCEEDED(json_depth)"},
		{"braces", strings.Repeat("{", 10<<20-1), 422, "INVALID"},
		{"many numbers", "[" + strings.Repeat("1,", 4_000_000) + "1]", 413, "LIMIT_EXCEEDED(json_values)"},
		{"ten million numbers", "[" + strings.Repeat("1,", 10_000_000) + "1]", 413, "LIMIT_EXCEEDED(json_bytes)"},
		{"long text", `{"name":"` + strings.Repeat("x", 100<<20) + `"}`, 413, "LIMIT_EXCEEDED(json_bytes)"},
		{"huge exponent", `{"name":1e999999999}`, 200, ""},
		{"byte order mark", "\xef\xbb\xbf{}", 422, "INVALID"},
		{"broken text", "{\"name\":\"\xff\xfe\"}", 422, "INVALID"},
		{"another case", `{"name":"a","NAME":"victim"}`, 200, ""},
		{"two values", `{} {}`, 422, "INVALID"},
	}
	for _, tt := range tests {
		for _, chunked := range []bool{false, true} {
			r := w.request(t.Context(), "POST", "/api/greet", tt.body, asJSON)
			if chunked {
				r.ContentLength = -1
			}
			got, err := w.try(r)
			if err != nil {
				if len(tt.body) <= limits.Default().JSONBytes {
					t.Errorf("%s: %v", tt.name, err)
				}
				continue
			}
			if code := got.get("code"); got.status != tt.status || tt.code != "" && code != tt.code {
				t.Errorf("%s (chunked %v): %d %s, want %d %s", tt.name, chunked, got.status, clip(got.body), tt.status, tt.code)
			}
		}
	}
	for _, kind := range []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
		body := &endless{unit: "[1,&a=b]"}
		if strings.HasPrefix(kind, "multipart") {
			body.head = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"
		}
		r, err := http.NewRequestWithContext(t.Context(), "POST", w.url+"/api/greet", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+testToken)
		r.Header.Set("Content-Type", kind)
		if got, err := w.try(r); err == nil && got.status != 413 {
			t.Errorf("endless %s: %d %s, want 413", kind, got.status, clip(got.body))
		}
		if n := body.read.Load(); n > 60<<20 {
			t.Errorf("endless %s: %d bytes were taken, want little more than the limit", kind, n)
		}
	}
	fields := strings.Repeat("a=1&", 1001)
	if got := w.do("POST", "/api/greet", fields, "Content-Type: application/x-www-form-urlencoded"); got.status != 413 || got.get("code") != "LIMIT_EXCEEDED(form_fields)" {
		t.Errorf("many fields: %d %s, want 413", got.status, clip(got.body))
	}
	if got := w.do("POST", "/api/greet?"+fields, ""); got.status != 413 || got.get("code") != "LIMIT_EXCEEDED(form_fields)" {
		t.Errorf("many texts in the query: %d %s, want 413", got.status, clip(got.body))
	}
	long := w.request(t.Context(), "POST", "/api/greet", "", "X-Long: "+strings.Repeat("x", 80<<10))
	if got, err := w.try(long); err == nil && got.status != 431 {
		t.Errorf("long header: %d %s, want 431", got.status, clip(got.body))
	}
	if got := w.do("POST", "/api/greet", `{"name":"Ada"}`, asJSON); got.status != 200 {
		t.Errorf("afterwards: %d %s, want 200", got.status, got.body)
	}
}

// TestT47_Answer: a body that is taken comes back as it was.
func TestT47_Answer(t *testing.T) {
	t.Parallel()
	w := serve(t, nil)
	w.load("hello", "", part{endpoint: "greet", typ: "Files"})
	for _, body := range []string{`{"__proto__":{"x":1},"constructor":2}`, `{"b":1,"a":2}`, `{"x":"\u0000\u2028\ud800"}`, `{"n":[1e21,-0.5,12345678901234567890]}`} {
		v, err := value.Decode([]byte(body), value.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got := w.do("POST", "/api/greet", body, asJSON); !strings.Contains(got.body, `"body":`+v.JSON()) {
			t.Errorf("%s came back as %d %s", body, got.status, got.body)
		}
	}
}
