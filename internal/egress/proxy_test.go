package egress

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

// tunnel is a proxy that leads every request to one server, and notes what it was asked for.
type tunnel struct {
	to string

	mu    sync.Mutex
	asked []string
}

func (p *tunnel) note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, what)
}

func (p *tunnel) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.asked
	p.asked = nil
	return out
}

// join lets two connections talk until one of them ends.
func join(a, b net.Conn) {
	var wg sync.WaitGroup
	for _, ends := range [][2]net.Conn{{a, b}, {b, a}} {
		wg.Go(func() {
			_, _ = io.Copy(ends[0], ends[1])
			_ = ends[0].Close() // so that the other direction ends, too
		})
	}
	wg.Wait()
}

// ServeHTTP is a proxy that knows CONNECT.
func (p *tunnel) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	p.note(r.Method + " " + r.URL.Host + " " + r.Header.Get("Proxy-Authorization"))
	if r.Method != http.MethodConnect {
		_, _ = io.WriteString(rw, "by the proxy")
		return
	}
	far, err := net.Dial("tcp", p.to)
	if err != nil {
		rw.WriteHeader(http.StatusBadGateway)
		return
	}
	near, _, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		_ = far.Close() // nobody talks over it
		return
	}
	_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
	join(near, far)
}

// socks is a proxy of SOCKS5 without authentication.
func (p *tunnel) socks(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				if err := p.greet(conn); err != nil && !errors.Is(err, io.EOF) {
					t.Error(err)
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close() // ends the loop
		all.Wait()
	})
	return ln.Addr().String()
}

func (p *tunnel) greet(conn net.Conn) error {
	r := bufio.NewReader(conn)
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, r, int64(head[1])); err != nil {
		return err
	}
	if _, err := conn.Write([]byte{5, 0}); err != nil {
		return err
	}
	request := make([]byte, 5)
	if _, err := io.ReadFull(r, request); err != nil {
		return err
	}
	if request[3] != 3 {
		return fmt.Errorf("an address of kind %d, want a name", request[3])
	}
	name := make([]byte, int(request[4])+2)
	if _, err := io.ReadFull(r, name); err != nil {
		return err
	}
	n := len(name) - 2
	p.note(fmt.Sprintf("SOCKS %s:%d", name[:n], binary.BigEndian.Uint16(name[n:])))
	if _, err := conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}); err != nil {
		return err
	}
	far, err := net.Dial("tcp", p.to)
	if err != nil {
		return err
	}
	join(conn, far)
	return nil
}

// TestT06_Tunnels: proxies of each kind lead where the policy lets requests go, and nowhere else; each is itself a
// destination under the policy of the team.
func TestT06_Tunnels(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(http.HandlerFunc(hello))
	t.Cleanup(secure.Close)
	proxy := &tunnel{to: secure.Listener.Addr().String()}
	plain := httptest.NewServer(proxy)
	t.Cleanup(plain.Close)
	w := newWorld(t)
	insideNames(w)
	w.names["example.com"] = []string{publicIP}
	w.servers["8.8.4.4"], w.servers["9.9.9.9"] = plain.Listener.Addr().String(), proxy.socks(t)
	c := w.client(Policy{Teams: parse(t, `{"red":{"allowHosts":["example.com"]}}`)}, limits.Default(), trusting(secure))
	for address, want := range map[string]string{
		"http://8.8.4.4:3128": "CONNECT example.com:443 ", "http://user:pass@8.8.4.4:3128": "CONNECT example.com:443 Basic dXNlcjpwYXNz",
		"socks5://9.9.9.9:1080": "SOCKS example.com:443", "socks5h://9.9.9.9:1080": "SOCKS example.com:443",
	} {
		ctx := through(t, t.Context(), address)
		if body, err := get(ctx, c, "https://example.com/"); err != nil || body != "hello" {
			t.Errorf("%s: %q, %v", address, body, err)
		}
		if got := proxy.take(); len(got) != 1 || got[0] != want {
			t.Errorf("%s: the proxy was asked for %q, want %q", address, got, want)
		}
		w.dialled()
		w.denied()
		for target, rule := range insideTargets() {
			if _, err := get(ctx, c, target); code(err) != "EGRESS_DENIED("+rule+")" {
				t.Errorf("%s to %s: error = %v, want EGRESS_DENIED(%s)", address, target, err, rule)
			}
		}
		if got, dialled := proxy.take(), w.dialled(); got != nil || dialled != nil {
			t.Errorf("%s: the proxy was asked for %q, dialled %q, want nothing", address, got, dialled)
		}
		if got := w.denied(); len(got) != len(insideTargets()) {
			t.Errorf("%s: %d records, want one for each refusal", address, len(got))
		}
		_, err := get(access.WithActing(ctx, access.Acting{Team: "red"}), c, "https://example.com/")
		if got := w.denied(); code(err) != "EGRESS_DENIED(host)" || len(got) != 1 || !strings.Contains(address, got[0].Resource[:6]) || strings.Contains(fmt.Sprint(err, got), "pass") {
			t.Errorf("%s as a team that may not use it: %v, %+v, want EGRESS_DENIED(host) about the proxy", address, err, got)
		}
	}
}

// A proxy by TLS proves who it is.
func TestT06_EncryptedProxy(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(hello))
	t.Cleanup(target.Close)
	proxy := &tunnel{to: target.Listener.Addr().String()}
	srv := httptest.NewTLSServer(proxy)
	t.Cleanup(srv.Close)
	w := newWorld(t)
	w.names["a.test"] = []string{publicIP}
	w.at("example.com", otherIP, srv)
	w.at("stranger.test", otherIP, srv)
	c := w.client(Policy{}, limits.Default(), trusting(srv))
	if body, err := get(through(t, t.Context(), "https://example.com:3128"), c, "http://a.test/"); err != nil || body != "by the proxy" {
		t.Errorf("%q, %v, want the answer of the proxy", body, err)
	}
	if _, err := get(through(t, t.Context(), "https://stranger.test:3128"), c, "http://a.test/"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a proxy with the certificate of another: %v, want UNAVAILABLE", err)
	}
	if got := len(proxy.take()); got != 1 {
		t.Errorf("the proxy was asked %d times, want once", got)
	}
}

// TestT06_Audited: what is no proxy is refused when it would be used, and the audit has it.
func TestT06_Audited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("a.test", publicIP, hello)
	c := w.client(Policy{}, limits.Default())
	for address, want := range map[string]string{
		"gopher://user:canary@proxy.test:70": "gopher://proxy.test:70 proxy-scheme", "file://proxy.test/etc/passwd": "file://proxy.test proxy-scheme",
		"socks5://127.0.0.1:6379": "socks5://127.0.0.1 at 127.0.0.1 loopback", "https://10.0.0.1:3128": "https://10.0.0.1 at 10.0.0.1 private",
		"http://169.254.169.254": "http://169.254.169.254 at 169.254.169.254 metadata",
	} {
		_, err := get(through(t, t.Context(), address), c, "http://a.test/")
		if !fault.Is(err, fault.Denied) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: error = %v, want it denied", address, err)
		}
		if got := w.denied(); len(got) != 1 || got[0].Resource+" "+string(got[0].Rule) != want {
			t.Errorf("%s: records %+v, want %s", address, got, want)
		}
	}
	if got := w.dialled(); got != nil {
		t.Errorf("dialled %q, want nothing", got)
	}
}

// through is a context with a proxy.
func through(t *testing.T, ctx context.Context, address string) context.Context {
	t.Helper()
	ctx, err := WithProxy(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}
