package egress

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/hop"
	"github.com/sre-go/sre/internal/limits"
)

// depths are what a server is told about where its requests come from: -1 for nothing, -2 for what it cannot believe.
type depths struct {
	mu   sync.Mutex
	seen []int
}

func (d *depths) handler(key *hop.Key) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		depth := -1
		if texts := r.Header.Values(hop.Header); len(texts) > 0 {
			if h, err := key.Verify(texts[0]); err != nil || h.Run != "run-1" {
				depth = -2
			} else {
				depth = h.Depth
			}
		}
		d.mu.Lock()
		d.seen = append(d.seen, depth)
		d.mu.Unlock()
		if to := r.URL.Query().Get("to"); to != "" {
			http.Redirect(rw, r, to, http.StatusFound)
		}
	}
}

func (d *depths) take() []int {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.seen
	d.seen = nil
	return out
}

// TestT09_HopCounter: a request of a run that comes back to the runtime, by whatever name, says how deep it is, and no
// other request does.
func TestT09_HopCounter(t *testing.T) {
	t.Parallel()
	key := hop.NewKey(effect.System{})
	var told, strangers depths
	w := newWorld(t)
	self := w.serve("agents.test", publicIP, told.handler(key))
	for _, name := range []string{"second.test", "x.agents.test", "public.test"} {
		w.at(name, publicIP, self)
	}
	w.serve("other.test", otherIP, strangers.handler(key))
	run := hop.With(t.Context(), hop.Hop{Depth: 3, Run: "run-1"})
	tests := []struct {
		name            string
		ownHosts        []string
		listening       bool
		ctx             context.Context
		url             string
		want, elsewhere []int
	}{
		{"a name of the configuration", []string{"agents.test"}, false, run, "http://agents.test/", []int{3}, nil},
		{"a name below", []string{"*.agents.test"}, false, run, "http://x.agents.test/", []int{3}, nil},
		{"a name with its port", []string{"Agents.test:80"}, false, run, "http://AGENTS.test/", []int{3}, nil},
		{"a name with another port", []string{"agents.test:81"}, false, run, "http://agents.test/", []int{-1}, nil},
		{"an address", []string{publicIP}, false, run, "http://" + publicIP + "/", []int{3}, nil},
		{"a second name that is not listed", []string{"agents.test"}, false, run, "http://second.test/", []int{-1}, nil},
		{"a second name, by the listener", nil, true, run, "http://second.test/", []int{3}, nil},
		{"a name of the server", nil, true, run, "http://public.test/", []int{3}, nil},
		{"another server", []string{"agents.test"}, true, run, "http://other.test/", nil, []int{-1}},
		{"outside of runs", []string{"agents.test"}, true, t.Context(), "http://agents.test/", []int{-1}, nil},
		{"a redirect that comes back", nil, true, run, "http://other.test/?to=http://second.test/", []int{3}, []int{-1}},
		{"a redirect that leads away", nil, true, run, "http://second.test/?to=http://other.test/", []int{3}, []int{-1}},
		{"a redirect from a name that leads away", []string{"agents.test"}, false, run, "http://agents.test/?to=http://other.test/", []int{3}, []int{-1}},
	}
	for _, tt := range tests { // in turn: the servers are shared
		c := w.client(Policy{OwnHosts: tt.ownHosts}, limits.Default(), WithHop(key))
		if tt.listening {
			if err := Own(c, self.Listener.Addr(), "Public.test"); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // and again over a connection that is open
			if _, err := get(tt.ctx, c, tt.url); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			if got := told.take(); !slices.Equal(got, tt.want) {
				t.Errorf("%s: the runtime was told %v, want %v", tt.name, got, tt.want)
			}
			if got := strangers.take(); !slices.Equal(got, tt.elsewhere) {
				t.Errorf("%s: another server was told %v, want %v", tt.name, got, tt.elsewhere)
			}
		}
		c.CloseIdleConnections()
	}
}

// TestT09_Forged: an agent cannot say itself how deep it is.
func TestT09_Forged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("a.test", publicIP, hello)
	c := w.client(Policy{OwnHosts: []string{"a.test"}}, limits.Default())
	for _, name := range []string{"X-SRE-Hop", "x-sre-hop", hop.Header} {
		if _, err := get(t.Context(), c, "http://a.test/", name, "1.x.y"); code(err) != "EGRESS_DENIED(header)" {
			t.Errorf("%s: error = %v, want EGRESS_DENIED(header)", name, err)
		}
	}
}

// The header is on requests by HTTP/2, too.
func TestT09_HTTP2(t *testing.T) {
	t.Parallel()
	key := hop.NewKey(effect.System{})
	var told depths
	w := newWorld(t)
	srv := httptest.NewUnstartedServer(told.handler(key))
	srv.EnableHTTP2 = true
	srv.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	w.at("example.com", publicIP, srv)
	c := w.client(Policy{}, limits.Default(), trusting(srv), WithHop(key))
	if err := Own(c, srv.Listener.Addr()); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			ctx := hop.With(t.Context(), hop.Hop{Depth: 2, Run: "run-1"})
			if _, err := get(ctx, c, "https://example.com/"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, want := told.take(), []int{2, 2, 2, 2, 2, 2, 2, 2}; !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
}

// A listener at all addresses of the machine is known at each of them, and its port elsewhere is nothing to it.
func TestOwn_ListensAt(t *testing.T) {
	t.Parallel()
	var o own
	for _, text := range []string{"0.0.0.0:5053", "[::]:5054", "10.0.0.5:80", "[::ffff:10.0.0.6]:80"} {
		at, err := net.ResolveTCPAddr("tcp", text)
		if err != nil {
			t.Fatal(err)
		}
		o.add(at.AddrPort(), nil)
	}
	tests := []struct {
		local, remote string
		want          bool
	}{
		{"127.0.0.1:40000", "127.0.0.1:5053", true},
		{"192.168.1.7:40000", "192.168.1.7:5053", true},
		{"192.168.1.7:40000", "192.168.1.8:5053", false},
		{"[fd00::1]:40000", "[fd00::1]:5054", true},
		{"[::1]:40000", "[::1]:5054", true},
		{"127.0.0.1:40000", "127.0.0.1:5055", false},
		{"10.0.0.1:40000", "10.0.0.5:80", true},
		{"10.0.0.1:40000", "10.0.0.6:80", true},
		{"10.0.0.1:40000", "10.0.0.7:80", false},
		{"10.0.0.5:40000", "10.0.0.5:81", false},
	}
	for _, tt := range tests {
		if got := o.listensAt(between(t, tt.local, tt.remote)); got != tt.want {
			t.Errorf("from %s to %s: %t, want %t", tt.local, tt.remote, got, tt.want)
		}
	}
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	if o.listensAt(near) {
		t.Error("a pipe is taken for a listener")
	}
}

// ends is a connection of which only the ends are asked.
type ends struct {
	net.Conn
	local, remote net.Addr
}

func (e ends) LocalAddr() net.Addr  { return e.local }
func (e ends) RemoteAddr() net.Addr { return e.remote }

func between(t *testing.T, local, remote string) net.Conn {
	t.Helper()
	var e ends
	for text, to := range map[string]*net.Addr{local: &e.local, remote: &e.remote} {
		at, err := net.ResolveTCPAddr("tcp", text)
		if err != nil {
			t.Fatal(err)
		}
		*to = at
	}
	return e
}

func TestOwn_Faults(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", ":80", "a.test:0", "a.test:x", "http://a.test", "a b", "u@a.test"} {
		if _, err := New(Policy{OwnHosts: []string{bad}}, limits.Default()); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "egress.ownHosts") {
			t.Errorf("%q: error = %v, want INVALID about egress.ownHosts", bad, err)
		}
	}
	if err := Own(&http.Client{}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}); !fault.Is(err, fault.Unsupported) {
		t.Errorf("another client: %v, want UNSUPPORTED", err)
	}
	c := newWorld(t).client(Policy{}, limits.Default())
	if err := Own(c, &net.UnixAddr{Name: "x", Net: "unix"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an address that is none: %v, want INVALID", err)
	}
}

// A runtime without a key signs nothing.
func TestOwn_NoKey(t *testing.T) {
	t.Parallel()
	var told depths
	w := newWorld(t)
	srv := w.serve("a.test", publicIP, told.handler(hop.NewKey(effect.System{})))
	c := w.client(Policy{OwnHosts: []string{"a.test"}}, limits.Default())
	if err := Own(c, srv.Listener.Addr()); err != nil {
		t.Fatal(err)
	}
	if _, err := get(hop.With(t.Context(), hop.Hop{Depth: 1, Run: "run-1"}), c, "http://a.test/"); err != nil {
		t.Fatal(err)
	}
	if got := told.take(); !slices.Equal(got, []int{-1}) {
		t.Errorf("told %v, want nothing", got)
	}
}
