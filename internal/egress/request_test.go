package egress

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

// TestT07_Injection: a request that would put other bytes on the wire is refused, with the field named but not shown,
// and nothing arrives.
func TestT07_Injection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var hits atomic.Int64
	w.serve("a.test", publicIP, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	c := w.client(Policy{}, limits.Default())
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = []string{value} }
	}
	tests := []struct {
		name   string
		change func(*http.Request)
		field  string
	}{
		{"line break in a value", set("X-A", "canary\r\nHost: evil"), "header X-A"},
		{"line feed in a value", set("X-A", "canary\nb"), "header X-A"},
		{"NUL in a value", set("X-A", "canary\x00"), "header X-A"},
		{"DEL in a value", set("X-A", "canary\x7f"), "header X-A"},
		{"line break in a name", set("X-A\r\nHost", "evil"), "name of a header"},
		{"colon in a name", set("X-A: b", "evil"), "name of a header"},
		{"empty name", set("", "evil"), "name of a header"},
		{"Host", set("Host", "evil"), "header Host"},
		{"host in lower case", set("host", "evil"), "header Host"},
		{"Content-Length", set("Content-Length", "5"), "header Content-Length"},
		{"Transfer-Encoding", set("Transfer-Encoding", "chunked"), "header Transfer-Encoding"},
		{"Connection", set("Connection", "close"), "header Connection"},
		{"Upgrade", set("upgrade", "h2c"), "header Upgrade"},
		{"TE", set("TE", "trailers"), "header Te"},
		{"Proxy-Authorization", set("Proxy-Authorization", "x"), "header Proxy-Authorization"},
		{"another host", func(r *http.Request) { r.Host = "evil" }, "header Host"},
		{"line break in the method", func(r *http.Request) { r.Method = "GET / HTTP/1.1\r\nX: y" }, "method"},
		{"line break in the query", func(r *http.Request) { r.URL.RawQuery = "a\r\nHost: evil" }, "URL"},
		{"line break in the host", func(r *http.Request) { r.URL.Host, r.Host = "a.test\r\nX: y", "" }, "URL"},
		{"slash in the host", func(r *http.Request) { r.URL.Host, r.Host = "a.test/evil", "" }, "URL"},
		{"no host", func(r *http.Request) { r.URL.Host, r.Host = ":80", "" }, "URL"},
		{"opaque", func(r *http.Request) { r.URL.Opaque = "//evil/ HTTP/1.1" }, "URL"},
		{"trailer", func(r *http.Request) { r.Trailer = http.Header{"X-A": nil} }, "trailer"},
	}
	for _, test := range tests {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://a.test/", nil)
		if err != nil {
			t.Fatal(err)
		}
		test.change(req)
		resp, err := c.Transport.RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if code(err) != "EGRESS_DENIED(header)" || !strings.Contains(err.Error(), test.field) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: error = %v, want it to name the %s", test.name, err, test.field)
		}
	}
	if _, err := get(t.Context(), c, "http://user:canary@a.test/"); code(err) != "EGRESS_DENIED(credentials)" || strings.Contains(err.Error(), "canary") {
		t.Errorf("credentials in the address: error = %v", err)
	}
	if hits.Load() != 0 || w.dialled() != nil {
		t.Errorf("%d requests arrived", hits.Load())
	}
	if got := len(w.denied()); got != len(tests)+1 {
		t.Errorf("%d records, want %d", got, len(tests)+1)
	}
	if _, err := get(t.Context(), c, "http://a.test/%0d%0aHost:%20evil?a=%0d%0a", "X-A", "tab\tand ünicode"); err != nil || hits.Load() != 1 {
		t.Errorf("a harmless request: %v", err)
	}
	if _, err := c.Transport.RoundTrip(&http.Request{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("no URL: error = %v, want INVALID", err)
	}
}

// TestT06_Proxy: a proxy is a destination like any other, its scheme is known, and the environment names none.
func TestT06_Proxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	t.Setenv("ALL_PROXY", "socks5://127.0.0.1:1")
	w := newWorld(t)
	insideNames(w)
	var asked []string
	w.serve("proxy.test", otherIP, func(rw http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		hello(rw, r)
	})
	w.serve("a.test", publicIP, func(rw http.ResponseWriter, r *http.Request) { _, _ = rw.Write([]byte("direct")) })
	c := w.client(Policy{}, limits.Default())
	if body, err := get(t.Context(), c, "http://a.test/"); err != nil || body != "direct" {
		t.Errorf("with a proxy in the environment: %q, %v, want a direct answer", body, err)
	}
	w.dialled()
	for address, want := range map[string]string{
		"socks5://127.0.0.1:6379": "EGRESS_DENIED(loopback)", "http://10.0.0.1:3128": "EGRESS_DENIED(private)", "https://localhost:3128": "EGRESS_DENIED(loopback)",
		"socks5h://[::1]:1": "EGRESS_DENIED(loopback)", "gopher://proxy.test:70": "EGRESS_DENIED(proxy-scheme)", "file://proxy.test/x": "EGRESS_DENIED(proxy-scheme)",
		"socks4://proxy.test:1": "EGRESS_DENIED(proxy-scheme)", "http://canary:canary@pro xy": "INVALID", "nothing": "INVALID",
	} {
		ctx, err := WithProxy(t.Context(), address)
		if err == nil {
			_, err = get(ctx, c, "http://a.test/")
		}
		if code(err) != want || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: error = %v, want %s", address, err, want)
		}
	}
	if got := w.dialled(); got != nil {
		t.Errorf("dialled %q, want nothing", got)
	}
	ctx, err := WithProxy(t.Context(), "http://proxy.test:8080")
	if err != nil {
		t.Fatal(err)
	}
	if body, err := get(ctx, c, "http://a.test/x"); err != nil || body != "hello" || len(asked) != 1 || asked[0] != "http://a.test/x" {
		t.Errorf("through the proxy: %q, %v, it was asked for %q", body, err, asked)
	}
	for target, rule := range insideTargets() {
		if _, err := get(ctx, c, target); code(err) != "EGRESS_DENIED("+rule+")" {
			t.Errorf("%s through the proxy: error = %v, want EGRESS_DENIED(%s)", target, err, rule)
		}
	}
	if len(asked) != 1 {
		t.Errorf("the proxy was asked for %q", asked)
	}
}

func FuzzUnfit(f *testing.F) {
	f.Add("GET", "/", "X-A", "b")
	f.Add("GET\r\n", "a?b", "X-A\r\n", "b\r\nc")
	f.Fuzz(func(t *testing.T, method, query, name, value string) {
		r := (&http.Request{Method: method, URL: &url.URL{Scheme: "http", Host: "a.test", Path: "/", RawQuery: query}}).WithContext(context.Background())
		if unfit(r, http.Header{name: {value}}) != "" {
			return
		}
		var wire strings.Builder
		r.Header = http.Header{name: {value}}
		if err := r.Write(&wire); err != nil {
			return
		}
		lines := strings.Count(wire.String(), "\n")
		// Request line, Host, User-Agent, perhaps the header itself and what a method with a body adds, and the end.
		if lines > 6 || strings.Count(wire.String(), "\r") != lines {
			t.Errorf("%q %q %q %q was written as %q", method, query, name, value, wire.String())
		}
	})
}
