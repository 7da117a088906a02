package cli

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/hop"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/testmodel"
	"github.com/sre-go/sre/value"
)

// TestT09_SelfCall: an agent that calls its own address, by any name of it, is refused where agents that call each other
// would be, also after the configuration was read again. It does not see the count.
func TestT09_SelfCall(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", "localhost"} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			var s *serving
			var requests atomic.Int64
			var last atomic.Pointer[string]
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				answer := httptest.NewRecorder()
				s.relay.ServeHTTP(answer, r)
				if text := answer.Body.String(); last.CompareAndSwap(nil, &text) && r.Header.Get(hop.Header) == "" {
					t.Error("a request that came back was not counted")
				}
				w.WriteHeader(answer.Code)
				_, _ = w.Write(answer.Body.Bytes())
			}))
			defer srv.Close()
			dir := t.TempDir()
			url := "http://" + host + srv.URL[strings.LastIndex(srv.URL, ":"):] + "/api/loop"
			for name, text := range map[string]string{"agents/a.smyth": callsItself(url), ".smyth/config.json": `{"egress":{"allowPrivate":true}}`} {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			a := &app{
				Machine: Machine{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard, Work: dir, Getenv: func(string) string { return "" }},
				set:     std.Set(), dir: filepath.Join(dir, ".smyth"),
			}
			var err error
			if s, _, err = a.newServing(t.Context(), []string{"agents"}, serveFlags{open: true}); err != nil {
				t.Fatal(err)
			}
			defer func() {
				s.old.Wait()
				if err := s.rt.Close(context.Background()); err != nil {
					t.Error(err)
				}
			}()
			s.listening(srv.Listener.Addr())
			for _, when := range []string{"at first", "with another runtime"} {
				requests.Store(0)
				last.Store(nil)
				answer := httptest.NewRecorder()
				s.relay.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "http://localhost/api/loop", strings.NewReader(`{}`)))
				if got, want := requests.Load(), int64(limits.Default().Depth); got != want {
					t.Errorf("%s: %d requests came back, want %d: %s", when, got, want, answer.Body)
				}
				if text := last.Load(); text == nil {
					t.Errorf("%s: nothing came back", when)
				} else if !strings.Contains(*text, "LIMIT_EXCEEDED(depth)") {
					t.Errorf("%s: the deepest answer is %s, want LIMIT_EXCEEDED(depth)", when, *text)
				}
				if err := s.replace(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestT09_SharedBudget: the runs that an agent starts by calling its own address may together use what the first one may.
func TestT09_SharedBudget(t *testing.T) {
	t.Parallel()
	for budget, want := range map[string]int{``: limits.Default().Depth, `,"budgets":{"run":{"calls":3}}`: 3} {
		rules, err := testmodel.ParseScript(value.List(value.Obj(value.M("reply", value.Obj(value.M("text", value.Of("yes")))))))
		if err != nil {
			t.Fatal(err)
		}
		models, err := testmodel.Start(t.Context(), rules, effect.System{})
		if err != nil {
			t.Fatal(err)
		}
		defer models.Close()
		var s *serving
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.relay.ServeHTTP(w, r) }))
		defer srv.Close()
		dir := t.TempDir()
		agent := strings.Replace(callsItself(srv.URL+"/api/loop"), `{"id":"API"`, `{"id":"L","name":"GenAILLM","data":{"model":"fake","prompt":"hello"},"inputs":[{"name":"a","optional":true}],"outputs":[{"name":"Reply"}]},
			{"id":"API"`, 1)
		agent = strings.Replace(agent, `"connections":[`, `"connections":[{"sourceId":"EP","sourceIndex":0,"targetId":"L","targetIndex":0},`, 1)
		for name, text := range map[string]string{
			"agents/a.smyth": agent, ".smyth/config.json": `{"egress":{"allowPrivate":true}` + budget + `}`,
			".smyth/models/m.json": `{"fake":{"provider":"OpenAI","modelId":"fake","baseURL":"` + models.URL() + `","credentials":"none","tokens":100000,"completionTokens":1000}}`,
		} {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		a := &app{
			Machine: Machine{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard, Work: dir, Getenv: func(string) string { return "" }},
			set:     std.Set(), dir: filepath.Join(dir, ".smyth"),
		}
		if s, _, err = a.newServing(t.Context(), []string{"agents"}, serveFlags{open: true}); err != nil {
			t.Fatal(err)
		}
		s.listening(srv.Listener.Addr())
		answer := httptest.NewRecorder()
		s.relay.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "http://localhost/api/loop", strings.NewReader(`{}`)))
		if got := models.Requests().Len(); got != want {
			t.Errorf("with %q the model was asked %d times, want %d: %s", budget, got, want, answer.Body)
		}
		if err := s.rt.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func callsItself(url string) string {
	return `{"id":"a","name":"A","version":"1","components":[
		{"id":"EP","name":"APIEndpoint","data":{"endpoint":"loop"},"inputs":[],"outputs":[{"name":"body","default":true}]},
		{"id":"API","name":"APICall","data":{"method":"POST","url":"` + url + `","contentType":"application/json","body":"{}"},"inputs":[{"name":"a","optional":true}],"outputs":[{"name":"Response","default":true}]},
		{"id":"OUT","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"r"}],"outputs":[{"name":"Output","default":true}]}],
		"connections":[{"sourceId":"EP","sourceIndex":0,"targetId":"API","targetIndex":0},{"sourceId":"API","sourceIndex":0,"targetId":"OUT","targetIndex":0}]}`
}
