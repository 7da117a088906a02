package egress

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
)

// sockets is a server that says every message again.
func sockets(t *testing.T) http.HandlerFunc {
	t.Helper()
	return func(rw http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(rw, r, nil)
		if err != nil {
			return // it was no handshake
		}
		defer c.CloseNow()
		for {
			kind, text, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, append(text, r.Header.Get("X-Key")...)) != nil {
				return
			}
		}
	}
}

// A library for WebSockets speaks through the door: over HTTP and over TLS, where a server that also has HTTP/2 is asked
// for the version that can.
func TestUpgrade_WebSocket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("a.test", publicIP, sockets(t))
	secure := httptest.NewUnstartedServer(sockets(t))
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	w.at("example.com", otherIP, secure)
	c := w.client(Policy{}, limits.Default(), trusting(secure))
	for _, url := range []string{"ws://a.test/", "wss://example.com/"} {
		slots := secret.NewSlots("0123456789abcdef")
		ctx := WithUpgrade(secret.WithSlots(t.Context(), slots), "websocket")
		header := http.Header{"X-Key": {slots.Put(secret.New("-key"))}}
		if _, err := get(t.Context(), c, strings.Replace(url, "ws", "http", 1)); err != nil { // a connection that is open
			t.Fatal(err)
		}
		conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: c, HTTPHeader: header})
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if err := conn.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
			t.Errorf("%s: %v", url, err)
		}
		if _, text, err := conn.Read(ctx); err != nil || string(text) != "hello-key" {
			t.Errorf("%s: %q, %v, want hello with the key of the handshake", url, text, err)
		}
		if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	if got := c.Transport.(*door).pools.teams[""].users; got != 0 {
		t.Errorf("%d requests are under way, want none", got)
	}
}

// Other protocols than WebSocket are asked for by HTTP/1.1, too, of a server that also has HTTP/2.
func TestUpgrade_OverTLS(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		conn, buffered, err := http.NewResponseController(rw).Hijack()
		if err != nil {
			t.Errorf("by %s: %v", r.Proto, err)
			return
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, agreed); err == nil {
			_, _ = io.Copy(conn, buffered)
		}
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	w := newWorld(t)
	w.at("example.com", publicIP, srv)
	req, err := http.NewRequestWithContext(WithUpgrade(t.Context(), "chat"), http.MethodGet, "https://example.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.client(Policy{}, limits.Default(), trusting(srv)).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got := make([]byte, 5)
	conn, ok := resp.Body.(io.ReadWriteCloser)
	if !ok || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, want a connection", resp)
	}
	if _, err := io.WriteString(conn, "hello"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v, want hello", got, err)
	}
}

// TestT01_WebSocket: what may not be requested may not be upgraded either, nor what a redirect leads to.
func TestT01_WebSocket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	insideNames(w)
	w.serve("a.test", publicIP, func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, r.URL.Query().Get("to"), http.StatusFound)
	})
	c := w.client(Policy{}, limits.Default())
	red := w.configured(parse(t, `{"teams":{"red":{"allowHosts":["api.test"]}}}`))
	ctx := WithUpgrade(t.Context(), "websocket")
	for target, rule := range insideTargets() {
		want := "EGRESS_DENIED(" + rule + ")"
		if _, err := get(ctx, c, target); code(err) != want {
			t.Errorf("%s: error = %v, want %s", target, err, want)
		}
		if _, err := get(ctx, c, "http://a.test/?to="+target); code(err) != want {
			t.Errorf("a redirect to %s: error = %v, want %s", target, err, want)
		}
	}
	for _, d := range w.dialled() {
		if d != publicIP+":80" {
			t.Errorf("dialled %s", d)
		}
	}
	if got, want := len(w.denied()), 2*len(insideTargets()); got != want {
		t.Errorf("%d records, want %d", got, want)
	}
	if _, err := get(access.WithActing(ctx, access.Acting{Team: "red"}), red, "http://a.test/"); code(err) != "EGRESS_DENIED(host)" {
		t.Errorf("a host that is not the team's: error = %v, want EGRESS_DENIED(host)", err)
	}
}

// switching answers a request with a status line and headers, and then says everything again.
func switching(t *testing.T, head string) func(net.Conn) {
	t.Helper()
	return func(conn net.Conn) {
		r := bufio.NewReader(conn)
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		if _, err := io.WriteString(conn, head); err != nil {
			return
		}
		_, _ = io.Copy(conn, r)
	}
}

const agreed = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n"

func upgrade(ctx context.Context, c *http.Client) (io.ReadWriteCloser, error) {
	req, err := http.NewRequestWithContext(WithUpgrade(ctx, "chat"), http.MethodGet, "http://127.0.0.1/", nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	return resp.Body.(io.ReadWriteCloser), nil
}

// A connection outlives the time of its request, and ends with its context or when it is closed.
func TestUpgrade_Lasts(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"closed", "cancelled"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := pipes(t, switching(t, agreed))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				conn, err := upgrade(ctx, w.client)
				if err != nil {
					t.Fatal(err)
				}
				w.client.CloseIdleConnections()
				pause(t, 3*limits.Default().RequestTime)
				got := make([]byte, 5)
				if _, err := conn.Write([]byte("hello")); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(conn, got); err != nil || string(got) != "hello" {
					t.Errorf("after a while: %q, %v", got, err)
				}
				if end == "closed" {
					if err := conn.Close(); err != nil {
						t.Error(err)
					}
				}
				cancel()
				synctest.Wait()
				if _, err := conn.Read(got); err == nil || errors.Is(err, io.EOF) && end == "closed" {
					t.Errorf("a read after the end: %v", err)
				}
				if closed := w.closed.Load(); closed != 1 {
					t.Errorf("%d connections were closed, want 1", closed)
				}
				if users := w.client.Transport.(*door).pools.teams[""].users; users != 0 {
					t.Errorf("%d requests are under way, want none", users)
				}
				_ = conn.Close() // a second time does no harm
			})
		})
	}
}

// The time of a request is that of its handshake.
func TestUpgrade_Slow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := pipes(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
		start := time.Now()
		if _, err := upgrade(t.Context(), w.client); code(err) != "LIMIT_EXCEEDED(request_time)" || time.Since(start) != limits.Default().RequestTime {
			t.Errorf("error = %v after %s, want LIMIT_EXCEEDED(request_time)", err, time.Since(start))
		}
	})
}

// A server that switches without being asked, or to something else, is refused, and its connection ends.
func TestUpgrade_Unasked(t *testing.T) {
	t.Parallel()
	const nameless = "HTTP/1.1 101 Switching Protocols\r\n\r\n"
	for _, tt := range []struct{ name, asked, answer string }{
		{"nothing was asked for", "", agreed}, {"nothing was asked for, nothing is named", "", nameless},
		{"another protocol", "websocket", agreed}, {"no protocol", "chat", nameless},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := pipes(t, switching(t, tt.answer))
				ctx := t.Context()
				if tt.asked != "" {
					ctx = WithUpgrade(ctx, tt.asked)
				}
				if _, err := get(ctx, w.client, "http://127.0.0.1/"); !fault.Is(err, fault.Unavailable) {
					t.Errorf("error = %v, want UNAVAILABLE", err)
				}
				synctest.Wait()
				if closed := w.closed.Load(); closed != 1 {
					t.Errorf("%d connections were closed, want 1", closed)
				}
			})
		})
	}
}

// A server that does not switch answers like any other.
func TestUpgrade_Declined(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var asked http.Header
	w.serve("a.test", publicIP, func(rw http.ResponseWriter, r *http.Request) {
		asked = r.Header
		hello(rw, r)
	})
	c := w.client(Policy{}, limits.Default())
	body, err := get(WithUpgrade(t.Context(), "chat"), c, "http://a.test/")
	if err != nil || body != "hello" || asked.Get("Connection") != "Upgrade" || asked.Get("Upgrade") != "chat" || asked.Get("Accept-Encoding") != "" {
		t.Errorf("%q, %v, asked with %v", body, err, asked)
	}
	if body, err = get(t.Context(), c, "http://a.test/"); err != nil || body != "hello" || asked.Get("Upgrade") != "" {
		t.Errorf("without: %q, %v, asked with %v", body, err, asked)
	}
	for name, ctx := range map[string]context.Context{"a name that is none": WithUpgrade(t.Context(), "a\r\nb"), "the header of another protocol": WithUpgrade(t.Context(), "chat")} {
		if _, err := get(ctx, c, "http://a.test/", "Upgrade", "h2c"); !fault.Is(err, fault.Invalid) && code(err) != "EGRESS_DENIED(header)" {
			t.Errorf("%s: error = %v, want it refused", name, err)
		}
	}
	req, err := http.NewRequestWithContext(WithUpgrade(t.Context(), "chat"), http.MethodPost, "http://a.test/", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := send(c, req); !fault.Is(err, fault.Invalid) {
		t.Errorf("a POST: error = %v, want INVALID", err)
	}
}
