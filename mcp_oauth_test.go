package sre_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	neturl "net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/secret"
)

// tokenServer gives one new access token for the refresh token that it knows, or refuses. asked is the last form.
func tokenServer(t *testing.T, refuse bool) (url string, asked func() string, times *atomic.Int64) {
	t.Helper()
	var form atomic.Value
	form.Store("")
	times = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		times.Add(1)
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		form.Store(r.PostForm.Encode())
		if refuse {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"invalid_grant"}`)
			return
		}
		fmt.Fprint(w, `{"access_token":"canary-new","expires_in":3600}`)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() string { return form.Load().(string) }, times
}

// entry is a connection as sre oauth connect keeps it.
func entry(tokenURL, token string, expires time.Time, settings string) secret.Value {
	return secret.New(fmt.Sprintf(`{"auth_data":{"primary":%q,"secondary":"canary-refresh","expires_in":"%d"},"auth_settings":{"type":"oauth2","tokenURL":"%s/token","clientID":"client","clientSecret":"{{KEY(tools)}}"%s}}`,
		token, expires.UnixMilli(), tokenURL, settings))
}

// useEcho uses the tool of a session and returns what it said.
func useEcho(t *testing.T, agent *sre.Agent, session *sre.MCPSession) string {
	t.Helper()
	chat, err := agent.Chat(t.Context(), sre.ChatOptions{Model: "Echo", Tools: session.Tools()})
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for e, err := range chat.Prompt(t.Context(), sre.Prompt{Text: `/call tools__echo {"text":"hi"}`}) {
		if err != nil {
			t.Fatal(err)
		}
		if called, ok := e.(conversation.Called); ok {
			text = called.Text
		}
	}
	return text
}

// startConnected starts an agent whose team has a connection, and a server that is asked with it.
func startConnected(t *testing.T, url string, connection secret.Value) *sre.Agent {
	t.Helper()
	_, agent := startUsing(t, "mcp:tools", `{"egress":{"allowPrivate":true},"mcp":{"servers":{"tools":{"url":"`+url+`","auth":{"oauth":"shop"},"teams":["*"]}}}}`)
	if !connection.IsZero() {
		if err := agent.Services().ManagedVault().Set(t.Context(), "shop", connection); err != nil {
			t.Fatal(err)
		}
	}
	return agent
}

// TestT56_MCPConnection: a server is asked with the access token of the team's connection, which comes back to nobody. A
// token that is at its end is renewed, and one that changes while the session lasts is taken at once.
func TestT56_MCPConnection(t *testing.T) {
	t.Parallel()
	url, keys := echoServer(t, func() string { return "Says it again" })
	tokens, asked, times := tokenServer(t, false)
	now := effect.System{}.Now()
	agent := startConnected(t, url, entry(tokens, "canary-old", now.Add(time.Hour), ""))
	session, err := agent.OpenMCP(t.Context(), "tools")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	}()
	if got := useEcho(t, agent, session); keys() != "Bearer canary-old" || !strings.HasPrefix(got, "hi Bearer ") || strings.Contains(got, "canary") || times.Load() != 0 {
		t.Errorf("a good token: the server was called with %q and said %q; the token server was asked %d times", keys(), got, times.Load())
	}
	if err := agent.Services().ManagedVault().Set(t.Context(), "shop", entry(tokens, "canary-old", now.Add(-time.Hour), "")); err != nil {
		t.Fatal(err)
	}
	if got := useEcho(t, agent, session); keys() != "Bearer canary-new" || strings.Contains(got, "canary") || times.Load() != 1 {
		t.Errorf("a token at its end: the server was called with %q and said %q; the token server was asked %d times", keys(), got, times.Load())
	}
	if want := "client_id=client&client_secret=canary-51c0ffee77aa&grant_type=refresh_token&refresh_token=canary-refresh"; asked() != want {
		t.Errorf("the token server was asked %q, want %q", asked(), want)
	}
	kept, err := agent.Services().ManagedVault().Get(t.Context(), "shop")
	if err != nil || !strings.Contains(kept.Reveal(), "canary-new") {
		t.Errorf("the new token is not kept: %v", err)
	}
}

// A token that the server refuses although it is not at its end is renewed once, and the request made again; when that helps
// nothing, the refusal is what the caller hears.
func TestMCP_TokenRevoked(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		never bool // the server takes no token at all
	}{{"renewed", false}, {"and refused again", true}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			url, keys := echoServer(t, func() string { return "Says it again" })
			to, err := neturl.Parse(url)
			if err != nil {
				t.Fatal(err)
			}
			pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host }}
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if test.never || r.Header.Get("Authorization") == "Bearer canary-old" {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				pass.ServeHTTP(w, r)
			}))
			t.Cleanup(front.Close)
			tokens, _, times := tokenServer(t, false)
			agent := startConnected(t, front.URL+to.Path, entry(tokens, "canary-old", effect.System{}.Now().Add(time.Hour), ""))
			session, err := agent.OpenMCP(t.Context(), "tools")
			if test.never {
				if !fault.Is(err, fault.Unauthenticated) || times.Load() > 2 || strings.Contains(err.Error(), "canary") {
					t.Errorf("OpenMCP = %v after %d renewals, want it refused after one for each way to connect", err, times.Load())
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := session.Close(); err != nil {
					t.Error(err)
				}
			}()
			if got := useEcho(t, agent, session); keys() != "Bearer canary-new" || !strings.HasPrefix(got, "hi Bearer ") || times.Load() != 1 {
				t.Errorf("the server was called with %q and said %q after %d renewals", keys(), got, times.Load())
			}
		})
	}
}

// Tokens without a user are got when they are needed for the first time.
func TestMCP_ClientCredentials(t *testing.T) {
	t.Parallel()
	url, keys := echoServer(t, func() string { return "Says it again" })
	tokens, asked, _ := tokenServer(t, false)
	agent := startConnected(t, url, entry(tokens, "", time.UnixMilli(0), `,"service":"oauth2_client_credentials","scope":"all"`))
	if got := askUsing(t, agent, `/call tools__echo {"text":"hi"}`); keys() != "Bearer canary-new" || strings.Contains(got, "canary") {
		t.Errorf("the server was called with %q and said %s", keys(), got)
	}
	if want := "client_id=client&client_secret=canary-51c0ffee77aa&grant_type=client_credentials&scope=all"; asked() != want {
		t.Errorf("the token server was asked %q, want %q", asked(), want)
	}
}

// TestT56_MCPConnectionRefused: without a token that may go there a server hears nothing at all.
func TestT56_MCPConnectionRefused(t *testing.T) {
	t.Parallel()
	tokens, _, _ := tokenServer(t, true)
	later, before := effect.System{}.Now().Add(time.Hour), effect.System{}.Now().Add(-time.Hour)
	tests := []struct {
		name       string
		connection secret.Value
		kind       fault.Kind
		want       string
	}{
		{"none", secret.Value{}, fault.Unauthenticated, "sre oauth connect"},
		{"bound to another host", entry(tokens, "canary", later, `,"hosts":["other.test"]`), fault.Denied, ""},
		{"refused", entry(tokens, "canary", before, ""), fault.Unauthenticated, "sre oauth connect"},
		{"OAuth 1.0a", secret.New(`{"auth_data":{"primary":"canary"},"auth_settings":{"type":"oauth"}}`), fault.Invalid, "OAuth 1.0a"},
		{"no record", secret.New("canary"), fault.Invalid, "not JSON"},
		{"no token", secret.New(`{"auth_data":{},"auth_settings":{"type":"oauth2"}}`), fault.Unauthenticated, "no access token"},
		{"no token server", entry("nowhere", "canary", before, ""), fault.Invalid, "token server"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, keys := echoServer(t, func() string { return "" })
			agent := startConnected(t, url, tt.connection)
			session, err := agent.OpenMCP(t.Context(), "tools")
			if err == nil {
				_ = session.Close()
			}
			if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "canary") || keys() != "" {
				t.Errorf("OpenMCP = %v (%v), and the server was called with %q; want %v with %q", err, fault.KindOf(err), keys(), tt.kind, tt.want)
			}
		})
	}
}

// TestT56_MCPHeaderHosts: a key that is bound to other hosts is not sent to a server, though its headers name it.
func TestT56_MCPHeaderHosts(t *testing.T) {
	t.Parallel()
	url, keys := echoServer(t, func() string { return "" })
	_, agent := startUsing(t, "mcp:tools", `{"mcp":{"servers":{"tools":{"url":"`+url+`","headers":{"Authorization":"Bearer {{KEY(bound)}}"},"teams":["*"]}}}}`)
	if _, err := agent.OpenMCP(t.Context(), "tools"); !fault.Is(err, fault.Denied) || keys() != "" {
		t.Errorf("OpenMCP = %v, and the server was called with %q; want it refused", err, keys())
	}
}
