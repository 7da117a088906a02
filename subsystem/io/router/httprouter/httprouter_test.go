package httprouter

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/router"
	"github.com/sre-go/sre/subsystem/io/router/routertest"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	routertest.Run(t, Definition, routertest.Subject{Settings: value.Obj(value.M("baseUrl", value.Of("https://agents.example.com/hooks/"))), Base: "https://agents.example.com/hooks"})
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"": "", "https://a.com": "https://a.com", "http://a.com:81/x//": "http://a.com:81/x", "ftp://a.com": "error", "a.com": "error", "https://u:canary@a.com": "error",
		"https://a.com?x=y": "error", "https://a.com/#x": "error", "https://": "error", "http://[": "error",
	} {
		conn, err := Definition.Open(t.Context(), connector.Env{}, value.Obj(value.M("baseUrl", value.Of(base))))
		got := "error"
		if err == nil {
			got = conn.(*Router).BaseURL()
		} else if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "canary") {
			t.Errorf("baseUrl %q: %v", base, err)
		}
		if got != want {
			t.Errorf("baseUrl %q is %q (%v), want %q", base, got, err, want)
		}
	}
}

// start opens a router on a free port.
func start(t *testing.T, log *slog.Logger) (*Router, *router.Handle) {
	t.Helper()
	conn, err := Definition.Open(t.Context(), connector.Env{Log: log}, value.Obj(value.M("listen", value.Of("127.0.0.1:0"))))
	if err != nil {
		t.Fatal(err)
	}
	r := conn.(*Router)
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	team, err := access.Team("ta")
	if err != nil {
		t.Fatal(err)
	}
	return r, router.New(connector.Env{}, connector.Instances[router.Connector]{Default: "x", ByID: map[string]router.Connector{"x": r}}, self{}).For(team)
}

// self is a directory in which every candidate is its own team.
type self struct{}

func (self) TeamOf(_ context.Context, c access.Candidate) (string, error) { return c.ID(), nil }

func get(t *testing.T, address string) (*http.Response, string, error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), errors.Join(err, resp.Body.Close())
}

func TestListens(t *testing.T) {
	t.Parallel()
	r, h := start(t, nil)
	address, err := h.Mount(t.Context(), "hook", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) }))
	if err != nil || !strings.HasPrefix(address, "http://127.0.0.1:") {
		t.Fatalf("Mount = %q, %v", address, err)
	}
	resp, body, err := get(t, address+"/x")
	if err != nil || body != "/x" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("GET = %q, %v", body, err)
	}
	second, err := Definition.Open(t.Context(), connector.Env{}, value.Obj(value.M("listen", value.Of(strings.TrimPrefix(r.BaseURL(), "http://")))))
	if err != nil {
		t.Fatal(err)
	}
	if err := second.(*Router).Start(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Start on a port that is taken = %v, want UNAVAILABLE", err)
	}
	for range 2 {
		if err := r.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if _, _, err := get(t, address); err == nil {
		t.Error("after Close it still answers")
	}
}

// Close waits for a request under way; when there is no time left, the request loses its connection.
func TestClose(t *testing.T) {
	t.Parallel()
	for _, inTime := range []bool{true, false} {
		r, h := start(t, nil)
		arrived, leave, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
		address, err := h.Mount(t.Context(), "hook", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer close(left)
			close(arrived)
			select {
			case <-leave:
				_, _ = io.WriteString(w, "done")
			case <-r.Context().Done():
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		var body string
		var asked error
		var wg sync.WaitGroup
		wg.Go(func() { _, body, asked = get(t, address) })
		<-arrived
		ctx, cancel := context.WithCancel(t.Context())
		if inTime {
			wg.Go(func() { close(leave) })
		} else {
			cancel()
		}
		err = r.Close(ctx)
		cancel()
		wg.Wait()
		<-left
		if inTime && (err != nil || asked != nil || body != "done") || !inTime && (!fault.Is(err, fault.Timeout) || asked == nil) {
			t.Errorf("in time %v: Close = %v, the request got %q, %v", inTime, err, body, asked)
		}
	}
}

// TestF02_Panic: a handler that panics loses its own request and nothing else.
func TestF02_Panic(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	_, h := start(t, slog.New(slog.NewTextHandler(&locked{w: &b}, nil)))
	bad, err := h.Mount(t.Context(), "bad", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("canary") }))
	if err != nil {
		t.Fatal(err)
	}
	good, err := h.Mount(t.Context(), "good", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	if err != nil {
		t.Fatal(err)
	}
	if _, body, err := get(t, bad); err == nil || strings.Contains(body, "canary") {
		t.Errorf("the panic answered %q, %v", body, err)
	}
	if _, body, err := get(t, good); err != nil || body != "ok" {
		t.Errorf("after a panic: %q, %v", body, err)
	}
}

type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// TestT62_Body: a body over the limit is not read further.
func TestT62_Body(t *testing.T) {
	t.Parallel()
	r, h := start(t, nil)
	r.limits.UploadBytes = 10
	var read error
	if _, err := h.Mount(t.Context(), "hook", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, read = io.Copy(io.Discard, r.Body) })); err != nil {
		t.Fatal(err)
	}
	r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/ta/hook", strings.NewReader("12345678901")))
	var tooLarge *http.MaxBytesError
	if !errors.As(read, &tooLarge) {
		t.Errorf("reading the body: %v, want it refused", read)
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"/ta/hook", "/ta/hook/a%2Fb", "/ta/hook/%2e%2e/x", "/ta/hook/..%2fx", "//", "/a/b/../c", "/%00/%ff", "/../", "/a/../x", "/./x/y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || !strings.HasPrefix(path, "/") {
			return
		}
		place, rest, ok := split(u)
		if !ok {
			return
		}
		if strings.Count(place, "/") != 1 || !strings.HasPrefix(rest.Path, "/") || strings.HasPrefix("/"+place+rest.EscapedPath(), "/../") {
			t.Errorf("%q is %q and %q", path, place, rest.Path)
		}
		for segment := range strings.SplitSeq(rest.Path, "/") {
			if segment == ".." || segment == "." {
				t.Errorf("%q leaves %q, which climbs", path, rest.Path)
			}
		}
	})
}

func BenchmarkServe(b *testing.B) {
	r := &Router{places: map[string]http.Handler{"ta/hook": http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}}
	r.limits.UploadBytes = 1
	req := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/ta/hook/x", nil)
	rec := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		r.ServeHTTP(rec, req)
	}
}
