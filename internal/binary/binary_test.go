package binary_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/binary"
	"github.com/sre-go/sre/internal/leak"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/subsystem/io/storage/ramstorage"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/subsystem/security/account/dummyaccount"
	"github.com/sre-go/sre/value"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

// services boots accounts and storage. The agent "blue" is of team blue, all others of team red.
func services(t *testing.T) *connector.Services {
	t.Helper()
	env := connector.Env{Log: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Effects: effect.System{}, Events: &event.Bus{}, Services: connector.NewServices()}
	settings, err := value.Parse(`{"team":"red","data":{"blue":{"agents":{"blue":{}}}}}`)
	if err != nil {
		t.Fatal(err)
	}
	open(t, env, account.Kind, dummyaccount.Definition, settings)
	open(t, env, storage.Kind, ramstorage.Definition(), value.Obj())
	return env.Services
}

func open(t *testing.T, env connector.Env, kind connector.AnyKind, def connector.Definition, settings value.Value) {
	t.Helper()
	c, err := def.Open(t.Context(), env, settings)
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
	built, err := connector.Build(kind, env, "", []connector.Opened{{ID: "x", Connector: c}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	env.Services.Put(kind, built)
}

func call(t *testing.T, s *connector.Services, agent string, client *http.Client) *component.Call {
	t.Helper()
	c, err := access.Agent(agent)
	if err != nil {
		t.Fatal(err)
	}
	return &component.Call{Scope: scope.New(s, c), Agent: &component.Agent{ID: agent}, Effects: effect.System{}, HTTP: client}
}

func TestFrom(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/a.csv":
			w.Header().Set("Content-Type", "text/csv; charset=utf-8")
			_, _ = w.Write([]byte("a,b"))
		case "/b":
			w.Header()["Content-Type"] = nil
			_, _ = w.Write([]byte("\x89PNG\r\n\x1a\n"))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(srv.Close)
	c := call(t, services(t), "one", srv.Client())
	tests := []struct{ name, in, mime, ending, data string }{
		{"data URL", "data:text/plain;base64,aGVsbG8=", "text/plain", "-f.txt", "hello"},
		{"base64", "aGVsbG8gd29ybGQgdGhpcyBpcyBiYXNlNjQ=", "", "-f", "hello world this is base64"},
		{"base64 of a picture", "iVBORw0KGgo=", "image/png", "-f.png", "\x89PNG\r\n\x1a\n"},
		{"text", "plain text value", "text/plain", "-f.txt", "plain text value"},
		{"text with blanks around", " x y ", "text/plain", "-f.txt", " x y "},
		{"address", srv.URL + "/a.csv", "text/csv", "-f.csv", "a,b"},
		{"address without a type", srv.URL + "/b", "image/png", "-f.png", "\x89PNG\r\n\x1a\n"},
		{"broken data URL", "data:text/plain,x", "text/plain", "-f.txt", "data:text/plain,x"},
	}
	for _, test := range tests {
		files, err := binary.From(t.Context(), c, value.Of(test.in), "f")
		if err != nil || len(files) != 1 {
			t.Errorf("%s: From() = %d files, %v; want one", test.name, len(files), err)
			continue
		}
		if f := files[0]; f.MIME != test.mime || !strings.HasSuffix(f.Name, test.ending) || string(f.Data) != test.data {
			t.Errorf("%s: got %q %q %q, want %q %q %q", test.name, f.MIME, f.Name, f.Data, test.mime, test.ending, test.data)
		}
	}
	files, err := binary.From(t.Context(), c, value.Of(srv.URL+"/a.csv, "+srv.URL+"/b"), "f")
	if err != nil || len(files) != 2 {
		t.Errorf("two addresses: %d files, %v; want two", len(files), err)
	}
	if _, err := binary.From(t.Context(), c, value.Of(srv.URL+"/none"), "f"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("an address without a file: error = %v", err)
	}
}

// TestT05_NoClient: without the client of the call nothing is downloaded.
func TestT05_NoClient(t *testing.T) {
	t.Parallel()
	c := call(t, services(t), "one", nil)
	if _, err := binary.From(t.Context(), c, value.Of("http://127.0.0.1:1/x"), "f"); !fault.Is(err, fault.Unsupported) {
		t.Errorf("From() error = %v, want it refused", err)
	}
}

// TestT11_ForeignFiles: a stored file is read by its own team alone, whatever address names it.
func TestT11_ForeignFiles(t *testing.T) {
	t.Parallel()
	s := services(t)
	owner, stranger := call(t, s, "one", nil), call(t, s, "blue", nil)
	object, err := binary.Store(t.Context(), owner, binary.File{Name: "f.txt", MIME: "text/plain", Data: []byte("canary")})
	if err != nil {
		t.Fatal(err)
	}
	files, err := binary.From(t.Context(), owner, object, "f")
	if err != nil || len(files) != 1 || string(files[0].Data) != "canary" {
		t.Errorf("the owner reads %v, %v; want its file", files, err)
	}
	for _, address := range []string{object.GetString("url"), "smythfs://red.team/one/_temp/f.txt", "smythfs://one.agent/../../red/one/_temp/f.txt", "smythfs://blue.team/../red/one/_temp/f.txt"} {
		files, err := binary.From(t.Context(), stranger, value.Of(address), "f")
		if err == nil {
			t.Errorf("%s: a stranger reads %q", address, files[0].Data)
		}
	}
}

// TestT10_UploadNames: the name of an upload is data: it cannot lead anywhere.
func TestT10_UploadNames(t *testing.T) {
	t.Parallel()
	c := call(t, services(t), "one", nil)
	for _, name := range []string{"../../etc/passwd", `..\x`, "a/b.txt", "C:\\x.txt", ".", "..", "", "a\x00b", "%2e%2e%2fx", "trailing.", "x y.txt", "smythfs://x"} {
		f := binary.Upload(c, component.File{Field: "f", Name: name, MIME: "text/plain", Data: []byte("x")})
		if _, err := binary.Store(t.Context(), c, f); err != nil {
			t.Errorf("%q became %q: Store() error = %v", name, f.Name, err)
		}
		if strings.ContainsAny(f.Name, `/\%:`) || strings.Contains(f.Name, "..") {
			t.Errorf("%q became %q", name, f.Name)
		}
	}
}

func FuzzFrom(f *testing.F) {
	for _, s := range []string{"", "data:;base64,", "aGk=", "data:text/plain;base64,####", ",,,", "http://", "smythfs://a.team/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := &component.Call{Agent: &component.Agent{ID: "one"}, Effects: effect.System{}}
		files, err := binary.From(t.Context(), c, value.Of(s), "f")
		if err == nil && len(files) == 0 {
			t.Errorf("From(%q) gave neither a file nor an error", s)
		}
	})
}

// TestT48_DeclaredSizes: what a file says of its size is refused when it is too much, and otherwise not believed.
func TestT48_DeclaredSizes(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, limits.Default().ResponseBytes+1))
	}))
	t.Cleanup(srv.Close)
	s := services(t)
	c := call(t, s, "one", srv.Client())
	large, err := binary.Store(t.Context(), c, binary.File{Name: "large.bin", Data: make([]byte, limits.Default().ResponseBytes+1)})
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]value.Value{
		"says it is large":            binary.Object("text/plain", 1<<40, "data:text/plain;base64,aGk=", "f"),
		"says it is small and is not": binary.Object("text/plain", 1, srv.URL, "f"),
		"is stored":                   large.With("size", value.OfInt(1)),
	} {
		if _, err := binary.From(t.Context(), c, v, "f"); fault.CodeOf(err) != "LIMIT_EXCEEDED(response_bytes)" {
			t.Errorf("a file that %s: %v, want the limit", name, err)
		}
	}
}

func TestMake(t *testing.T) {
	t.Parallel()
	c := call(t, services(t), "one", nil)
	tests := []struct{ name, mime, data, want, ending string }{
		{"named type", "image/PNG; a=b", "x", "image/png", ".png"},
		{"by its bytes", "", "\x89PNG\r\n\x1a\n", "image/png", ".png"},
		{"unknown", "", "\x00\x01", "application/octet-stream", ".bin"},
	}
	for _, tt := range tests {
		if f := binary.Make(c, tt.mime, []byte(tt.data)); f.MIME != tt.want || !strings.HasSuffix(f.Name, tt.ending) || string(f.Data) != tt.data {
			t.Errorf("%s: Make = %q %q, want %q and the ending %q", tt.name, f.MIME, f.Name, tt.want, tt.ending)
		}
	}
	if got := binary.PlainName(strings.Repeat("é", 200)); len(got) > 128 || strings.Trim(got, "é") != "" {
		t.Errorf("PlainName of a long name = %q", got)
	}
}
