package egress

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

func client(t *testing.T, p Policy, l limits.Limits) *http.Client {
	t.Helper()
	c, err := New(p, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func get(t *testing.T, c *http.Client, url string, headers ...string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header[headers[i]] = []string{headers[i+1]}
	}
	res, err := c.Do(req)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(res.Body)
	return string(body), errors.Join(err, res.Body.Close())
}

// code returns the finest code in the chain, also below what net/http wraps around it.
func code(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return fault.CodeOf(f)
	}
	return ""
}

// TestT01_PrivateAddresses: addresses of machines and private networks are refused in all their spellings.
func TestT01_PrivateAddresses(t *testing.T) {
	t.Parallel()
	r, err := newRules(Policy{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []string{
		"127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "169.254.1.1", "100.64.0.1",
		"224.0.0.1", "255.255.255.255", "198.18.0.1", "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fc00::1", "fd00:ec2::254",
		"ff02::1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1",
	} {
		if err := r.address(netip.MustParseAddr(a)); !strings.HasPrefix(code(err), "EGRESS_DENIED(") {
			t.Errorf("%s: error = %v, want EGRESS_DENIED", a, err)
		}
	}
	for _, a := range []string{"1.1.1.1", "8.8.8.8", "2606:4700::1111"} {
		if err := r.address(netip.MustParseAddr(a)); err != nil {
			t.Errorf("%s: error = %v, want it allowed", a, err)
		}
	}
}

// TestT02_MetadataStaysClosed: allowing private networks does not allow the metadata service.
func TestT02_MetadataStaysClosed(t *testing.T) {
	t.Parallel()
	r, err := newRules(Policy{AllowPrivate: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []string{"169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "100.100.100.200"} {
		if err := r.address(netip.MustParseAddr(a)); code(err) != "EGRESS_DENIED(metadata)" {
			t.Errorf("%s: error = %v, want EGRESS_DENIED(metadata)", a, err)
		}
	}
	r, err = newRules(Policy{AllowNets: []string{"169.254.169.254/32"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.address(netip.MustParseAddr("169.254.169.254")); err != nil {
		t.Errorf("a network that the operator named: error = %v", err)
	}
}

// TestT01_NothingArrives: a refused request does not reach the listener.
func TestT01_NothingArrives(t *testing.T) {
	t.Parallel()
	var hits atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	t.Cleanup(srv.Close)
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, Policy{}, limits.Default())
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "127.0.0.1.", "0.0.0.0", "2130706433", "0x7f000001", "127.1"} {
		if _, err := get(t, c, "http://"+host+":"+port+"/"); err == nil {
			t.Errorf("%s: the request was sent", host)
		}
	}
	if hits.Load() != 0 {
		t.Errorf("%d requests arrived", hits.Load())
	}
}

// TestT03_Redirects: each hop is checked, their number is bounded, and credentials do not leave their origin.
func TestT03_Redirects(t *testing.T) {
	t.Parallel()
	var auth atomic.Value
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		auth.Store(r.Header.Get("Authorization") + r.Header.Get("Cookie"))
	}))
	t.Cleanup(target.Close)
	srv := httptest.NewServer(nil)
	t.Cleanup(srv.Close)
	srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/away":
			http.Redirect(w, r, target.URL, http.StatusFound)
		case "/file":
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		case "/metadata":
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
		}
	})
	c := client(t, Policy{AllowPrivate: true}, limits.Default())
	for path, want := range map[string]string{"/loop": "LIMIT_EXCEEDED(redirects)", "/file": "EGRESS_DENIED(scheme)", "/metadata": "EGRESS_DENIED(metadata)"} {
		if _, err := get(t, c, srv.URL+path); code(err) != want {
			t.Errorf("%s: error = %v, want %s", path, err, want)
		}
	}
	if _, err := get(t, c, srv.URL+"/away", "Authorization", "Bearer canary", "Cookie", "canary"); err != nil {
		t.Fatal(err)
	}
	if got := auth.Load(); got != "" {
		t.Errorf("the other origin got the credentials %q", got)
	}
}

// TestT04_Resolution: the address is checked again at the socket.
func TestT04_Resolution(t *testing.T) {
	t.Parallel()
	r, err := newRules(Policy{})
	if err != nil {
		t.Fatal(err)
	}
	d := &door{rules: r, limits: limits.Default()}
	if err := d.control("tcp4", "127.0.0.1:80", nil); code(err) != "EGRESS_DENIED(loopback)" {
		t.Errorf("control() error = %v, want EGRESS_DENIED(loopback)", err)
	}
	if _, err := d.dial(t.Context(), "tcp", "localhost:1"); code(err) != "EGRESS_DENIED(loopback)" {
		t.Errorf("dial() error = %v, want EGRESS_DENIED(loopback)", err)
	}
}

// TestT07_HeaderInjection: headers that would change the request on the wire are refused by name.
func TestT07_HeaderInjection(t *testing.T) {
	t.Parallel()
	var hits atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	t.Cleanup(srv.Close)
	c := client(t, Policy{AllowPrivate: true}, limits.Default())
	for _, h := range [][2]string{
		{"X-A", "a\r\nHost: evil"}, {"X-A\r\nHost", "evil"}, {"Host", "evil"}, {"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}, {"Connection", "close"},
	} {
		_, err := get(t, c, srv.URL, h[0], h[1])
		if code(err) != "EGRESS_DENIED(header)" && (err == nil || !strings.Contains(err.Error(), "invalid header")) {
			t.Errorf("%q: error = %v, want it refused", h, err)
		}
	}
	if _, err := get(t, c, strings.Replace(srv.URL, "http://", "http://user:canary@", 1)); code(err) != "EGRESS_DENIED(credentials)" || strings.Contains(err.Error(), "canary") {
		t.Errorf("credentials in the address: error = %v", err)
	}
	if hits.Load() != 0 {
		t.Errorf("%d requests arrived", hits.Load())
	}
}

// TestT08_ResponseBombs: answers end at their limits by counted bytes.
func TestT08_ResponseBombs(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/declared":
			w.Header().Set("Content-Length", "9000000000000000000")
		case "/endless":
			for {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for range 1 << 10 {
				if _, err := z.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
			_ = z.Close() // the client has gone
		case "/packed":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write([]byte("hello"))
			_ = z.Close()
		}
	}))
	t.Cleanup(srv.Close)
	small := limits.Default()
	small.ResponseBytes, small.ResponseRatio = 16<<20, 10
	c := client(t, Policy{AllowPrivate: true}, small)
	for path, want := range map[string]string{"/declared": "LIMIT_EXCEEDED(response_bytes)", "/endless": "LIMIT_EXCEEDED(response_bytes)", "/bomb": "LIMIT_EXCEEDED(response_ratio)"} {
		if _, err := get(t, c, srv.URL+path); code(err) != want {
			t.Errorf("%s: error = %v, want %s", path, err, want)
		}
	}
	if body, err := get(t, c, srv.URL+"/packed"); err != nil || body != "hello" {
		t.Errorf("a packed answer: %q, %v; want it unpacked", body, err)
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }))
	t.Cleanup(srv.Close)
	for name, test := range map[string]struct {
		config string
		want   string
	}{
		"nothing":           {`{}`, "EGRESS_DENIED(loopback)"},
		"private":           {`{"allowPrivate":true}`, ""},
		"network":           {`{"allowNetworks":["127.0.0.0/8"]}`, ""},
		"another network":   {`{"allowNetworks":["10.0.0.0/8"]}`, "EGRESS_DENIED(loopback)"},
		"host":              {`{"allowPrivate":true,"allowHosts":["127.0.0.1"]}`, ""},
		"another host":      {`{"allowPrivate":true,"allowHosts":["*.example.com"]}`, "EGRESS_DENIED(host)"},
		"closed":            {`{"allowPrivate":true,"closed":true}`, "EGRESS_DENIED(closed)"},
		"no such member":    {`{"allowPrivat":true}`, "INVALID"},
		"no network at all": {`{"allowNetworks":["x"]}`, "INVALID"},
	} {
		v, err := value.Parse(test.config)
		if err != nil {
			t.Fatal(err)
		}
		c, err := FromConfig(v, limits.Default())
		if err == nil {
			_, err = get(t, c, srv.URL)
			c.CloseIdleConnections()
		}
		if got := code(err); got != test.want {
			t.Errorf("%s: error = %v (%s), want %q", name, err, got, test.want)
		}
	}
}

func TestCancelReachesTheSocket(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	arrived := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(gone)
	}))
	t.Cleanup(srv.Close)
	c := client(t, Policy{AllowPrivate: true}, limits.Default())
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err == nil {
		t.Error(res.Body.Close())
	}
	<-gone
}
