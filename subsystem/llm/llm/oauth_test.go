package llm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/egress"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
	"github.com/sre-go/sre/subsystem/llm/llm/openaillm"
	"github.com/sre-go/sre/subsystem/security/managedvault"
	"github.com/sre-go/sre/value"
)

// entries are a managed vault in memory, by resource.
type entries struct {
	mu     sync.Mutex
	byName map[string]string
}

func (e *entries) ACL(_ context.Context, resource string) (*access.ACL, error) {
	name, _ := managedvault.Split(resource)
	team, err := access.Team(name)
	return access.OwnedBy(team), err
}

func (e *entries) Get(_ context.Context, g access.Grant[access.Read]) (secret.Value, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if text, ok := e.byName[g.Resource()]; ok {
		return secret.New(text), nil
	}
	return secret.Value{}, fault.Newf(fault.NotFound, "no entry")
}

func (e *entries) Set(_ context.Context, g access.Grant[access.Write], v secret.Value) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.byName[g.Resource()] = v.Reveal()
	return nil
}

func (e *entries) Delete(_ context.Context, g access.Grant[access.Write]) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.byName, g.Resource())
	return nil
}

func (e *entries) text(resource string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.byName[resource]
}

// tokenServer answers with answer and keeps the forms that it got.
type tokenServer struct {
	*httptest.Server
	mu    sync.Mutex
	forms []string
}

func newTokenServer(t *testing.T, answer http.HandlerFunc) *tokenServer {
	t.Helper()
	s := &tokenServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client went away
		}
		s.mu.Lock()
		s.forms = append(s.forms, string(data))
		s.mu.Unlock()
		answer(rw, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// got returns the forms so far.
func (s *tokenServer) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.forms...)
}

// gives answers with a status and a text.
func gives(status int, text string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, text)
	}
}

// awake is a source of effects in which nobody waits.
type awake struct{ effect.System }

func (awake) Sleep(context.Context, time.Duration) error { return nil }

func wayOut(t *testing.T) *http.Client {
	t.Helper()
	c, err := egress.New(egress.Policy{AllowPrivate: true}, limits.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// connection is an entry whose access token ends after some time from now.
func connection(ends time.Duration, tokenURL, data, settings string) string {
	at := strconv.FormatInt(effect.System{}.Now().Add(ends).UnixMilli(), 10)
	return fmt.Sprintf(`{"auth_data":{%s"expires_in":%q},"auth_settings":{"type":"oauth2","tokenURL":%q,"clientID":"id"%s}}`, data, at, tokenURL, settings)
}

const (
	both   = `"primary":"canary-a1","secondary":"canary-r1",`
	cs     = `,"clientSecret":"{{KEY(SECRET)}}"`
	client = `,"service":"oauth2_client_credentials","clientSecret":"plain","scope":"s"`
)

// connected is a world with models of those credentials and a managed vault with that entry as mine of team-a.
func connected(t *testing.T, credentials, entry string) (*llmtest.World, *script, *entries) {
	t.Helper()
	e := &entries{byName: map[string]string{"team-b/theirs": connection(time.Hour, "", `"primary":"canary-b",`, "")}}
	if entry != "" {
		e.byName["team-a/mine"] = entry
	}
	models := value.Obj(value.M("m", object(t, `{"provider": "Fake", "modelId": "m", "credentials": `+credentials+`}`)))
	w, s := world(t, llmtest.Setup{
		Models: models, Vault: secrets(), Getenv: environment, HTTP: wayOut(t), Effects: awake{}, Others: []llmtest.Other{{Kind: managedvault.Kind, Connector: e}},
	}, parts(nil, done()))
	return w, s, e
}

func TestOAuth(t *testing.T) {
	t.Parallel()
	const refresh = "client_id=id&client_secret=canary-secret&grant_type=refresh_token&refresh_token=canary-r1"
	renewed := gives(200, `{"access_token":"canary-a2","refresh_token":"canary-r2","expires_in":3600}`)
	tests := []struct {
		name           string
		ends           time.Duration // of the access token, from now
		data, settings string
		credentials    string
		answer         http.HandlerFunc
		want           string   // the token that the model is asked with
		forms          []string // that the token server got
		kind           fault.Kind
		hints          []string // parts of the error
		stored         string
	}{
		{name: "good", ends: time.Hour, data: both, settings: cs, answer: renewed, want: "canary-a1", stored: `"canary-a1"`},
		{name: "at its end", ends: -time.Hour, data: both, settings: cs, answer: renewed, want: "canary-a2", forms: []string{refresh}, stored: `"primary":"canary-a2","secondary":"canary-r2"`},
		{name: "near its end", ends: 30 * time.Second, data: both, settings: cs, answer: renewed, want: "canary-a2", forms: []string{refresh}, stored: `"canary-a2"`},
		{name: "near its end, server broken", ends: 30 * time.Second, data: both, settings: cs, answer: gives(500, ""), want: "canary-a1", forms: []string{refresh}, stored: `"canary-a1"`},
		{name: "in a list", ends: time.Hour, data: both, credentials: `["bedrock_vault", "oauth:mine", "internal"]`, answer: renewed, want: "canary-a1", stored: `"canary-a1"`},
		{name: "refused", ends: -time.Hour, data: both, settings: cs, credentials: `["oauth:mine", "internal"]`, answer: gives(400, `{"error":"invalid_grant"}`), forms: []string{refresh},
			kind: fault.Unauthenticated, hints: []string{"invalid_grant", "connect again", "sre oauth connect", `"mine"`}, stored: `"canary-a1"`},
		{name: "server broken", ends: -time.Hour, data: both, settings: cs, answer: gives(503, ""), forms: []string{refresh, refresh, refresh}, kind: fault.Unavailable, hints: []string{"503"}, stored: `"canary-a1"`},
		{name: "nothing to renew with", ends: -time.Hour, data: `"primary":"canary-a1",`, answer: renewed, kind: fault.Unauthenticated, hints: []string{"connect again"}, stored: `"canary-a1"`},
		{name: "client credentials", ends: -time.Hour, settings: client, answer: gives(200, `{"access_token":"canary-c1","expires_in":"3600"}`), want: "canary-c1",
			forms: []string{"client_id=id&client_secret=plain&grant_type=client_credentials&scope=s"}, stored: `"canary-c1"`},
		{name: "client refused", ends: -time.Hour, settings: client, answer: gives(401, `{"error":"invalid_client"}`),
			forms: []string{"client_id=id&client_secret=plain&grant_type=client_credentials&scope=s"}, kind: fault.Unauthenticated, hints: []string{"invalid_client", "client secret"}, stored: "auth_data"},
		{name: "client secret missing", ends: -time.Hour, data: both, settings: `,"clientSecret":"{{KEY(NOPE)}}"`, credentials: `["oauth:mine", "internal"]`, answer: renewed,
			kind: fault.Unauthenticated, hints: []string{`"NOPE"`, "sre vault set"}, stored: `"canary-a1"`},
		{name: "version 1", ends: time.Hour, data: both, settings: `,"type":"oauth"`, answer: renewed, kind: fault.Invalid, hints: []string{"OAuth 1.0a"}, stored: `"canary-a1"`},
		{name: "no name", ends: time.Hour, data: both, credentials: `"oauth:"`, answer: renewed, kind: fault.Invalid, hints: []string{"name no connection"}, stored: `"canary-a1"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := newTokenServer(t, tt.answer)
			credentials := tt.credentials
			if credentials == "" {
				credentials = `"oauth:mine"`
			}
			w, s, e := connected(t, credentials, connection(tt.ends, server.URL+"/token", tt.data, tt.settings))
			_, err := w.As(t, "agent:helper").Generate(t.Context(), ask("m"))
			if tt.want != "" {
				if err != nil {
					t.Fatal(err)
				}
				if c := s.last().Credential; c.Optional().Reveal() != tt.want || !c.Own() {
					t.Errorf("asked with %q (own %t), want %q of the team", c.Optional().Reveal(), c.Own(), tt.want)
				}
			} else {
				if !fault.Is(err, tt.kind) || strings.Contains(err.Error(), "canary") {
					t.Errorf("error = %v, want kind %v and no secret", err, tt.kind)
				}
				for _, part := range tt.hints {
					if err == nil || !strings.Contains(err.Error(), part) {
						t.Errorf("error = %v, want %q in it", err, part)
					}
				}
			}
			if got := server.got(); strings.Join(got, " ") != strings.Join(tt.forms, " ") {
				t.Errorf("the token server got %q, want %q", got, tt.forms)
			}
			if got := e.text("team-a/mine"); !strings.Contains(got, tt.stored) {
				t.Errorf("stored %s, want %s", got, tt.stored)
			}
		})
	}
}

// A token that the provider refuses although it is not at its end is renewed, once, and the model asked again. When nothing
// else can be had, or a part of the answer was shown, the refusal is the answer.
func TestOAuth_RefusedEarly(t *testing.T) {
	t.Parallel()
	refusal := fault.New(fault.Unauthenticated, &llm.ProviderError{Message: "token revoked"})
	refuses := func(tokens ...string) answer {
		return func(_ context.Context, call *llm.Call, yield func(llm.Part, error) bool) {
			if slices.Contains(tokens, call.Credential.Optional().Reveal()) {
				yield(nil, refusal)
				return
			}
			yield(done(), nil)
		}
	}
	for _, test := range []struct {
		name   string
		model  answer
		tokens http.HandlerFunc
		asked  string // the tokens that the model was asked with
		stored string
		error  string // "" for an answer
	}{
		{"renewed", refuses("canary-a1"), gives(200, `{"access_token":"canary-a2","expires_in":3600}`), "canary-a1 canary-a2", "canary-a2", ""},
		{"and refused again", refuses("canary-a1", "canary-a2"), gives(200, `{"access_token":"canary-a2","expires_in":3600}`), "canary-a1 canary-a2", "canary-a2", "token revoked"},
		{"the connection is revoked, too", refuses("canary-a1"), gives(400, `{"error":"invalid_grant"}`), "canary-a1", "canary-a1", "sre oauth connect"},
		{"the token server is away", refuses("canary-a1"), gives(503, ``), "canary-a1", "canary-a1", "503"},
		{"a part was shown", parts(refusal, llm.Text{Text: "a"}), gives(200, `{"access_token":"canary-a2"}`), "canary-a1", "canary-a1", "token revoked"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := newTokenServer(t, test.tokens)
			w, s, e := connected(t, `"oauth:mine"`, connection(time.Hour, server.URL, both, ""))
			s.answers = []answer{test.model}
			var err error
			for _, failed := range w.As(t, "agent:helper").Stream(t.Context(), ask("m")) {
				err = failed
			}
			if test.error == "" && err != nil || test.error != "" && (err == nil || !strings.Contains(err.Error(), test.error)) || strings.Contains(fmt.Sprint(err), "canary") {
				t.Errorf("the answer is %v, want %q and no secret", err, test.error)
			}
			var asked []string
			s.mu.Lock()
			for _, call := range s.asked {
				asked = append(asked, call.Credential.Optional().Reveal())
			}
			s.mu.Unlock()
			if got := strings.Join(asked, " "); got != test.asked {
				t.Errorf("the model was asked with %q, want %q", got, test.asked)
			}
			if got := e.text("team-a/mine"); !strings.Contains(got, test.stored) {
				t.Errorf("stored %s, want %s", got, test.stored)
			}
		})
	}
}

// Calls at the same time share one renewal.
func TestOAuth_OneRenewal(t *testing.T) {
	t.Parallel()
	server := newTokenServer(t, gives(200, `{"access_token":"canary-a2","refresh_token":"canary-r2","expires_in":3600}`))
	w, s, _ := connected(t, `"oauth:mine"`, connection(-time.Hour, server.URL, both, ""))
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			if _, err := w.As(t, "agent:helper").Generate(t.Context(), ask("m")); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	if got := server.got(); len(got) != 1 {
		t.Errorf("%d renewals, want 1", len(got))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, call := range s.asked {
		if got := call.Credential.Optional().Reveal(); got != "canary-a2" {
			t.Errorf("asked with %q, want the new token", got)
		}
	}
	if len(s.asked) != 20 {
		t.Errorf("asked %d times, want 20", len(s.asked))
	}
}

// A caller who goes away ends the request for a token, and leaves the connection as it was.
func TestOAuth_Cancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	server := newTokenServer(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel(gone)
		<-r.Context().Done()
	})
	entry := connection(-time.Hour, server.URL, both, "")
	w, s, e := connected(t, `["oauth:mine", "internal"]`, entry)
	_, err := w.As(t, "agent:helper").Generate(ctx, ask("m"))
	if err == nil || !errors.Is(err, gone) && !fault.Is(err, fault.Canceled) {
		t.Errorf("error = %v, want that the caller is gone", err)
	}
	if got := e.text("team-a/mine"); got != entry || len(s.asked) != 0 || len(server.got()) != 1 {
		t.Errorf("stored %s after %d calls and %d requests, want nothing changed", got, len(s.asked), len(server.got()))
	}
}

// TestT27_OtherTeamsConnection: one of another team and one that does not exist read alike, also for who has no team and
// where there is no managed vault.
func TestT27_OtherTeamsConnection(t *testing.T) {
	t.Parallel()
	var texts []string
	try := func(h *llm.Handle, s *script, name string) {
		t.Helper()
		_, err := h.Generate(t.Context(), ask("m"))
		if !fault.Is(err, fault.Unauthenticated) || fault.CodeOf(err) != llm.CodeNoKey || len(s.asked) != 0 {
			t.Errorf("%s: error = %v after %d calls, want code %s and no call", name, err, len(s.asked), llm.CodeNoKey)
			return
		}
		texts = append(texts, strings.ReplaceAll(err.Error(), name, "NAME"))
	}
	for _, name := range []string{"theirs", "nothing", "../team-b/theirs", "team-b/theirs"} {
		w, s, _ := connected(t, `"oauth:`+name+`"`, "")
		try(w.As(t, "agent:helper"), s, name)
	}
	w, s, _ := connected(t, `["oauth:theirs", "vault"]`, "")
	try(w.As(t, "agent:stranger"), s, "theirs")
	entry := object(t, `{"provider": "Fake", "modelId": "m", "credentials": "oauth:theirs"}`)
	w, s = world(t, llmtest.Setup{Models: value.Obj(value.M("m", entry))}, parts(nil, done()))
	try(w.As(t, "agent:helper"), s, "theirs")
	for _, text := range texts {
		if text != texts[0] || !strings.Contains(text, "sre oauth connect") {
			t.Errorf("errors differ or do not help: %q and %q", texts[0], text)
		}
	}
	w, s, _ = connected(t, `["oauth:theirs", "internal"]`, "")
	if _, err := w.As(t, "agent:helper").Generate(t.Context(), ask("m")); err != nil || s.last().Credential.Optional().Reveal() != "canary-env" {
		t.Errorf("the next one of a list: %v, want the operator's key", err)
	}
}

// TestT30_ConnectionToItsHosts: an access token reaches the hosts of its connection, whoever chose the address of the
// model, and the address of a token server takes no key along.
func TestT30_ConnectionToItsHosts(t *testing.T) {
	t.Parallel()
	got := make(chan string, 9)
	answered := gives(200, `{"choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}]}`)
	model := newTokenServer(t, func(rw http.ResponseWriter, r *http.Request) {
		got <- r.Header.Get("Authorization")
		answered(rw, r)
	})
	ask := func(hosts string) error {
		var def connector.Definition
		for _, d := range openaillm.Definitions() {
			if d.Name == "OpenAI" {
				def = d
			}
		}
		team := object(t, fmt.Sprintf(`{"user-custom-llm": {"1": {"name": "own", "provider": "OpenAI", "modelId": "m", "baseURL": %q, "credentials": ["oauth:mine"]}}}`, model.URL))
		e := &entries{byName: map[string]string{"team-a/mine": connection(time.Hour, "", `"primary":"canary",`, hosts)}}
		w := llmtest.Open(t, llmtest.Setup{TeamSettings: team, HTTP: wayOut(t), Effects: awake{}, Others: []llmtest.Other{{Kind: managedvault.Kind, Connector: e}}},
			map[string]connector.Definition{"OpenAI": def}, nil)
		_, err := w.As(t, "agent:helper").Generate(t.Context(), llm.Request{Model: "own", Messages: []llm.Message{llm.Say(llm.User, "q")}})
		return err
	}
	for _, hosts := range []string{``, `,"hosts":["127.0.0.1"]`} {
		if err := ask(hosts); err != nil {
			t.Fatalf("hosts %q: %v", hosts, err)
		}
		if token := <-got; token != "Bearer canary" {
			t.Errorf("hosts %q: the model got %q, want the token", hosts, token)
		}
	}
	if err := ask(`,"hosts":["api.test"]`); err == nil || strings.Contains(err.Error(), "canary") || len(got) != 0 {
		t.Errorf("bound to another host: error = %v after %d requests, want it refused", err, len(got))
	}

	server := newTokenServer(t, gives(200, `{"access_token":"canary-a2"}`))
	for name, address := range map[string]string{"a key in the address": server.URL + "/{{KEY(SECRET)}}", "no address": "nowhere"} {
		w, s, _ := connected(t, `"oauth:mine"`, connection(-time.Hour, address, both, cs))
		if _, err := w.As(t, "agent:helper").Generate(t.Context(), llm.Request{Model: "m", Messages: []llm.Message{llm.Say(llm.User, "q")}}); !fault.Is(err, fault.Invalid) || len(s.asked) != 0 || len(server.got()) != 0 {
			t.Errorf("%s: error = %v, want kind %v and no request", name, err, fault.Invalid)
		}
	}
}
