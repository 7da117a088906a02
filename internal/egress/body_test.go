package egress

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

func packed(n int) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	chunk := make([]byte, 1<<16)
	for range n >> 16 {
		_, _ = z.Write(chunk)
	}
	_ = z.Close()
	return b.Bytes()
}

// TestT08_Bombs: answers end at their limits by counted bytes, whatever they announce, and the connection with them.
func TestT08_Bombs(t *testing.T) {
	t.Parallel()
	l := limits.Default()
	l.ResponseBytes, l.ResponseRatio = 4<<20, 10
	bomb, nested := packed(16<<20), packed(16<<20)
	var gone atomic.Int64
	endless := func(rw http.ResponseWriter) {
		for {
			if _, err := rw.Write(make([]byte, 1<<16)); err != nil {
				gone.Add(1)
				return
			}
		}
	}
	w := newWorld(t)
	w.serve("a.test", publicIP, func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/declared":
			rw.Header().Set("Content-Length", "9000000000000000000")
		case "/endless":
			endless(rw)
		case "/gzip":
			rw.Header().Set("Content-Encoding", "gzip")
			_, _ = rw.Write(bomb)
		case "/encoded":
			rw.Header().Set("Content-Encoding", r.URL.RawQuery)
			endless(rw)
		case "/nested":
			rw.Header().Set("Content-Encoding", "gzip, gzip")
			_, _ = rw.Write(nested)
		case "/broken":
			rw.Header().Set("Content-Encoding", "gzip")
			_, _ = rw.Write(append(packed(1 << 16)[:20], "garbage"...))
		case "/headers":
			for i := range 10_000 {
				rw.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("a", 1000))
			}
		}
	})
	c := w.client(Policy{}, l)
	before := memory()
	for path, want := range map[string]string{
		"/declared": "LIMIT_EXCEEDED(response_bytes)", "/endless": "LIMIT_EXCEEDED(response_bytes)", "/gzip": "LIMIT_EXCEEDED(response_ratio)",
		"/encoded?br": "LIMIT_EXCEEDED(response_bytes)", "/encoded?zstd": "LIMIT_EXCEEDED(response_bytes)", "/broken": "UNAVAILABLE", "/headers": "LIMIT_EXCEEDED(header_bytes)",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://a.test"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if err == nil {
			var n int64
			n, err = io.Copy(io.Discard, resp.Body)
			if n > int64(l.ResponseBytes) {
				t.Errorf("%s: %d bytes were handed out", path, n)
			}
			if _, again := resp.Body.Read(make([]byte, 1)); !errors.Is(again, err) {
				t.Errorf("%s: a read after the end = %v, want %v again", path, again, err)
			}
			_ = resp.Body.Close() // it was closed at the limit
		}
		if code(err) != want {
			t.Errorf("%s: error = %v, want %s", path, err, want)
		}
	}
	if grown := memory() - before; grown > 64<<20 {
		t.Errorf("memory grew by %d MiB, want less than 64", grown>>20)
	}
	// What is packed in a way that nobody asked for stays packed.
	if body, err := get(t.Context(), c, "http://a.test/nested"); err != nil || body != string(nested) {
		t.Errorf("nested: %d bytes, %v, want the %d that were sent", len(body), err, len(nested))
	}
	if body, err := get(t.Context(), c, "http://a.test/gzip", "Accept-Encoding", "gzip"); err != nil || body != string(bomb) {
		t.Errorf("packed on request: %d bytes, %v, want them as they were sent", len(body), err)
	}
}

func memory() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestUnpacks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("a.test", publicIP, func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" || r.Method == http.MethodHead {
			rw.Header().Set("Content-Length", "9000000000")
			return
		}
		rw.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(rw)
		_, _ = io.WriteString(z, "hello")
		_ = z.Close()
	})
	c := w.client(Policy{}, limits.Default())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://a.test/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil || string(body) != "hello" {
		t.Errorf("body = %q, %v", body, err)
	}
	if !resp.Uncompressed || resp.ContentLength != -1 || resp.Header.Get("Content-Encoding") != "" {
		t.Errorf("the answer says %v, %d, %v, want it to be plain", resp.Uncompressed, resp.ContentLength, resp.Header)
	}
	if len(req.Header) != 0 {
		t.Errorf("the caller's request was changed: %v", req.Header)
	}
	req.Method = http.MethodHead
	if resp, err = c.Do(req); err != nil || resp.Body.Close() != nil || resp.ContentLength != 9000000000 {
		t.Errorf("HEAD: %v, %v", resp, err)
	}
}

// dripping is a server that answers a byte in a while.
func dripping(t *testing.T, every time.Duration) *http.Client {
	t.Helper()
	return pipes(t, answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", func(conn net.Conn) {
		for {
			if err := pauseFor(t, every); err != nil {
				return
			}
			if _, err := conn.Write([]byte("x")); err != nil {
				return
			}
		}
	})).client
}

// TestT08_Slow: an answer that arrives a byte at a time ends with the time of the request, and so does its connection.
func TestT08_Slow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := dripping(t, 30*time.Second)
		defer c.CloseIdleConnections()
		start := time.Now()
		body, err := get(t.Context(), c, "http://127.0.0.1/")
		if code(err) != "LIMIT_EXCEEDED(request_time)" || !fault.Is(err, fault.Timeout) || time.Since(start) != limits.Default().RequestTime {
			t.Errorf("%q, %v after %s, want LIMIT_EXCEEDED(request_time) after a minute", body, err, time.Since(start))
		}
		start = time.Now()
		ctx := limits.WithRequestTime(t.Context(), 10*time.Minute)
		if body, err = get(ctx, c, "http://127.0.0.1/"); len(body) < 19 || time.Since(start) != 10*time.Minute {
			t.Errorf("with patience: %d bytes, %v after %s, want ten minutes", len(body), err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err = get(ctx, c, "http://127.0.0.1/"); !errors.Is(err, context.DeadlineExceeded) || code(err) != "TIMEOUT" {
			t.Errorf("with a deadline of the caller: %v", err)
		}
		pause(t, time.Minute) // for the server to see that its reader has gone; the bubble ends when nothing runs
	})
}

// TestT08_Connect: a connection that does not come up ends with its time.
func TestT08_Connect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		never := func(ctx context.Context, _ netip.AddrPort, _ func(netip.AddrPort) error) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		c, err := New(Policy{AllowPrivate: true}, limits.Default(), func(d *door) { d.connect = never })
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := get(t.Context(), c, "http://127.0.0.1/"); code(err) != "LIMIT_EXCEEDED(connect_time)" || time.Since(start) != limits.Default().ConnectTime {
			t.Errorf("error = %v after %s, want LIMIT_EXCEEDED(connect_time)", err, time.Since(start))
		}
	})
}

// Redirects share the time of their request.
func TestT08_SlowRedirects(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := pipes(t, func(conn net.Conn) {
			if _, err := conn.Read(make([]byte, 4096)); err != nil || pauseFor(t, 25*time.Second) != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		}).client
		start := time.Now()
		if _, err := get(t.Context(), c, "http://127.0.0.1/"); code(err) != "LIMIT_EXCEEDED(request_time)" || time.Since(start) != limits.Default().RequestTime {
			t.Errorf("error = %v after %s, want LIMIT_EXCEEDED(request_time) after a minute", err, time.Since(start))
		}
		pause(t, time.Minute)
	})
}

// A caller that goes away takes the request with it.
func TestCancel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	arrived, gone := make(chan struct{}), make(chan struct{})
	w.serve("a.test", publicIP, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(gone)
	})
	c := w.client(Policy{}, limits.Default())
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := get(ctx, c, "http://a.test/"); !fault.Is(err, fault.Canceled) {
		t.Errorf("error = %v, want CANCELED", err)
	}
	<-gone
}
