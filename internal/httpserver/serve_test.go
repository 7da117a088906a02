package httpserver

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

// pipes is a listener whose connections are in memory, so that time in tests is not that of the machine.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

func (p *pipes) dial() (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.done:
		return nil, errors.New("connection refused")
	}
}

// inMemory serves an agent with the skills "greet", "block" and "stuck" over pipes. stop ends the server and returns
// what Serve returned; it may be called twice.
func inMemory(t *testing.T) (w *world, p *pipes, stop func() error) {
	w = newWorld(t, nil)
	w.load("hello", "", part{endpoint: "greet"}, part{endpoint: "block", typ: "Block"}, part{endpoint: "stuck", typ: "Stuck"})
	p = newPipes()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- w.server.Serve(ctx, p) }()
	w.url = "http://memory"
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return p.dial() }}
	w.client = &http.Client{Transport: transport}
	stop = func() error {
		cancel()
		err := <-served
		served <- err
		transport.CloseIdleConnections()
		return err
	}
	return w, p, stop
}

// later sends a request and returns the response when it comes.
func (w *world) later(path string) <-chan reply {
	got := make(chan reply, 1)
	r := w.request(context.Background(), "POST", path, `{}`, asJSON)
	go func() {
		answer, err := w.try(r)
		if err != nil {
			answer = reply{body: err.Error()}
		}
		got <- answer
	}()
	return got
}

// TestServe_Drains: a server that stops takes no more requests and lets runs end by themselves.
func TestServe_Drains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, p, stop := inMemory(t)
		got := w.later("/api/block")
		<-w.started
		stopped := make(chan error, 1)
		go func() { stopped <- stop() }()
		synctest.Wait()
		if _, err := p.dial(); err == nil {
			t.Error("a connection was taken while the server stops")
		}
		time.Sleep(limits.Default().DrainTime - time.Second)
		close(w.release)
		if r := <-got; r.status != 200 || !strings.Contains(r.body, "released") {
			t.Errorf("the run that was under way: %d %s, want its answer", r.status, r.body)
		}
		if err := <-stopped; err != nil {
			t.Errorf("Serve() error = %v, want nil", err)
		}
	})
}

// TestServe_Cancels: runs that do not end by themselves are cancelled, and their callers are told.
func TestServe_Cancels(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _, stop := inMemory(t)
		start := time.Now()
		got := w.later("/api/block")
		<-w.started
		if err := stop(); err != nil {
			t.Errorf("Serve() error = %v, want nil", err)
		}
		if took, want := time.Since(start), limits.Default().DrainTime; took < want || took > want+stopTime {
			t.Errorf("it took %v, want a little more than %v", took, want)
		}
		if err := <-w.ended; !fault.Is(err, fault.Unavailable) {
			t.Errorf("the component ended with %v, want that the server is shutting down", err)
		}
		if r := <-got; r.status != 503 || r.get("code") != "UNAVAILABLE" {
			t.Errorf("the caller got %d %s, want 503", r.status, r.body)
		}
	})
}

// TestServe_Stuck: a component that does not end at all does not keep the server from ending.
func TestServe_Stuck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _, stop := inMemory(t)
		got := w.later("/api/stuck")
		<-w.started
		if err := stop(); !fault.Is(err, fault.Timeout) {
			t.Errorf("Serve() error = %v, want that a run did not end", err)
		}
		if r := <-got; r.status != 0 {
			t.Errorf("the caller got %d %s, want a closed connection", r.status, r.body)
		}
		close(w.release)
	})
}

// TestServe_BrokenListener: a listener that fails ends the server.
func TestServe_BrokenListener(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p := newPipes()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.server.Serve(t.Context(), p); !fault.Is(err, fault.Unavailable) || !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve() error = %v, want the error of the listener", err)
	}
}

// TestT62_SlowClients: who sends or takes too slowly loses the connection, and who waits for a long run does not.
func TestT62_SlowClients(t *testing.T) {
	t.Parallel()
	const head = "POST /api/greet HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer " + testToken + "\r\n"
	l := limits.Default()
	tests := []struct {
		name   string
		sent   string // at once
		drip   string // again each second
		within time.Duration
		want   string // beginning of the response
	}{
		{"silent", "", "", l.HeaderTime, ""},
		{"slow headers", "GET / HTTP/1.1\r\n", "X: 1\r\n", l.HeaderTime, ""},
		{"slow body", head + "Content-Length: 1000\r\n\r\n", " ", l.HeaderTime + l.BodyTime, "HTTP/1.1 408 "},
		{"slow pieces", head + "Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", l.HeaderTime + l.BodyTime, "HTTP/1.1 408 "},
		{"idle", head + "Content-Length: 2\r\n\r\n{}", "", l.IdleTime, "HTTP/1.1 200 "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, p, stop := inMemory(t)
				c, err := p.dial()
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					_, err := io.WriteString(c, tt.sent)
					for ; err == nil && tt.drip != ""; _, err = io.WriteString(c, tt.drip) {
						time.Sleep(time.Second)
					}
				}()
				got, err := io.ReadAll(c)
				if err != nil {
					t.Error(err)
				}
				if took := time.Since(start); took > tt.within+5*time.Second {
					t.Errorf("the connection was closed after %v, want about %v", took, tt.within)
				}
				if !strings.HasPrefix(string(got), tt.want) {
					t.Errorf("the response is %q, want %q", got, tt.want)
				}
				<-sent
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestT62_SlowReader: a client that does not take its response loses it, whether it is long or short.
func TestT62_SlowReader(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 1 << 20} {
		synctest.Test(t, func(t *testing.T) {
			_, p, stop := inMemory(t)
			c, err := p.dial()
			if err != nil {
				t.Fatal(err)
			}
			body := `{"name":"` + strings.Repeat("x", size) + `"}`
			r, err := http.NewRequestWithContext(t.Context(), "POST", "http://localhost/api/greet", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+testToken)
			if err := r.Write(c); err != nil {
				t.Fatal(err)
			}
			time.Sleep(limits.Default().EventWriteTime + time.Second)
			synctest.Wait()
			if n, err := io.Copy(io.Discard, c); err != nil || n > pieceBytes {
				t.Errorf("%d bytes and %v came afterwards, want a closed connection", n, err)
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestT62_LongRun: the deadlines of the request end with the request. A run takes as long as it takes, and its caller
// keeps the connection.
func TestT62_LongRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _, stop := inMemory(t)
		got := w.later("/api/block")
		<-w.started
		time.Sleep(time.Hour)
		close(w.release)
		if r := <-got; r.status != 200 || !strings.Contains(r.body, "released") {
			t.Errorf("a run of an hour: %d %s, want its answer", r.status, r.body)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestT62_Smuggling: requests whose length is told in two ways are refused.
func TestT62_Smuggling(t *testing.T) {
	t.Parallel()
	for name, lengths := range map[string]string{
		"two lengths":       "Content-Length: 2\r\nContent-Length: 3\r\n",
		"unknown coding":    "Transfer-Encoding: x\r\n",
		"two codings":       "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		"length with signs": "Content-Length: +2\r\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			_, p, stop := inMemory(t)
			c, err := p.dial()
			if err != nil {
				t.Fatal(err)
			}
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				_, _ = io.WriteString(c, "POST /api/greet HTTP/1.1\r\nHost: localhost\r\n"+lengths+"\r\n{}") // the server may close meanwhile
			}()
			line, err := bufio.NewReader(c).ReadString('\n')
			if err != nil || !strings.HasPrefix(line, "HTTP/1.1 400") && !strings.HasPrefix(line, "HTTP/1.1 501") {
				t.Errorf("%s: %q, %v, want 400 or 501", name, line, err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			<-sent
			if err := stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	ln, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := ln.Close(); err != nil {
			t.Error(err)
		}
	}()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name, addr string
		ctx        context.Context
		kind       fault.Kind
		want       string
	}{
		{"taken", ln.Addr().String(), t.Context(), fault.Conflict, "port 0 is any free one"},
		{"no port", "127.0.0.1", t.Context(), fault.Invalid, "written like 127.0.0.1:5053"},
		{"no number", "127.0.0.1:http?", t.Context(), fault.Invalid, "written like 127.0.0.1:5053"},
		{"not ours", "192.0.2.1:0", t.Context(), fault.Invalid, "does not have the address"},
		{"cancelled", "127.0.0.1:0", gone, fault.Canceled, "canceled"},
	}
	for _, tt := range tests {
		got, err := Listen(tt.ctx, tt.addr)
		if err == nil {
			err = got.Close()
			t.Errorf("%s: Listen(%q) listens, want an error (%v)", tt.name, tt.addr, err)
		} else if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Listen(%q) error = %v (%v), want %v with %q", tt.name, tt.addr, err, fault.KindOf(err), tt.kind, tt.want)
		}
	}
}
