package smythlog

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/observe/logsink"
	"github.com/sre-go/sre/value"
)

// pipes is a listener whose connections are pipes, so that the clock of a bubble goes on while both sides wait.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// endpoint is a server that keeps what it takes. answer decides about each request; nil takes it.
type endpoint struct {
	mu      sync.Mutex
	bodies  []string
	headers []http.Header
	answer  func(n int, w http.ResponseWriter, r *http.Request) (taken bool)
	count   int // of requests

	client *http.Client
	stop   func()
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	e.mu.Lock()
	e.count++
	n, answer := e.count, e.answer
	e.mu.Unlock()
	if answer != nil && !answer(n, w, r) {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.bodies = append(e.bodies, string(body))
	e.headers = append(e.headers, r.Header)
}

func (e *endpoint) requests() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.count
}

// records returns everything that was taken, in order.
func (e *endpoint) records(t *testing.T) []value.Value {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []value.Value
	for _, b := range e.bodies {
		v, err := value.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v.Get("records").Items()...)
	}
	return all
}

func (e *endpoint) text() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.bodies, "")
}

// newEndpoint starts a server; stop it.
func newEndpoint(answer func(int, http.ResponseWriter, *http.Request) bool) *endpoint {
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	e := &endpoint{answer: answer}
	server := &http.Server{Handler: e, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	var work sync.WaitGroup
	work.Go(func() { _ = server.Serve(p) }) // it ends with the listener
	transport := &http.Transport{DialContext: p.dial}
	e.client = &http.Client{Transport: transport}
	e.stop = sync.OnceFunc(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		work.Wait()
	})
	return e
}

// output is a log that many write to.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// world is a connector with an endpoint.
type world struct {
	*testing.T
	conn    *smyth
	handle  *logsink.Handle
	secrets *secret.Registry
	log     *output
}

// dial opens the connector with further settings, as members of an object.
func dial(t *testing.T, client *http.Client, more string) *world {
	t.Helper()
	w := &world{T: t, secrets: &secret.Registry{}, log: &output{}}
	v, err := value.Parse(`{"endpoint":"http://logs.test/records"` + more + `}`)
	if err != nil {
		t.Fatal(err)
	}
	env := connector.Env{HTTP: client, Effects: effect.System{}, Secrets: w.secrets, Log: slog.New(slog.NewTextHandler(w.log, nil))}
	conn, err := Definition.Open(t.Context(), env, v)
	if err != nil {
		t.Fatal(err)
	}
	agent, err := access.Agent("a1")
	if err != nil {
		t.Fatal(err)
	}
	w.conn = conn.(*smyth)
	w.handle = logsink.New(connector.Env{}, connector.Instances[logsink.Connector]{Default: "x", ByID: map[string]logsink.Connector{"x": w.conn}}).For(agent)
	return w
}

func (w *world) write(names ...string) {
	w.Helper()
	for _, name := range names {
		if _, err := w.handle.Log(w.Context(), logsink.Record{Name: name}); err != nil {
			w.Errorf("Log(%s) = %v", name, err)
		}
	}
}

func (w *world) close() {
	w.Helper()
	if err := w.conn.Close(context.Background()); err != nil {
		w.Errorf("Close = %v", err)
	}
}
