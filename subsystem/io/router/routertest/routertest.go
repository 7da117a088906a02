// Package routertest checks any connector of the router service.
//
// The checks work through the guarded handle: who may mount where, what callers reach, and that a refusal changes
// nothing and leaves one record. A connector's test calls [Run].
package routertest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/router"
	"github.com/sre-go/sre/value"
)

// Subject is how a connector is to be opened for the suite.
type Subject struct {
	Settings value.Value
	Base     string // what addresses begin with
	Nowhere  bool   // for a connector that serves nothing and keeps nothing
}

// world is a connector under its service.
type world struct {
	*testing.T
	Subject
	service *router.Service

	mu      sync.Mutex
	records []access.Decision
}

// Run checks the connector.
func Run(t *testing.T, def connector.Definition, s Subject) {
	t.Helper()
	for _, check := range []struct {
		name string
		run  func(*world)
	}{
		{"Mount", mount}, {"Unmount", unmount}, {"Taken", taken}, {"TeamsStandApart", teamsStandApart}, {"StrangersAreRefused", strangers},
		{"T10_Names", names}, {"T10_Paths", paths}, {"Canceled", canceled}, {"Concurrent", concurrent},
	} {
		t.Run(check.name, func(t *testing.T) {
			t.Parallel()
			check.run(open(t, def, s))
		})
	}
}

func open(t *testing.T, def connector.Definition, s Subject) *world {
	t.Helper()
	w := &world{T: t, Subject: s}
	env := connector.Env{Log: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Effects: effect.System{}, Events: &event.Bus{}, Services: connector.NewServices()}
	t.Cleanup(event.On(env.Events, func(_ context.Context, d access.Decision) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.records = append(w.records, d)
	}))
	conn, err := def.Open(t.Context(), env, s.Settings)
	if err != nil {
		t.Fatalf("open %s: %v", def.Name, err)
	}
	if st, ok := conn.(connector.Starter); ok {
		if err := st.Start(t.Context()); err != nil {
			t.Fatalf("start %s: %v", def.Name, err)
		}
	}
	if c, ok := conn.(connector.Closer); ok {
		t.Cleanup(func() {
			if err := c.Close(context.WithoutCancel(t.Context())); err != nil {
				t.Errorf("close %s: %v", def.Name, err)
			}
		})
	}
	in := connector.Instances[router.Connector]{Default: "it", ByID: map[string]router.Connector{"it": conn.(router.Connector)}, Order: []string{"it"}}
	w.service = router.New(env, in, teams{"a1": "ta", "a2": "ta", "u1": "ta", "b1": "tb"})
	return w
}

// teams is the directory of the checks: team by id.
type teams map[string]string

func (d teams) TeamOf(_ context.Context, c access.Candidate) (string, error) {
	if c.Role() == access.RoleTeam {
		return c.ID(), nil
	}
	if team, ok := d[c.ID()]; ok {
		return team, nil
	}
	return "", fault.Newf(fault.NotFound, "%s belongs to no team", c)
}

func (w *world) as(who string) *router.Handle {
	w.Helper()
	c, err := access.Parse(who)
	if err != nil {
		w.Fatal(err)
	}
	return w.service.For(c)
}

// says is a handler that answers with a text and the path it was given.
func says(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, text+" "+r.URL.EscapedPath())
	})
}

// get calls a path below the base address.
func (w *world) get(path string) (int, string) {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), http.MethodGet, "http://router.test"+path, http.NoBody)
	if err != nil {
		w.Fatal(err)
	}
	a := &answer{header: http.Header{}, status: http.StatusOK}
	w.service.ServeHTTP(a, req)
	return a.status, a.body.String()
}

// answer keeps what a handler writes.
type answer struct {
	header http.Header
	status int
	body   strings.Builder
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// serves checks what a path answers; "" for 404.
func (w *world) serves(path, want string) {
	w.Helper()
	status, body := w.get(path)
	if w.Nowhere {
		want = ""
	}
	if want == "" && status != http.StatusNotFound || want != "" && (status != http.StatusOK || body != want) {
		w.Errorf("GET %s = %d %q, want %q", path, status, body, want)
	}
}

func (w *world) mount(who, name string, h http.Handler) {
	w.Helper()
	if _, err := w.as(who).Mount(w.Context(), name, h); err != nil {
		w.Fatalf("Mount(%q) as %s: %v", name, who, err)
	}
}

func mount(w *world) {
	url, err := w.as("agent:a1").Mount(w.Context(), "hook", says("hello"))
	if want := w.Base + "/ta/hook"; err != nil || url != want {
		w.Errorf("Mount = %q, %v, want %q", url, err, want)
	}
	if again, err := w.as("user:u1").URL(w.Context(), "hook"); err != nil || again != url {
		w.Errorf("URL = %q, %v, want %q", again, err, url)
	}
	w.serves("/ta/hook", "hello /")
	w.serves("/ta/hook/", "hello /")
	w.serves("/ta/hook/a/b?c=d", "hello /a/b")
	w.serves("/ta/hook/a%2Fb", "hello /a%2Fb")
	for _, path := range []string{"/", "/ta", "/ta/", "/ta/hooks", "/ta/hoo", "/tb/hook", "/hook", "//ta/hook", "/ta//hook", "/TA/hook"} {
		w.serves(path, "")
	}
	if _, err := w.as("agent:a1").Mount(w.Context(), "none", nil); !fault.Is(err, fault.Invalid) {
		w.Errorf("Mount of nothing = %v, want INVALID", err)
	}
}

func unmount(w *world) {
	w.mount("agent:a1", "hook", says("one"))
	if err := w.as("agent:a2").Unmount(w.Context(), "hook"); err != nil { // of the same team
		w.Errorf("Unmount: %v", err)
	}
	w.serves("/ta/hook", "")
	if err := w.as("agent:a1").Unmount(w.Context(), "hook"); !w.Nowhere && !fault.Is(err, fault.NotFound) {
		w.Errorf("Unmount of nothing = %v, want NOT_FOUND", err)
	}
	w.mount("agent:a1", "hook", says("two"))
	w.serves("/ta/hook", "two /")
}

func taken(w *world) {
	w.mount("agent:a1", "hook", says("first"))
	if _, err := w.as("agent:a2").Mount(w.Context(), "hook", says("second")); !w.Nowhere && !fault.Is(err, fault.Conflict) {
		w.Errorf("Mount where something is = %v, want CONFLICT", err)
	}
	w.serves("/ta/hook", "first /")
}

func teamsStandApart(w *world) {
	w.mount("agent:a1", "hook", says("a"))
	w.mount("agent:b1", "hook", says("b"))
	w.serves("/ta/hook", "a /")
	w.serves("/tb/hook", "b /")
	if err := w.as("agent:b1").Unmount(w.Context(), "hook"); err != nil {
		w.Error(err)
	}
	w.serves("/ta/hook", "a /")
	w.serves("/tb/hook", "")
}

// Who belongs to no team mounts nothing, and each refusal leaves one record.
func strangers(w *world) {
	w.mount("agent:a1", "hook", says("a"))
	for _, h := range []*router.Handle{w.as("agent:unknown"), w.as("user:nobody"), w.as("public"), w.service.For(access.Candidate{})} {
		_, url := h.URL(w.Context(), "hook")
		_, mount := h.Mount(w.Context(), "other", says("x"))
		for op, err := range map[string]error{"router.url": url, "router.mount": mount, "router.unmount": h.Unmount(w.Context(), "hook")} {
			if !fault.Is(err, fault.Denied) {
				w.Errorf("%s as %s = %v, want ACCESS_DENIED", op, h.Candidate(), err)
			}
		}
		w.mu.Lock()
		if len(w.records) != 3 {
			w.Errorf("as %s the refusals left %d records, want 3", h.Candidate(), len(w.records))
		}
		w.records = nil
		w.mu.Unlock()
	}
	w.serves("/ta/hook", "a /")
	w.serves("/ta/other", "")
}

// names that would be another place, or written differently in an address, are refused.
func names(w *world) {
	for _, name := range []string{"", ".", "..", "a/b", "../tb/x", "a b", "%2e", "a%2fb", "ä", "a\x00", "a\n", "a?b", "a#b", "a\\b", "{x}", strings.Repeat("a", 65)} {
		_, url := w.as("agent:a1").URL(w.Context(), name)
		_, mount := w.as("agent:a1").Mount(w.Context(), name, says("x"))
		for op, err := range map[string]error{"URL": url, "Mount": mount, "Unmount": w.as("agent:a1").Unmount(w.Context(), name)} {
			if !fault.Is(err, fault.Invalid) {
				w.Errorf("%s(%q) = %v, want INVALID", op, name, err)
			}
		}
	}
}

// A path of a caller cannot climb out of the place it names.
func paths(w *world) {
	w.mount("agent:a1", "hook", says("a"))
	w.mount("agent:b1", "hook", says("b"))
	for _, path := range []string{
		"/ta/hook/../../tb/hook", "/ta/hook/..", "/ta/hook/./x", "/ta/hook/%2e%2e/x", "/ta/hook/..%2fx", "/ta/hook/a%2f..%2fb", "/ta/hook/a/../b", "/ta/../tb/hook", "/../tb/hook", "/./ta/hook",
		"/%74a/hook", "/ta%2fhook", "/ta/%68ook",
	} {
		w.serves(path, "")
	}
}

func canceled(w *world) {
	ctx, cancel := context.WithCancel(w.Context())
	cancel()
	if _, err := w.as("agent:a1").Mount(ctx, "hook", says("x")); !fault.Is(err, fault.Canceled) {
		w.Errorf("Mount = %v, want CANCELED", err)
	}
	w.serves("/ta/hook", "")
}

// Of many who mount at one place at once one succeeds; callers come at the same time.
func concurrent(w *world) {
	var mu sync.Mutex
	done := 0
	var wg sync.WaitGroup
	for range 8 {
		h := w.as("agent:a1")
		wg.Go(func() {
			if _, err := h.Mount(w.Context(), "hook", says("x")); err == nil {
				mu.Lock()
				done++
				mu.Unlock()
			}
		})
		wg.Go(func() { w.get("/ta/hook") })
	}
	wg.Wait()
	if done != 1 && !w.Nowhere {
		w.Errorf("%d mounted at one place, want 1", done)
	}
}
