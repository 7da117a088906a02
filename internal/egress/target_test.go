package egress

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

// insideTargets are addresses of T01 with what refuses them.
func insideTargets() map[string]string {
	return map[string]string{
		"http://169.254.169.254/latest/meta-data/": "metadata", "http://[fd00:ec2::254]/": "metadata", "http://100.100.100.200/": "metadata",
		"http://metadata.google.internal/": "metadata", "http://127.0.0.1:6379/": "loopback", "http://10.0.0.1/": "private",
		"http://localhost:5053/": "loopback", "https://192.168.0.1/": "private",
	}
}

func insideNames(w *world) {
	w.names["metadata.google.internal"] = []string{"169.254.169.254"}
	w.names["localhost"] = []string{"127.0.0.1", "::1"}
}

// TestT01_Inside: targets inside are refused by rule and address, nothing is dialled, and one record is left.
func TestT01_Inside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	insideNames(w)
	c := w.client(Policy{}, limits.Default())
	for target, rule := range insideTargets() {
		body, err := get(t.Context(), c, target+"?canary=1", "Authorization", "canary")
		if !fault.Is(err, fault.Denied) || code(err) != "EGRESS_DENIED("+rule+")" || body != "" {
			t.Errorf("%s: %q, %v, want EGRESS_DENIED(%s)", target, body, err, rule)
			continue
		}
		records := w.denied()
		if len(records) != 1 || records[0].Rule != access.Rule(rule) || !strings.Contains(records[0].Resource, " at ") || records[0].Allowed {
			t.Errorf("%s: records %+v, want one with the rule and the address", target, records)
		}
		for _, r := range records {
			if strings.Contains(r.Resource, "canary") {
				t.Errorf("%s: the record tells what was asked: %+v", target, r)
			}
		}
	}
	if got := w.dialled(); got != nil {
		t.Errorf("dialled %q, want nothing", got)
	}
}

// TestT02_Disguise: however a target inside is written, it is refused by the address it stands for.
func TestT02_Disguise(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"localhost", "127.0.0.1.nip.io", "xn--nxa.test"} {
		w.names[name] = []string{"127.0.0.1"}
	}
	w.names["a.test"], w.names["six.test"] = []string{"::ffff:10.0.0.1"}, []string{"::1"}
	c := w.client(Policy{}, limits.Default())
	for _, host := range []string{
		"2130706433", "0177.0.0.1", "0x7f.1", "0x7f000001", "127.1", "127.0.1", "017700000001", "127.0.0.1.", "127.255.255.255", "0",
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "0.0.0.0", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]",
		"[fe80::1%25lo]", "localhost.", "LOCALHOST", "LocalHost.", "１２７.０.０.１", "①②⑦.⓪.⓪.①", "127.0.0.1.nip.io", "a.test", "six.test", "XN--nxa.test",
		"3232235521", "0xA9FEA9FE", "169.254.43518", "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[::ffff:0:7f00:1]",
		"[fec0::1]", "[ff02::1]", "[2001:0:7f00:1::]", "255.255.255.255", "198.18.0.1", "192.0.0.192", "100.64.0.1",
	} {
		_, err := get(t.Context(), c, "http://"+host+"/")
		if !strings.HasPrefix(code(err), "EGRESS_DENIED(") {
			t.Errorf("%s: error = %v, want it denied", host, err)
		}
		if r := w.denied(); len(r) != 1 || !strings.Contains(r[0].Resource, " at ") {
			t.Errorf("%s: records %+v, want one that names the address", host, r)
		}
	}
	for _, url := range []string{"http://a@127.0.0.1/", "http://127.0.0.1#@a.com", "http://127.0.0.1?@a.com", "http://127.0.0.1\\@a.com", "http://127.0.0.1%2f@a.com/"} {
		if _, err := get(t.Context(), c, url); err == nil {
			t.Errorf("%s was sent", url)
		}
	}
	// What is no address and no name is never left to the resolver.
	for _, host := range []string{"1.2.3.4.5", "256.1.1.1", "a.1", "09.0.0.1"} {
		if _, err := get(t.Context(), c, "http://"+host+"/"); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: error = %v, want INVALID", host, err)
		}
	}
	if got := w.dialled(); got != nil {
		t.Errorf("dialled %q, want nothing", got)
	}
	for _, name := range w.lookups {
		if strings.Trim(name, "0123456789.") == "" {
			t.Errorf("the resolver was asked for %q", name)
		}
	}
}

// rebinding answers with a public address and with the machine itself, in turns.
type rebinding struct{ n atomic.Int64 }

func (r *rebinding) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	public, inside := netip.MustParseAddr(publicIP), netip.MustParseAddr("127.0.0.1")
	switch r.n.Add(1) % 3 {
	case 1:
		return []netip.Addr{public}, nil
	case 2:
		return []netip.Addr{inside}, nil
	}
	return []netip.Addr{public, inside}, nil
}

// TestT04_Rebinding: a name is resolved once for a connection, so changing its answer gains nothing; an answer with one
// address inside is refused as a whole.
func TestT04_Rebinding(t *testing.T) {
	t.Parallel()
	const tries, parallel = 1000, 50
	w, r := newWorld(t), &rebinding{}
	w.serve("a.test", publicIP, hello)
	c, err := New(Policy{}, limits.Default(), WithResolver(r), func(d *door) {
		d.connect, d.tune = w.connect, func(t *http.Transport) { t.DisableKeepAlives = true }
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	var ok, refused atomic.Int64
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			for range tries / parallel {
				switch _, err := get(t.Context(), c, "http://rebind.test/"); {
				case err == nil:
					ok.Add(1)
				case code(err) == "EGRESS_DENIED(loopback)":
					refused.Add(1)
				default:
					t.Errorf("unexpected: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if got := ok.Load() + refused.Load(); got != tries || ok.Load() == 0 || refused.Load() == 0 {
		t.Errorf("%d answered, %d refused, want %d together and some of both", ok.Load(), refused.Load(), tries)
	}
	if got := r.n.Load(); got != tries {
		t.Errorf("%d resolutions for %d connections, want one each", got, tries)
	}
	for _, d := range w.dialled() {
		if d != publicIP+":80" {
			t.Errorf("dialled %s", d)
		}
	}
}

// TestT04_Socket: the address that the system is about to connect is checked, and a refusal connects nothing.
func TestT04_Socket(t *testing.T) {
	t.Parallel()
	var hits atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	var opened atomic.Int64
	srv.Config.ConnState = func(net.Conn, http.ConnState) { opened.Add(1) }
	srv.Start()
	t.Cleanup(srv.Close)
	to := netip.MustParseAddrPort(srv.Listener.Addr().String())
	conn, err := connect(t.Context(), to, func(at netip.AddrPort) error { return new(rules).allow("a.test", at.Port(), at.Addr()) })
	if code(err) != "EGRESS_DENIED(loopback)" || conn != nil {
		t.Errorf("connect = %v, %v, want EGRESS_DENIED(loopback)", conn, err)
	}
	c, err := New(Policy{AllowPrivate: true}, limits.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	if hits.Load()+opened.Load() != 0 {
		t.Errorf("%d connections arrived", opened.Load())
	}
	if _, err := get(t.Context(), c, srv.URL); err != nil || hits.Load() != 1 {
		t.Errorf("an allowed request: %v, %d arrived", err, hits.Load())
	}
}

// counting answers every question with this machine.
type counting struct{ n atomic.Int64 }

func (c *counting) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	c.n.Add(1)
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

// TestT04_Listener: a name that stands for this machine by the time it is connected reaches no listener there. The check
// of the name is taken away, so that the check at the socket stands alone.
func TestT04_Listener(t *testing.T) {
	t.Parallel()
	const tries, parallel = 1000, 50
	var opened atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(hello))
	srv.Config.ConnState = func(net.Conn, http.ConnState) { opened.Add(1) }
	srv.Start()
	t.Cleanup(srv.Close)
	inside := netip.MustParseAddrPort(srv.Listener.Addr().String())
	public, resolver := netip.MustParseAddr(publicIP), &counting{}
	var refused, asked atomic.Int64
	swapped := func(ctx context.Context, _ netip.AddrPort, allowed func(netip.AddrPort) error) (net.Conn, error) {
		return connect(ctx, inside, func(at netip.AddrPort) error {
			asked.Add(1)
			return allowed(at)
		})
	}
	for name, one := range map[string]struct {
		resolver Resolver
		connect  connector
		sockets  int64
	}{
		"the name": {resolver, connect, 0},
		"the socket": {lookup(func(context.Context, string, string) ([]netip.Addr, error) {
			resolver.n.Add(1)
			return []netip.Addr{public}, nil
		}), swapped, tries},
	} {
		resolver.n.Store(0)
		refused.Store(0)
		asked.Store(0)
		c, err := New(Policy{}, limits.Default(), WithResolver(one.resolver), func(d *door) { d.connect = one.connect })
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range parallel {
			wg.Go(func() {
				for range tries / parallel {
					if _, err := get(t.Context(), c, "http://rebind.test:"+strconv.Itoa(int(inside.Port()))+"/"); code(err) == "EGRESS_DENIED(loopback)" {
						refused.Add(1)
					} else {
						t.Errorf("%s: error = %v, want EGRESS_DENIED(loopback)", name, err)
					}
				}
			})
		}
		wg.Wait()
		c.CloseIdleConnections()
		if got, sockets, names := refused.Load(), asked.Load(), resolver.n.Load(); got != tries || sockets != one.sockets || names != tries {
			t.Errorf("%s: %d refused, %d at the socket, %d resolutions, want %d, %d and %d", name, got, sockets, names, tries, one.sockets, tries)
		}
	}
	if got := opened.Load(); got != 0 {
		t.Errorf("%d connections arrived, want none", got)
	}
}

// lookup is a resolver.
type lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

func (f lookup) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return f(ctx, network, host)
}

func TestDialFallsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("a.test", publicIP, hello)
	w.names["a.test"] = []string{"2606:4700::1111", publicIP}
	w.names["down.test"] = []string{"2606:4700::1111"}
	c := w.client(Policy{}, limits.Default())
	if body, err := get(t.Context(), c, "http://a.test/"); err != nil || body != "hello" {
		t.Errorf("with the first address down: %q, %v", body, err)
	}
	for _, host := range []string{"down.test", "nowhere.test"} {
		if _, err := get(t.Context(), c, "http://"+host+"/"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: error = %v, want UNAVAILABLE", host, err)
		}
	}
}

// Closed lets nothing out, not even what a rule names.
func TestClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("a.test", publicIP, hello)
	c := w.client(Policy{Closed: true, AllowPrivate: true}, limits.Default())
	for _, url := range []string{"http://a.test/", "http://127.0.0.1/", "file:///etc/passwd"} {
		if _, err := get(t.Context(), c, url); code(err) != "EGRESS_DENIED(closed)" {
			t.Errorf("%s: error = %v, want EGRESS_DENIED(closed)", url, err)
		}
	}
	if w.dialled() != nil || w.lookups != nil || len(w.denied()) != 3 {
		t.Errorf("dialled %q, looked up %q, want nothing and three records", w.dials, w.lookups)
	}
}
