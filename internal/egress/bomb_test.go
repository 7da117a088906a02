package egress

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/leak"
	"github.com/sre-go/sre/internal/limits"
)

// forever writes a text again and again until nobody reads any more.
func forever(w io.Writer, text string) {
	block := []byte(strings.Repeat(text, 1+4096/len(text)))
	for {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// answering reads one request and answers with the text, then goes on.
func answering(t *testing.T, text string, then func(net.Conn)) func(net.Conn) {
	t.Helper()
	return func(conn net.Conn) {
		if _, err := conn.Read(make([]byte, 4096)); err != nil {
			return
		}
		if _, err := io.WriteString(conn, text); err != nil {
			return
		}
		if then != nil {
			then(conn)
		}
	}
}

// TestT08_Framing: answers that never end in the parts that are not their body end with an error and their connection.
func TestT08_Framing(t *testing.T) {
	t.Parallel()
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	repeat := func(text string) func(net.Conn) { return func(c net.Conn) { forever(c, text) } }
	tests := []struct {
		name, answer string
		then         func(net.Conn)
		want         string
	}{
		{"a header without end", "HTTP/1.1 200 OK\r\nX-A: ", repeat("a"), "LIMIT_EXCEEDED(header_bytes)"},
		{"headers without end", "HTTP/1.1 200 OK\r\n", repeat("X-A: b\r\n"), "LIMIT_EXCEEDED(header_bytes)"},
		{"a status without end", "HTTP/1.1 200 ", repeat("a"), "LIMIT_EXCEEDED(header_bytes)"},
		{"hints without end", "", repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), "LIMIT_EXCEEDED(header_bytes)"},
		{"a trailer without end", chunked + "1\r\na\r\n0\r\nX-A: ", repeat("a"), "UNAVAILABLE"},
		{"trailers without end", chunked + "1\r\na\r\n0\r\n", repeat("X-A: b\r\n"), "UNAVAILABLE"},
		{"an extension of a chunk without end", chunked + "1;", repeat("a"), "UNAVAILABLE"},
		{"chunks that are mostly extension", chunked, repeat("1;" + strings.Repeat("a", 2000) + "\r\nb\r\n"), "UNAVAILABLE"},
		{"a chunk of 9e18 bytes", chunked + "7fffffffffffffff\r\n", repeat("a"), "LIMIT_EXCEEDED(response_bytes)"},
		{"a chunk of more bytes than there are", chunked + "ffffffffffffffffff\r\n", repeat("a"), "UNAVAILABLE"},
		{"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", nil, "UNAVAILABLE"},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", nil, "UNAVAILABLE"},
		{"a length of 9e18", "HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\n", repeat("a"), "LIMIT_EXCEEDED(response_bytes)"},
		{"a length of 9e30", "HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000000000000000\r\n\r\n", repeat("a"), "UNAVAILABLE"},
		{"packed on the way", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", repeat("a"), "UNAVAILABLE"},
		{"no end and no length", "HTTP/1.1 200 OK\r\n\r\n", repeat("a"), "LIMIT_EXCEEDED(response_bytes)"},
		{"no HTTP", strings.Repeat("a", 8000), nil, "UNAVAILABLE"},
		{"cut off", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", nil, "UNAVAILABLE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := pipes(t, answering(t, tt.answer, tt.then))
				body, err := get(t.Context(), w.client, "http://127.0.0.1/")
				if code(err) != tt.want || len(body) > 1<<20 {
					t.Errorf("%d bytes, error = %v, want %s", len(body), err, tt.want)
				}
				synctest.Wait()
				if opened, closed := w.opened.Load(), w.closed.Load(); opened == 0 || opened != closed {
					t.Errorf("%d connections were opened, %d closed, want the same", opened, closed)
				}
			})
		})
	}
}

// TestT08_SlowParts: whatever arrives a byte at a time, or never, ends with its time.
func TestT08_SlowParts(t *testing.T) {
	t.Parallel()
	l := limits.Default()
	drip := func(c net.Conn) {
		for {
			if err := pauseFor(t, 30*time.Second); err != nil {
				return
			}
			if _, err := c.Write([]byte("a")); err != nil {
				return
			}
		}
	}
	silent := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	tests := []struct {
		name, url string
		handle    func(net.Conn)
		want      string
		after     time.Duration
	}{
		{"headers", "http://127.0.0.1/", answering(t, "HTTP/1.1 200 OK\r\nX-A: ", drip), "LIMIT_EXCEEDED(request_time)", l.RequestTime},
		{"body", "http://127.0.0.1/", answering(t, "HTTP/1.1 200 OK\r\n\r\n", drip), "LIMIT_EXCEEDED(request_time)", l.RequestTime},
		{"trailer", "http://127.0.0.1/", answering(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX", drip), "LIMIT_EXCEEDED(request_time)", l.RequestTime},
		{"nothing", "http://127.0.0.1/", silent, "LIMIT_EXCEEDED(request_time)", l.RequestTime},
		{"a handshake that never ends", "https://127.0.0.1/", silent, "LIMIT_EXCEEDED(connect_time)", l.ConnectTime},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := pipes(t, tt.handle)
				start := time.Now()
				_, err := get(t.Context(), w.client, tt.url)
				if took := time.Since(start); code(err) != tt.want || !fault.Is(err, fault.Timeout) || took != tt.after {
					t.Errorf("error = %v after %s, want %s after %s", err, took, tt.want, tt.after)
				}
				pause(t, time.Minute) // for the server to see that its reader has gone
				if opened, closed := w.opened.Load(), w.closed.Load(); opened != 1 || closed != 1 {
					t.Errorf("%d connections were opened, %d closed, want one that is closed", opened, closed)
				}
			})
		})
	}
}

// TestT08_HTTP2: the limits are those of HTTP/1.1 when the server speaks HTTP/2.
func TestT08_HTTP2(t *testing.T) {
	t.Parallel()
	w, bomb := newWorld(t), packed(2<<20)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/headers", "/flood":
			for i := range map[string]int{"/headers": 90, "/flood": 4000}[r.URL.Path] {
				rw.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("a", 100))
			}
		case "/endless":
			forever(rw, "a")
		case "/gzip":
			rw.Header().Set("Content-Encoding", "gzip")
			_, _ = rw.Write(bomb)
		}
		rw.Header().Set("X-Protocol", r.Proto)
	}))
	srv.EnableHTTP2 = true
	srv.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	w.at("example.com", publicIP, srv)
	l := limits.Default()
	l.ResponseBytes, l.HeaderBytes = 4<<20, 10<<10
	c := w.client(Policy{}, l, trusting(srv))
	for path, want := range map[string]string{
		"/headers": "LIMIT_EXCEEDED(header_bytes)", "/flood": "UNAVAILABLE", "/endless": "LIMIT_EXCEEDED(response_bytes)", "/gzip": "LIMIT_EXCEEDED(response_ratio)",
	} {
		if body, err := get(t.Context(), c, "https://example.com"+path); code(err) != want || len(body) > l.ResponseBytes {
			t.Errorf("%s: %d bytes, error = %v, want %s", path, len(body), err, want)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil || resp.Header.Get("X-Protocol") != "HTTP/2.0" || resp.Body.Close() != nil {
		t.Errorf("%v, %v, want an answer by HTTP/2", resp, err)
	}
}

// TestT08_NothingIsLeft: bombs, refusals and answers that nobody reads to the end leave no goroutine and no connection.
func TestT08_NothingIsLeft(t *testing.T) { // alone: it counts the goroutines of the process
	leak.Check(t)
	bomb := packed(2 << 20)
	w := newWorld(t)
	insideNames(w)
	w.serve("a.test", publicIP, func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless":
			forever(rw, "a")
		case "/gzip":
			rw.Header().Set("Content-Encoding", "gzip")
			_, _ = rw.Write(bomb)
		case "/inside":
			http.Redirect(rw, r, "http://169.254.169.254/", http.StatusFound)
		case "/declared":
			rw.Header().Set("Content-Length", "9000000000000000000")
		}
	})
	l := limits.Default()
	l.ResponseBytes = 1 << 20
	c := w.client(Policy{}, l)
	for range 10 {
		for _, url := range []string{"http://a.test/endless", "http://a.test/gzip", "http://a.test/inside", "http://a.test/declared", "http://localhost/", "http://nowhere.test/"} {
			if _, err := get(t.Context(), c, url); err == nil {
				t.Errorf("%s: no error", url)
			}
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://a.test/endless", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	if got := c.Transport.(*door).pools.teams[""].users; got != 0 {
		t.Errorf("%d requests are under way, want none", got)
	}
}

func TestAcceptsNoOtherPacking(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var accepted []string
	w.serve("a.test", publicIP, func(_ http.ResponseWriter, r *http.Request) {
		accepted = r.Header.Values("Accept-Encoding")
	})
	if _, err := get(t.Context(), w.client(Policy{}, limits.Default()), "http://a.test/"); err != nil || len(accepted) != 1 || accepted[0] != "gzip" {
		t.Errorf("Accept-Encoding = %q, %v, want gzip alone", accepted, err)
	}
}
