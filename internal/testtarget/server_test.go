package testtarget

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/value"
)

// instant is the system source with a clock that does not wait.
type instant struct {
	effect.System
	slept chan time.Duration
}

func (i instant) Sleep(ctx context.Context, d time.Duration) error {
	if d > 0 {
		i.slept <- d
	}
	return context.Cause(ctx)
}

func start(t *testing.T, routes string) (*Server, instant) {
	t.Helper()
	var v value.Value
	if routes != "" {
		v = parse(t, routes)
	}
	source := instant{slept: make(chan time.Duration, 1)}
	s, err := Start(t.Context(), v, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, source
}

func parse(t *testing.T, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

type got struct {
	status int
	header http.Header
	body   string
}

func send(t *testing.T, method, url, body string, headers ...string) (got, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return got{}, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got{response.StatusCode, response.Header, string(data)}, nil
}

func TestServer_Routes(t *testing.T) {
	t.Parallel()
	s, _ := start(t, `{"GET /mine":{"status":201,"headers":{"X-A":"1","Set-Cookie":["a","b"]},"json":{"b":2,"a":1}},
		"* /any":{"body":"plain"},"POST /bin":{"base64":"AAEC"}}`)
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		want               string
		headers            string // "name: text" of all but connection and x-target, sorted by hand
	}{
		"echo":             {"GET", "/echo", "", 200, `{"method":"GET","path":"/echo","query":{},"headers":{}}`, "content-length: 55; content-type: application/json"},
		"echo below":       {"PUT", "/echo/a%20b?x=1&x=2&x=3&y=%zz+1", "t", 200, `{"method":"PUT","path":"/echo/a%20b","query":{"x":["1","2","3"],"y":"%zz 1"},"headers":{},"body":"t"}`, "content-length: 101; content-type: application/json"},
		"echo of bytes":    {"POST", "/echo", "\xff", 200, `{"method":"POST","path":"/echo","query":{},"headers":{},"body_base64":"/w=="}`, "content-length: 77; content-type: application/json"},
		"head":             {"HEAD", "/text", "", 200, "", "content-length: 20; content-type: text/plain; charset=utf-8"},
		"status":           {"GET", "/status/418", "", 418, `{"status":418,"message":"status 418"}`, "content-length: 37; content-type: application/json"},
		"not modified":     {"GET", "/status/304", "", 304, "", "content-type: application/json"},
		"not a status":     {"GET", "/status/42", "", 404, `{"error":"no such route","path":"/status/42"}`, "content-length: 45; content-type: application/json"},
		"redirect":         {"GET", "/redirect/2", "", 302, "", "content-length: 0; location: /redirect/1"},
		"last redirect":    {"GET", "/redirect/0", "", 302, "", "content-length: 0; location: /echo"},
		"redirect to":      {"GET", "/redirect-to?url=%2Fx%0D%0Ay&status=307", "", 307, "", "content-length: 0; location: /xy"},
		"empty":            {"GET", "/empty", "", 204, "", ""},
		"empty 200":        {"GET", "/empty200", "", 200, "", "content-length: 0; content-type: application/json"},
		"bytes":            {"GET", "/bytes?n=3", "", 200, "\x00\x01\x02", "content-length: 3; content-type: application/octet-stream"},
		"negative bytes":   {"GET", "/bytes?n=-3", "", 200, "", "content-length: 0; content-type: application/octet-stream"},
		"png":              {"GET", "/png", "", 200, png, "content-length: 70; content-type: image/png"},
		"bad JSON":         {"GET", "/bad-json", "", 200, `{"a": 1,`, "content-length: 8; content-type: application/json"},
		"no content type":  {"GET", "/no-content-type", "", 200, "no content type", "content-length: 15"},
		"cookies":          {"GET", "/set-cookie", "", 200, `{"ok":true}`, "content-length: 11; content-type: application/json; set-cookie: a=1; Path=/, b=2"},
		"unknown":          {"GET", "/nope", "", 404, `{"error":"no such route","path":"/nope"}`, "content-length: 40; content-type: application/json"},
		"route of a case":  {"GET", "/mine?q", "", 201, `{"b":2,"a":1}`, "content-length: 13; content-type: application/json; set-cookie: a, b; x-a: 1"},
		"other method":     {"POST", "/mine", "", 404, `{"error":"no such route","path":"/mine"}`, "content-length: 40; content-type: application/json"},
		"any method":       {"PATCH", "/any", "", 200, "plain", "content-length: 5"},
		"route with bytes": {"POST", "/bin", "", 200, "\x00\x01\x02", "content-length: 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := send(t, c.method, s.URL()+c.path, c.body)
			if err != nil {
				t.Fatal(err)
			}
			if r.status != c.status || r.body != c.want {
				t.Errorf("%s %s = %d %q, want %d %q", c.method, c.path, r.status, r.body, c.status, c.want)
			}
			if got := headerLine(r.header); got != c.headers {
				t.Errorf("headers = %q, want %q", got, c.headers)
			}
			if r.header.Get("X-Target") != "sre-oracle" {
				t.Errorf("x-target = %q", r.header.Get("X-Target"))
			}
		})
	}
}

func headerLine(h http.Header) string {
	var parts []string
	for _, name := range []string{"Content-Length", "Content-Type", "Location", "Set-Cookie", "X-A", "Date", "Transfer-Encoding"} {
		if values, ok := h[name]; ok {
			parts = append(parts, strings.ToLower(name)+": "+strings.Join(values, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

func TestServer_Requests(t *testing.T) {
	t.Parallel()
	s, _ := start(t, "")
	form := "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\ny\r\n" +
		"--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"d/p.bin\"\r\nContent-Type: a/b\r\n\r\n\xff\xfe\r\n--B--\r\n"
	for _, r := range []struct {
		method, path, body string
		headers            []string
	}{
		{"POST", "/status/500", form, []string{"Content-Type", "multipart/form-data; boundary=B", "X-b", "1", "X-b", "2", "User-Agent", "u"}},
		{"POST", "/nope?=1&a", "--B broken", []string{"Content-Type", "multipart/form-data; boundary=B", "Cookie", "a=1", "Cookie", "b=2"}},
		{"GET", "/close", "", nil},
	} {
		if _, err := send(t, r.method, s.URL()+r.path, r.body, r.headers...); (err != nil) != (r.path == "/close") {
			t.Errorf("%s %s: error = %v", r.method, r.path, err)
		}
	}
	want := parse(t, `[
		{"method":"POST","path":"/status/500","query":{},"headers":{"content-type":"multipart/form-data; boundary=<BOUNDARY>","x-b":"1, 2"},
		 "multipart":[{"name":"a","filename":null,"contentType":null,"size":3,"body":"x\ny"},
		              {"name":"f","filename":"d/p.bin","contentType":"a/b","size":2,"base64":"//4="}]},
		{"method":"POST","path":"/nope","query":{"":"1","a":""},"headers":{"content-type":"multipart/form-data; boundary=<BOUNDARY>","cookie":"a=1; b=2"},"body":"--B broken"},
		{"method":"GET","path":"/close","query":{},"headers":{}}]`)
	got := s.Requests()
	for i, g := range got.Items() { // net/http retries a GET whose connection was closed, so there may be more of the last
		if w := want.At(min(i, want.Len()-1)); !value.Equal(g, w) {
			t.Errorf("request %d = %s\nwant %s", i, g.JSON(), w.JSON())
		}
	}
	if got.Len() < want.Len() {
		t.Errorf("%d requests, want %d", got.Len(), want.Len())
	}
}

func TestServer_Delay(t *testing.T) {
	t.Parallel()
	s, source := start(t, `{"GET /slow":{"delay_ms":250}}`)
	for path, want := range map[string]time.Duration{"/delay/1500": 1500 * time.Millisecond, "/slow": 250 * time.Millisecond} {
		if _, err := send(t, "GET", s.URL()+path, ""); err != nil {
			t.Fatal(err)
		}
		if got := <-source.slept; got != want {
			t.Errorf("GET %s slept %v, want %v", path, got, want)
		}
	}
}

// Close must not wait out a long answer.
func TestServer_CloseEndsDelays(t *testing.T) {
	t.Parallel()
	s, err := Start(t.Context(), value.Value{}, effect.System{})
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := send(t, "GET", s.URL()+"/delay/3600000", "")
		answered <- err
	}()
	for s.Requests().Len() == 0 {
		select {
		case err := <-answered:
			t.Fatalf("answered early: %v", err)
		default:
			runtime.Gosched()
		}
	}
	s.Close()
	if err := <-answered; err == nil {
		t.Error("request was answered after Close")
	}
}
