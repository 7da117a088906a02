package files

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/publicfile"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/subsystem/io/router"
	"github.com/sre-go/sre/subsystem/io/router/nullrouter"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/subsystem/io/storage/ramstorage"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/subsystem/memory/cache/ramcache"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

type members struct{ account.Connector }

func (members) AnswersFromMemory() {}

func (members) TeamOf(context.Context, access.Candidate) (string, error) { return "red", nil }

// newServices returns a runtime with what the component needs, except for one kind.
func newServices(t *testing.T, without string) *connector.Services {
	t.Helper()
	services := connector.NewServices()
	env := connector.Env{Log: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Effects: effect.System{}, Events: new(event.Bus), Services: services}
	put := func(kind connector.AnyKind, c any) {
		built, err := connector.Build(kind, env, "", []connector.Opened{{ID: "x", Connector: c}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if kind.KindName() != without {
			services.Put(kind, built)
		}
	}
	put(account.Kind, members{})
	for _, k := range []struct {
		kind connector.AnyKind
		def  connector.Definition
	}{{storage.Kind, ramstorage.Definition()}, {cache.Kind, ramcache.Definition()}, {router.Kind, nullrouter.Definition}} {
		c, err := k.def.Open(t.Context(), env, value.Obj())
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := c.(connector.Starter); ok {
			if err := s.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if s, ok := c.(connector.Closer); ok {
			t.Cleanup(func() {
				if err := s.Close(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		put(k.kind, c)
	}
	return services
}

// store runs the component.
func store(t *testing.T, services *connector.Services, settings string, data value.Value) (string, error) {
	t.Helper()
	s, err := value.Parse(settings)
	if err != nil {
		t.Fatal(err)
	}
	agent, err := access.Agent("one")
	if err != nil {
		t.Fatal(err)
	}
	call := &component.Call{Scope: scope.New(services, agent), Agent: &component.Agent{ID: "one"}, Effects: effect.System{}, KeepLog: true}
	in := component.Input{Ports: []component.NodePort{{Name: "Data"}, {Name: "n"}}, Values: []value.Value{data, value.Of("{{Data}}/../x")}}
	inst := fileStore().Compile(s)
	for _, v := range inst.Violations {
		t.Errorf("settings: %s", v.Message)
	}
	out, err := inst.Run(t.Context(), call, in)
	return out.GetString("Url"), err
}

func fetch(services *connector.Services, url string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	h := publicfile.NewHandler(func(c access.Candidate) scope.Scope { return scope.New(services, c) })
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, strings.TrimPrefix(url, "http://nullrouter.local"), nil))
	return rec
}

func TestFileStore(t *testing.T) {
	t.Parallel()
	services := newServices(t, "")
	tests := []struct{ name, settings, data, ending, kind, want string }{
		{"text", `{}`, "hello", ".txt", "text/plain", "hello"},
		{"picture", `{"ttl":60}`, "data:image/png;base64,iVBORw0KGgo=", ".png", "image/png", "\x89PNG\r\n\x1a\n"},
		{"named", `{"name":"my {{n}} file"}`, "hello", ".txt", "text/plain", "hello"},
		{"named with its ending", `{"name":"a.txt"}`, "hello", ".txt", "text/plain", "hello"},
		{"named like a folder", `{"name":"../../x"}`, "hello", ".txt", "text/plain", "hello"},
		{"long name", `{"name":"` + strings.Repeat("é", 500) + `"}`, "hello", ".txt", "text/plain", "hello"},
	}
	seen := map[string]bool{}
	for _, tt := range tests {
		url, err := store(t, services, tt.settings, value.Of(tt.data))
		if err != nil || !strings.HasPrefix(url, "http://nullrouter.local/storage/") || !strings.HasSuffix(url, tt.ending) || seen[url] {
			t.Errorf("%s: %s, %v", tt.name, url, err)
			continue
		}
		seen[url] = true
		got := fetch(services, url)
		text, err := io.ReadAll(got.Body)
		if err != nil || got.Code != 200 || string(text) != tt.want || got.Header().Get("Content-Type") != tt.kind {
			t.Errorf("%s: fetched %q as %q with status %d, %v", tt.name, text, got.Header().Get("Content-Type"), got.Code, err)
		}
	}
}

func TestFileStore_Fails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, without string
		data          value.Value
		want          fault.Kind
	}{
		{"nothing", "", value.Value{}, fault.Invalid},
		{"empty list", "", value.OfItems(nil), fault.Invalid},
		{"no storage", "Storage", value.Of("x"), fault.Unsupported},
		{"no cache", "Cache", value.Of("x"), fault.Unsupported},
		{"no router", "Router", value.Of("x"), fault.Unsupported},
		{"file that says it is large", "", value.Obj(value.M("url", value.Of("data:,x")), value.M("mimetype", value.Of("")), value.M("size", value.OfNumber(1e12))), fault.Limit},
	}
	for _, tt := range tests {
		if url, err := store(t, newServices(t, tt.without), `{}`, tt.data); !fault.Is(err, tt.want) {
			t.Errorf("%s: %s, %v, want kind %v", tt.name, url, err, tt.want)
		}
	}
}

// The file is gone when its time is over, and its address with it.
func TestFileStore_Expires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		services := newServices(t, "")
		url, err := store(t, services, `{"ttl":60}`, value.Of("hello"))
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(59 * time.Second)
		if got := fetch(services, url); got.Code != 200 {
			t.Errorf("before its end: status %d", got.Code)
		}
		<-time.After(2 * time.Second)
		if got := fetch(services, url); got.Code != http.StatusNotFound {
			t.Errorf("after its end: status %d", got.Code)
		}
	})
}
