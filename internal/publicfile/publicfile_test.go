package publicfile_test

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
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/publicfile"
	"github.com/sre-go/sre/internal/smythfs"
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

const base = "http://nullrouter.local"

// world is a runtime with what addresses need. Agents whose names begin with b are of the team blue, the others of red.
type world struct {
	t        *testing.T
	services *connector.Services
	handler  *publicfile.Handler
}

type members struct{ account.Connector }

func (members) AnswersFromMemory() {}

func (members) TeamOf(_ context.Context, c access.Candidate) (string, error) {
	if strings.HasPrefix(c.ID(), "b") {
		return "blue", nil
	}
	return "red", nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, services: connector.NewServices()}
	env := connector.Env{Log: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Effects: effect.System{}, Events: new(event.Bus), Services: w.services}
	w.build(env, account.Kind, members{})
	w.open(env, storage.Kind, ramstorage.Definition())
	w.open(env, cache.Kind, ramcache.Definition())
	w.open(env, router.Kind, nullrouter.Definition)
	w.handler = publicfile.NewHandler(w.as)
	return w
}

func (w *world) open(env connector.Env, kind connector.AnyKind, def connector.Definition) {
	w.t.Helper()
	c, err := def.Open(w.t.Context(), env, value.Obj())
	if err != nil {
		w.t.Fatal(err)
	}
	if s, ok := c.(connector.Starter); ok {
		if err := s.Start(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
	if s, ok := c.(connector.Closer); ok {
		w.t.Cleanup(func() {
			if err := s.Close(context.Background()); err != nil {
				w.t.Error(err)
			}
		})
	}
	w.build(env, kind, c)
}

func (w *world) build(env connector.Env, kind connector.AnyKind, c any) {
	w.t.Helper()
	built, err := connector.Build(kind, env, "", []connector.Opened{{ID: "x", Connector: c}}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.services.Put(kind, built)
}

func (w *world) as(c access.Candidate) scope.Scope { return scope.New(w.services, c) }

func (w *world) agent(id string) publicfile.Maker {
	w.t.Helper()
	c, err := access.Agent(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return publicfile.Maker{Scope: w.as(c), Effects: effect.System{}}
}

// store stores a file of an agent and returns its address in storage.
func (w *world) store(m publicfile.Maker, team, name, text, kind string) smythfs.URI {
	w.t.Helper()
	uri := smythfs.URI{Owner: m.Scope.Candidate(), Path: name}
	o := storage.Options{Metadata: value.Obj(value.M("ContentType", value.Of(kind)))}
	if err := m.Scope.Storage().Write(w.t.Context(), uri.Name(team), []byte(text), o); err != nil {
		w.t.Fatal(err)
	}
	return uri
}

func (w *world) get(address string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, strings.TrimPrefix(address, base), nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.agent("one")
	uri := w.store(m, "red", "f.html", "<script>", "text/html")
	temporary, err := m.Temporary(t.Context(), uri, 0)
	if err != nil || !strings.HasPrefix(temporary, base+"/_temp/f56001/") {
		t.Fatalf("Temporary = %s, %v", temporary, err)
	}
	resource, err := m.Resource(t.Context(), uri)
	if err != nil || !strings.HasPrefix(resource, base+"/storage/f56001/") || !strings.HasSuffix(resource, ".html") {
		t.Fatalf("Resource = %s, %v", resource, err)
	}
	for _, address := range []string{temporary, resource, strings.TrimSuffix(resource, ".html")} {
		got := w.get(address)
		if got.Code != 200 || got.Body.String() != "<script>" || got.Header().Get("Content-Type") != "text/html" || !w.handler.Serves(strings.TrimPrefix(address, base)) {
			t.Errorf("%s: status %d, %q as %q", address, got.Code, got.Body, got.Header().Get("Content-Type"))
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment", "Content-Security-Policy": "sandbox; default-src 'none'"} {
			if got.Header().Get(name) != want {
				t.Errorf("%s: header %s is %q, want %q", address, name, got.Header().Get(name), want)
			}
		}
	}
	if got := w.get(resource, "Range", "bytes=1-3"); got.Code != http.StatusPartialContent || got.Body.String() != "scr" {
		t.Errorf("a part: status %d, %q", got.Code, got.Body)
	}
	if err := m.Destroy(t.Context(), temporary); err != nil {
		t.Errorf("Destroy: %v", err)
	}
	if got := w.get(temporary); got.Code != http.StatusNotFound {
		t.Errorf("after Destroy: status %d", got.Code)
	}
	if err := m.Destroy(t.Context(), temporary); err != nil {
		t.Errorf("second Destroy: %v", err)
	}
	if err := m.Destroy(t.Context(), base+"/x"); !fault.Is(err, fault.Invalid) {
		t.Errorf("Destroy of another address: %v, want kind %v", err, fault.Invalid)
	}
}

// TestT15_NothingToTellApart: an address that is wrong, has ended or was taken back is the same answer.
func TestT15_NothingToTellApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.agent("one")
	uri := w.store(m, "red", "f", "canary", "")
	resource, err := m.Resource(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Scope.Storage().Delete(t.Context(), uri.Name("red")); err != nil {
		t.Fatal(err)
	}
	const id = "01234567-89ab-4def-8123-456789abcdef"
	want := ""
	for _, address := range []string{
		resource, "/storage/f56001/" + id, "/_temp/f56001/" + id, "/storage/f56001/", "/storage/", "/_temp/x/" + id, "/storage/f56001/../" + id, "/_temp/f56001/" + strings.ToUpper(id),
		"/storage/f56001/" + id + ".a/b", "/_temp/f56001/" + id + "%00", "/other",
	} {
		got := w.get(address)
		shown := strings.Join([]string{got.Body.String(), got.Header().Get("Content-Type"), got.Header().Get("Content-Disposition")}, "|")
		if want == "" {
			want = shown
		}
		if got.Code != http.StatusNotFound || shown != want {
			t.Errorf("%s: status %d, %q, want 404 and %q", address, got.Code, shown, want)
		}
	}
	for _, method := range []string{"POST", "DELETE", "OPTIONS", "PUT"} {
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, httptest.NewRequest(method, "/storage/f56001/"+id, nil))
		if rec.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: status %d", method, rec.Code)
		}
	}
}

// TestT11_ForeignFiles: nobody makes an address of a file that it may not read, and an entry that names another one than
// the one who made it is worth nothing.
func TestT11_ForeignFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner, stranger := w.agent("one"), w.agent("blue")
	uri := w.store(owner, "red", "f", "canary", "text/plain")
	red, err := access.Team("red")
	if err != nil {
		t.Fatal(err)
	}
	for name, u := range map[string]smythfs.URI{"file of an agent": uri, "file of a team": {Owner: red, Path: "one/f"}, "no file": {Owner: stranger.Scope.Candidate(), Path: "none"}} {
		_, temporary := stranger.Temporary(t.Context(), u, 0)
		_, resource := stranger.Resource(t.Context(), u)
		for _, err := range []error{temporary, resource} {
			if !fault.Is(err, fault.NotFound) || err.Error() != "Resource does not exist" {
				t.Errorf("%s: %v, want kind %v", name, err, fault.NotFound)
			}
		}
	}
	const id = "01234567-89ab-4def-8123-456789abcdef"
	public := cache.Options{ACL: access.NewACL().With(access.Public(), access.RightRead)}
	for name, entry := range map[string]string{
		"names the owner": `{"accessCandidate":"agent:one","name":"` + uri.Name("red") + `"}`, "names itself": `{"accessCandidate":"agent:blue","name":"` + uri.Name("red") + `"}`,
		"names the team": `{"accessCandidate":"team:red","name":"` + uri.Name("red") + `"}`, "names the public": `{"accessCandidate":"public","name":"` + uri.Name("red") + `"}`, "names nobody": `{}`, "no object": `"x"`,
	} {
		v, err := value.Parse(entry)
		if err != nil {
			t.Fatal(err)
		}
		if err := stranger.Scope.Cache().Set(t.Context(), "storage_url-"+id, v, public); err != nil {
			t.Fatal(err)
		}
		if got := w.get("/storage/f56001/" + id); got.Code != http.StatusNotFound || strings.Contains(got.Body.String(), "canary") {
			t.Errorf("an entry that %s: status %d, %q", name, got.Code, got.Body)
		}
	}
	user, err := access.User("u")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (publicfile.Maker{Scope: w.as(user), Effects: effect.System{}}).Resource(t.Context(), uri); !fault.Is(err, fault.Denied) {
		t.Errorf("an address that stays, made by a user: %v, want kind %v", err, fault.Denied)
	}
}

func TestTemporary_Ends(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		m := w.agent("one")
		uri := w.store(m, "red", "f", "x", "")
		address, err := m.Temporary(t.Context(), uri, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute - time.Second)
		if got := w.get(address); got.Code != 200 || got.Header().Get("Content-Type") != "application/octet-stream" {
			t.Errorf("before its end: status %d as %q", got.Code, got.Header().Get("Content-Type"))
		}
		<-time.After(2 * time.Second)
		if got := w.get(address); got.Code != http.StatusNotFound {
			t.Errorf("after its end: status %d", got.Code)
		}
	})
}

func FuzzHandler(f *testing.F) {
	for _, s := range []string{"/storage/f56001/01234567-89ab-4def-8123-456789abcdef.txt", "/_temp//", "/storage/f56001/..", "/_temp/f56001/%2e"} {
		f.Add(s)
	}
	h := publicfile.NewHandler(func(c access.Candidate) scope.Scope { return scope.New(nil, c) })
	f.Fuzz(func(t *testing.T, path string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path = path
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if text, err := io.ReadAll(rec.Body); err != nil || rec.Code != http.StatusNotFound || string(text) != "Not Found\n" {
			t.Errorf("%q: status %d, %q, %v", path, rec.Code, text, err)
		}
	})
}
