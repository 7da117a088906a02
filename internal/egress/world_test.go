package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

// The public address that stands for a server of these tests.
const publicIP = "93.184.216.34"

// world is an internet of names and addresses whose servers listen on the loopback interface.
type world struct {
	t *testing.T

	mu      sync.Mutex
	names   map[string][]string // answers of the resolver; a missing name has none
	servers map[string]string   // listener by address with a port, or by address
	lookups []string
	dials   []string // addresses that were connected
	denials []access.Decision
}

func newWorld(t *testing.T) *world {
	return &world{t: t, names: map[string][]string{}, servers: map[string]string{}}
}

// LookupNetIP is the resolver.
func (w *world) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lookups = append(w.lookups, host)
	var out []netip.Addr
	for _, text := range w.names[normal(host)] {
		out = append(out, netip.MustParseAddr(text))
	}
	if out == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return out, nil
}

// connect is the connector: it asks, as the real one does, and goes to the server that has the address here.
func (w *world) connect(ctx context.Context, to netip.AddrPort, allowed func(netip.AddrPort) error) (net.Conn, error) {
	if err := allowed(to); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.dials = append(w.dials, to.String())
	listener := w.servers[to.String()]
	if listener == "" {
		listener = w.servers[to.Addr().String()]
	}
	w.mu.Unlock()
	if listener == "" {
		return nil, errors.New("connection refused")
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", listener)
}

// serve runs a server at a name, which stands for the address.
func (w *world) serve(name, ip string, h http.HandlerFunc) *httptest.Server {
	w.t.Helper()
	srv := httptest.NewServer(h)
	w.t.Cleanup(srv.Close)
	w.at(name, ip, srv)
	return srv
}

func (w *world) at(name, ip string, srv *httptest.Server) {
	w.names[name] = []string{ip}
	w.servers[ip] = srv.Listener.Addr().String()
}

// client goes out into this world.
func (w *world) client(p Policy, l limits.Limits, opts ...Option) *http.Client {
	w.t.Helper()
	bus := &event.Bus{}
	event.On(bus, func(_ context.Context, d access.Decision) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.denials = append(w.denials, d)
	})
	opts = append(opts, WithResolver(w), WithEvents(bus), func(d *door) { d.connect = w.connect })
	c, err := New(p, l, opts...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(c.CloseIdleConnections)
	return c
}

// trusting lets a client trust the certificate of a server.
func trusting(srv *httptest.Server) Option {
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	return func(d *door) {
		d.tune = func(t *http.Transport) { t.TLSClientConfig = &tls.Config{RootCAs: roots} }
	}
}

// dialled returns the connected addresses since the last call.
func (w *world) dialled() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.dials
	w.dials = nil
	return out
}

// denied returns the audit records since the last call.
func (w *world) denied() []access.Decision {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.denials
	w.denials = nil
	return out
}

// get sends a GET with headers given as names and values.
func get(ctx context.Context, c *http.Client, url string, headers ...string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header[headers[i]] = []string{headers[i+1]}
	}
	return send(c, req)
}

func send(c *http.Client, req *http.Request) (string, error) {
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(resp.Body)
	return string(body), errors.Join(err, resp.Body.Close())
}

// code returns the code of the fault in an error, "" when there is none.
func code(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return fault.CodeOf(f)
	}
	return ""
}

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }
