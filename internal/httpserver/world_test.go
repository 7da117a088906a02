package httpserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/components/skills"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/agent"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/internal/leak"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

const testToken = "a-token-of-the-operator-0123456789"

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

// world is a server on a loopback listener with agents behind it.
type world struct {
	t       testing.TB
	agents  *agent.Manager
	server  *Server
	url     string
	client  *http.Client
	log     *syncBuffer
	started chan struct{} // a Block component was called
	ended   chan error    // a Block component was cancelled, with the cause
	release chan struct{} // ends Block and Stuck components
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// sessions keeps debug sessions in memory.
type sessions struct {
	mu   sync.Mutex
	text map[string]string
}

func (s *sessions) Load(_ context.Context, as scope.Scope, key string) (string, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, ok := s.text[as.Candidate().ID()+key]
	return text, ok, nil
}

func (s *sessions) Save(_ context.Context, as scope.Scope, key, text string, _ time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text[as.Candidate().ID()+key] = text
	return nil
}

// newWorld makes a server that does not listen.
func newWorld(t testing.TB, change func(*Config)) *world {
	t.Helper()
	w := &world{t: t, log: &syncBuffer{}, started: make(chan struct{}, 100), ended: make(chan error, 100), release: make(chan struct{})}
	l := limits.Default()
	w.agents = agent.NewManager(agent.Config{
		Components: append(skills.Definitions(), w.block(), w.stuck(), listFiles(), throw()), Effects: effect.System{}, Limits: l,
		Sessions: &sessions{text: map[string]string{}},
	})
	t.Cleanup(func() {
		if err := w.agents.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	cfg := Config{
		Agents: w.agents, Token: secret.New(testToken), Limits: l, Effects: effect.System{},
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if w.server, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

// serve makes a server that listens until the test ends.
func serve(t testing.TB, change func(*Config)) *world {
	t.Helper()
	w := newWorld(t, change)
	w.listen()
	return w
}

func (w *world) listen() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ln, err := Listen(ctx, "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.url = "http://" + ln.Addr().String()
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}
	w.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	served := make(chan error, 1)
	go func() { served <- w.server.Serve(ctx, ln) }()
	w.t.Cleanup(func() {
		transport.CloseIdleConnections()
		cancel()
		if err := <-served; err != nil {
			w.t.Error("Serve() error =", err)
		}
		transport.CloseIdleConnections()
	})
}

// open lets everybody in.
func open(c *Config) { c.Open = true }

// trusting believes proxies on this machine.
func trusting(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

// reply is a response as tests compare it.
type reply struct {
	status int
	body   string
	header http.Header
}

func (r reply) get(name string) string {
	v, err := value.Parse(r.body)
	if err != nil {
		return "no JSON: " + r.body
	}
	return v.Get(name).Text()
}

// request makes a request with the token; headers are "Name: text", and "Authorization:" alone leaves the token out.
func (w *world) request(ctx context.Context, method, path, body string, headers ...string) *http.Request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	r.Header.Set("Authorization", "Bearer "+testToken)
	for _, h := range headers {
		name, text, _ := strings.Cut(h, ":")
		switch text = strings.TrimPrefix(text, " "); {
		case name == "Host":
			r.Host = text
		case text == "" && name == "Authorization":
			r.Header.Del(name)
		case name == "Authorization":
			r.Header.Set(name, text)
		default:
			r.Header[http.CanonicalHeaderKey(name)] = append(r.Header[http.CanonicalHeaderKey(name)], text)
		}
	}
	return r
}

// do sends a request and reads the response.
func (w *world) do(method, path, body string, headers ...string) reply {
	w.t.Helper()
	return w.send(w.request(context.Background(), method, path, body, headers...))
}

func (w *world) send(r *http.Request) reply {
	w.t.Helper()
	got, err := w.try(r)
	if err != nil {
		w.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	return got
}

// try is send for requests that the server may cut off before the client has sent or read everything.
func (w *world) try(r *http.Request) (reply, error) {
	res, err := w.client.Do(r)
	if err != nil {
		return reply{}, err
	}
	text, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, string(text), res.Header}, errors.Join(err, res.Body.Close())
}

const asJSON = "Content-Type: application/json"

// part is one component between the endpoint and the output of an agent.
type part struct{ endpoint, method, typ, data string }

// load loads an agent. Each part is a skill: its endpoint hands body, query and headers to a component of the type, or
// straight to the output when there is none.
func (w *world) load(id string, more string, parts ...part) *agent.Agent {
	w.t.Helper()
	return w.loadText(agentText(id, more, parts...))
}

func (w *world) loadText(text string) *agent.Agent {
	w.t.Helper()
	doc, err := agentfile.Parse([]byte(text), w.agents.Bounds())
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := w.agents.Load(context.Background(), doc, agent.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func agentText(id, more string, parts ...part) string {
	var components, connections []string
	at := 0
	for i, p := range parts {
		if p.data == "" {
			p.data = "{}"
		}
		n := fmt.Sprint(i)
		names := []string{"headers", "body", "query"}
		components = append(components, `{"id":"EP`+n+`","name":"APIEndpoint","title":"`+p.endpoint+`","data":{"endpoint":`+value.Of(p.endpoint).JSON()+`,"method":"`+p.method+`","description":"Does `+value.Of(p.endpoint).JSON()[1:]+`},
			"inputs":[{"name":"name","type":"Any","optional":true}],"outputs":[{"name":"headers","default":true},{"name":"body","default":true},{"name":"query","default":true}]}`)
		out := at + 1
		if p.typ != "" {
			components = append(components, `{"id":"X`+n+`","name":"`+p.typ+`","data":`+p.data+`,"inputs":[{"name":"body","type":"Any"}],"outputs":[{"name":"Output","default":true}]}`)
			connections = append(connections, fmt.Sprintf(`{"sourceId":"EP%d","sourceIndex":1,"targetId":"X%d","targetIndex":0},{"sourceId":"X%d","sourceIndex":0,"targetId":"OUT%d","targetIndex":0}`, i, i, i, i))
			names, out = []string{"answer"}, at+2
		} else {
			for k := range names {
				connections = append(connections, fmt.Sprintf(`{"sourceId":"EP%d","sourceIndex":%d,"targetId":"OUT%d","targetIndex":%d}`, i, k, i, k))
			}
		}
		components = append(components, `{"id":"OUT`+n+`","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"`+strings.Join(names, `","type":"Any"},{"name":"`)+`","type":"Any"}],"outputs":[{"name":"Output","default":true}]}`)
		at = out + 1
	}
	return `{"id":"` + id + `","name":"` + id + `",` + more + `"components":[` + strings.Join(components, ",") + `],"connections":[` + strings.Join(connections, ",") + `]}`
}

// block is a component that waits until it is released or cancelled.
func (w *world) block() component.Definition {
	return component.Define(component.Spec{Name: "Block"}, func(ctx context.Context, _ *component.Call, _ *struct{}, _ component.Input) (value.Value, error) {
		w.started <- struct{}{}
		select {
		case <-ctx.Done():
			w.ended <- context.Cause(ctx)
			return value.Value{}, ctx.Err()
		case <-w.release:
			return value.Obj(value.M("Output", value.Of("released"))), nil
		}
	})
}

// stuck is a component that does not hear when it is cancelled.
func (w *world) stuck() component.Definition {
	return component.Define(component.Spec{Name: "Stuck"}, func(context.Context, *component.Call, *struct{}, component.Input) (value.Value, error) {
		w.started <- struct{}{}
		<-w.release
		return value.Value{}, nil
	})
}

// throw is a component with a bug.
func throw() component.Definition {
	return component.Define(component.Spec{Name: "Throw"}, func(_ context.Context, _ *component.Call, _ *struct{}, in component.Input) (value.Value, error) {
		panic(in.Get("body").JSON())
	})
}

// listFiles answers with the uploads of the request.
func listFiles() component.Definition {
	return component.Define(component.Spec{Name: "Files"}, func(_ context.Context, c *component.Call, _ *struct{}, in component.Input) (value.Value, error) {
		if c.Request == nil {
			return value.Value{}, fault.Newf(fault.Internal, "no request")
		}
		var files []value.Value
		for _, f := range c.Request.Files {
			files = append(files, value.Of(fmt.Sprintf("%s=%s (%s) %q", f.Field, f.Name, f.MIME, f.Data)))
		}
		return value.Obj(value.M("Output", value.Obj(value.M("body", in.Get("body")), value.M("files", value.OfItems(files))))), nil
	})
}
