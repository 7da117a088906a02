package mcpclient

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// ways are the transports, with a server behind each.
func ways(t *testing.T) map[string]func(t *testing.T) (Server, Options) {
	t.Helper()
	return map[string]func(t *testing.T) (Server, Options){
		"streamable HTTP": func(t *testing.T) (Server, Options) {
			s := serve(t, streamable(newServer(nil)))
			return Server{Name: "web", Pin: "web", URL: s.URL}, options(t, s.Client())
		},
		"server-sent events": func(t *testing.T) (Server, Options) {
			s := serve(t, events(newServer(nil)))
			return Server{Name: "web", Pin: "web", URL: s.URL}, options(t, s.Client())
		},
		"standard input and output": func(t *testing.T) (Server, Options) {
			return Server{Name: "web", Pin: "web", Command: program(t, "server", "GIVEN=yes")}, options(t, http.DefaultClient)
		},
	}
}

func TestSession(t *testing.T) {
	t.Parallel()
	for way, prepare := range ways(t) {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			server, o := prepare(t)
			s := open(t, server, o)
			if got := find(t, s, "web__echo"); got.Description != "Says it again" || got.Parameters.Get("properties").Get("text").GetString("description") != "what to say" {
				t.Errorf("the tool is %+v with %s", got, got.Parameters.JSON())
			}
			tests := []struct{ name, text, want, wrong string }{
				{"echo", "hello", "hello", ""},
				{"echo", `{"a":1}`, `{"a":1}`, ""},
				{"mixed", "", "look:\n[image/png, 12 bytes]\nfile:///a\ninside", ""},
				{"fails", "", "", "no[31m luck"},
				{"large", "", "", "LIMIT_EXCEEDED(result_bytes)"},
			}
			for _, test := range tests {
				got, err := use(t, s, "web__"+test.name, test.text)
				if test.wrong == "" && (err != nil || got != test.want) || test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)) {
					t.Errorf("%s = %q, %v; want %q, %q", test.name, got, err, test.want, test.wrong)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if _, err := use(t, s, "web__echo", "late"); !fault.Is(err, fault.Unavailable) {
				t.Errorf("a call after the end = %v, want it unavailable", err)
			}
		})
	}
}

// TestT55_NothingInReturn: a server is given no answer of a model, no input of a user and no files.
func TestT55_NothingInReturn(t *testing.T) {
	t.Parallel()
	for way, prepare := range ways(t) {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			server, o := prepare(t)
			got, err := use(t, open(t, server, o), "web__asks", "")
			if err == nil && !strings.HasPrefix(got, "refused") {
				t.Errorf("the server says %q, want it refused", got)
			}
		})
	}
}

// TestT56_Environment: the program of a server knows what it was given and nothing of ours.
func TestT56_Environment(t *testing.T) {
	t.Setenv("SRE_MCP_CANARY", "canary")
	s := open(t, Server{Name: "x", Pin: "x", Command: program(t, "server", "GIVEN=a;$(b)\nc")}, options(t, http.DefaultClient))
	for name, want := range map[string]string{"SRE_MCP_CANARY": "[]", "HOME": "[]", "GIVEN": "[a;$(b)\nc]"} {
		if got, err := use(t, s, "x__environment", name); err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", name, got, err, want)
		}
	}
}

// TestT56_KeyOfOneServer: the headers of a server go to that server alone, as stand-ins that the door fills.
func TestT56_KeyOfOneServer(t *testing.T) {
	t.Parallel()
	other := serve(t, streamable(newServer(nil)))
	leads := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	}))
	announces := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		if _, err := w.Write([]byte("event: endpoint\ndata: " + other.URL + "/message\n\n")); err != nil {
			t.Error(err)
		}
	}))
	for name, s := range map[string]*served{"redirect": leads, "message address": announces} {
		server := Server{Name: "a", Pin: "a", URL: s.URL, Headers: map[string]secret.Value{"Authorization": hidden("canary")}}
		session, err := Open(t.Context(), server, options(t, s.Client()))
		if err == nil {
			_ = session.Close()
			t.Errorf("%s: Open succeeded, want it refused", name)
		}
		if n := len(other.headers); n != 0 {
			t.Errorf("%s: the other server was asked %d times", name, n)
		}
		for _, h := range s.headers {
			if got := h.Get("Authorization"); got == "" || strings.Contains(got, "canary") {
				t.Errorf("%s: the header is %q, want a stand-in: this client has no door to fill it", name, got)
			}
		}
	}
}

func TestOpen_Fails(t *testing.T) {
	t.Parallel()
	status := func(code int) *served {
		return serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
	}
	says := func(text string) *served {
		return serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if _, err := w.Write([]byte(text)); err != nil {
				t.Error(err)
			}
		}))
	}
	gone := status(200)
	gone.Close()
	tests := []struct {
		name   string
		server Server
		kind   fault.Kind
		want   string
	}{
		{"not allowed", Server{URL: status(401).URL}, fault.Unauthenticated, "status 401"},
		{"not acceptable", Server{URL: status(406).URL}, fault.Unavailable, "does not accept"},
		{"neither transport", Server{URL: status(404).URL}, fault.Unavailable, "status 404"},
		{"broken", Server{URL: status(500).URL}, fault.Unavailable, "status 500"},
		{"garbage", Server{URL: says("{").URL}, fault.Unavailable, ""},
		{"an answer to another question", Server{URL: says(`{"jsonrpc":"2.0","id":"other","result":{}}`).URL}, fault.Timeout, "did not answer within"},
		{"nobody there", Server{URL: gone.URL}, fault.Unavailable, "refused"},
		{"no address", Server{URL: "ftp://x.test/"}, fault.Invalid, "no address of the web"},
		{"no program", Server{Command: program(t, "dies")}, fault.Unavailable, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.server.Name, test.server.Pin = "a", "a"
			o := options(t, &http.Client{Transport: http.DefaultTransport})
			if o.ConnectTime = 0; test.kind == fault.Timeout {
				o.ConnectTime = 100 * time.Millisecond
			}
			session, err := Open(t.Context(), test.server, o)
			if err == nil {
				_ = session.Close()
			}
			if !fault.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Open = %v (%v), want %q (%v)", err, fault.KindOf(err), test.want, test.kind)
			}
		})
	}
}

// TestT55_Silence: a tool that never answers ends with its time, or with the conversation, and the next call works.
func TestT55_Silence(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	web := serve(t, streamable(newServer(hang)))
	t.Cleanup(func() { close(hang) })
	o := options(t, web.Client())
	o.CallTime = 50 * time.Millisecond
	s := open(t, Server{Name: "web", Pin: "web", URL: web.URL}, o)
	if _, err := use(t, s, "web__hangs", ""); !fault.Is(err, fault.Timeout) {
		t.Errorf("a tool that hangs = %v, want a timeout", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.call(ctx, "echo", value.Obj(value.M("text", value.Of("x")))); !fault.Is(err, fault.Canceled) {
		t.Errorf("a call that was cancelled = %v", err)
	}
	s.o.CallTime = 10 * time.Second
	if got, err := use(t, s, "web__echo", "still here"); err != nil || got != "still here" {
		t.Errorf("the next call = %q, %v", got, err)
	}
}

// TestReconnect: a program that dies under a call is not asked again for that call, and is there for the next.
func TestReconnect(t *testing.T) {
	t.Parallel()
	s := open(t, Server{Name: "p", Pin: "p", Command: program(t, "server")}, options(t, http.DefaultClient))
	if _, err := use(t, s, "p__dies", ""); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "is not known") {
		t.Errorf("the call that it died under = %v", err)
	}
	if got, err := use(t, s, "p__echo", "again"); err != nil || got != "again" {
		t.Errorf("the next call = %q, %v", got, err)
	}
}

// TestT55_EndlessTools: a server with more tools than anybody could approve is not used.
func TestT55_EndlessTools(t *testing.T) {
	t.Parallel()
	many := mcp.NewServer(&mcp.Implementation{Name: "many", Version: "1"}, nil)
	for i := range maxTools + 1 {
		mcp.AddTool(many, &mcp.Tool{Name: "t" + value.OfInt(i).Text()}, func(context.Context, *mcp.CallToolRequest, args) (*mcp.CallToolResult, any, error) {
			return textResult("")
		})
	}
	web := serve(t, streamable(many))
	if _, err := Open(t.Context(), Server{Name: "m", Pin: "m", URL: web.URL}, options(t, web.Client())); !fault.Is(err, fault.Limit) {
		t.Errorf("Open = %v, want a limit", err)
	}
}

// TestF09_Cut: a connection that is cut in the middle of a call is an error of that call alone.
func TestF09_Cut(t *testing.T) {
	t.Parallel()
	for name, inner := range map[string]http.Handler{"streamable HTTP": streamable(newServer(nil)), "server-sent events": events(newServer(nil))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var cut atomic.Bool
			web := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && cut.CompareAndSwap(true, false) {
					panic(http.ErrAbortHandler)
				}
				inner.ServeHTTP(w, r)
			}))
			s := open(t, Server{Name: "web", Pin: "web", URL: web.URL}, options(t, web.Client()))
			cut.Store(true)
			if got, err := use(t, s, "web__echo", "lost"); !fault.Is(err, fault.Unavailable) {
				t.Errorf("the call that was cut = %q, %v", got, err)
			}
			if got, err := use(t, s, "web__echo", "next"); err != nil || got != "next" {
				t.Errorf("the next call = %q, %v", got, err)
			}
		})
	}
}
