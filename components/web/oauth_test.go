package web

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// oauthWorld is a world whose target is an API and its token server at /token. answer is what the token server says.
func oauthWorld(t *testing.T, answer func() (int, string)) *world {
	t.Helper()
	return newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/token" {
			rw.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(rw, r.Header.Get("Authorization"))
			return
		}
		status, text := answer()
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, text)
	})
}

// refusedForHost reports whether an error says that a secret may not go to the host.
func refusedForHost(text string) bool {
	return strings.Contains(text, "secret_host") || strings.Contains(text, secret.ErrHost.Error())
}

// tokens stores an entry of the managed vault; URL in it is the address of the target.
func (w *world) tokens(key, entry string) {
	w.t.Helper()
	if err := w.scope().ManagedVault().Set(w.t.Context(), key, secret.New(strings.ReplaceAll(entry, "URL/", w.url+"/"))); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) entry(key string) string {
	w.t.Helper()
	v, err := w.scope().ManagedVault().Get(w.t.Context(), key)
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.ReplaceAll(v.Reveal(), w.url+"/", "URL/")
}

const (
	fresh   = "1700000000001" // a millisecond after the clock of the world
	expired = "1700000000000"
)

func refusing() (int, string) { return http.StatusBadRequest, `{"error":"invalid_grant"}` }

func TestOAuth2(t *testing.T) {
	t.Parallel()
	const settings = `"auth_settings":{"type":"oauth2","service":"google","tokenURL":"URL/token","clientID":"id","clientSecret":"{{KEY(cs)}}"}`
	tests := []struct {
		name, entry string
		answer      func() (int, string)
		sent, err   string // the Authorization that the API gets; part of the error
		form        string // what the token server gets
		stored      string // part of the entry afterwards
	}{
		{name: "good for long", entry: `{"auth_data":{"primary":"a1"},` + settings + `}`, answer: refusing, sent: "Bearer a1", stored: `"primary":"a1"`},
		{name: "good still", entry: `{"auth_data":{"primary":"a1","secondary":"r1","expires_in":"` + fresh + `"},` + settings + `}`, answer: refusing, sent: "Bearer a1", stored: `"a1"`},
		{name: "refreshed", entry: `{"auth_data":{"primary":"a1","secondary":"r1","expires_in":"` + expired + `"},` + settings + `}`,
			answer: func() (int, string) { return 200, `{"access_token":"a2","expires_in":60}` },
			sent:   "Bearer a2", form: "client_id=id&client_secret=top%26secret&grant_type=refresh_token&refresh_token=r1",
			stored: `{"auth_data":{"primary":"a2","secondary":"r1","expires_in":"1700000060000"},` + settings + `}`},
		{name: "rotated", entry: `{"primary":"a1","secondary":"r1","expires_in":"` + expired + `","type":"oauth2","tokenURL":"URL/token","clientID":"id","clientSecret":"plain"}`,
			answer: func() (int, string) { return 200, `{"access_token":"a2","refresh_token":"r2","expires_in":60}` },
			sent:   "Bearer a2", form: "client_id=id&client_secret=plain&grant_type=refresh_token&refresh_token=r1",
			stored: `{"primary":"a2","secondary":"r2","expires_in":"1700000060000","type":"oauth2","tokenURL":"URL/token","clientID":"id","clientSecret":"plain"}`},
		{name: "refused", entry: `{"auth_data":{"primary":"a1","secondary":"r1","expires_in":"` + expired + `"},` + settings + `}`, answer: refusing, err: "Failed to refresh access token.", stored: `"primary":"a1"`,
			form: "client_id=id&client_secret=top%26secret&grant_type=refresh_token&refresh_token=r1"},
		{name: "nothing to refresh with", entry: `{"auth_data":{"primary":"a1","expires_in":"` + expired + `"},` + settings + `}`, answer: refusing, err: "Reauthentication required", stored: `"a1"`},
		{name: "no token", entry: `{"auth_data":{},` + settings + `}`, answer: refusing, err: "Failed to parse retrieved tokens: Error: Retrieved OAuth tokens do not exist, invalid OR incomplete. Please authenticate", stored: "{}"},
		{name: "no record", entry: `nonsense`, answer: refusing, err: "Failed to parse retrieved tokens", stored: "nonsense"},
		{name: "client credentials", entry: `{"auth_data":{},"auth_settings":{"type":"oauth2","service":"oauth2_client_credentials","tokenURL":"URL/token","clientID":"id","clientSecret":"plain","scope":"s"}}`,
			answer: func() (int, string) { return 200, `{"access_token":"c1","expires_in":"60"}` },
			sent:   "Bearer c1", form: "client_id=id&client_secret=plain&grant_type=client_credentials&scope=s", stored: `"auth_data":{"primary":"c1","expires_in":"1700000060000"}`},
		{name: "client credentials without a client", entry: `{"auth_data":{},"auth_settings":{"service":"oauth2_client_credentials","tokenURL":"URL/token"}}`,
			answer: refusing, err: "Missing client_id, client_secret OR token_url", stored: "{}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := oauthWorld(t, tt.answer)
			w.secrets["cs"] = secret.New("top&secret")
			w.tokens("OAUTH_C_TOKENS", tt.entry)
			out, err := w.run(`{"method":"GET","url":"`+w.url+`/api","oauthService":"Google"}`, `{}`)
			switch {
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("got %s, %v, want the error %q", out.JSON(), err, tt.err)
			case tt.err == "" && (err != nil || out.GetString("Response") != tt.sent):
				t.Errorf("sent %q, %v, want %q", out.GetString("Response"), err, tt.sent)
			}
			if got := w.entry("OAUTH_C_TOKENS"); !strings.Contains(got, tt.stored) {
				t.Errorf("stored %s, want %s", got, tt.stored)
			}
			for _, r := range w.seen {
				if r.uri == "/token" && r.body != tt.form {
					t.Errorf("the token server got %s, want %s", r.body, tt.form)
				}
				if r.uri == "/token" && tt.form == "" {
					t.Errorf("the token server was asked: %s", r.body)
				}
			}
		})
	}
}

// Tokens of a client are got from the settings of the component when there is no record, and kept in one.
func TestOAuth2_FirstClientCredentials(t *testing.T) {
	t.Parallel()
	w := oauthWorld(t, func() (int, string) { return 200, `{"access_token":"c1","expires_in":60}` })
	w.secrets["cs"] = secret.New("top")
	settings := `{"method":"GET","url":"` + w.url + `/api","oauthService":"oauth2_client_credentials","tokenURL":"` + w.url + `/token","clientID":"id","clientSecret":"{{KEY(cs)}}","oauth_con_id":"shared"}`
	for _, want := range []int{2, 3} { // requests in all: the second call asks for no token
		out, err := w.run(settings, `{}`)
		if err != nil || out.GetString("Response") != "Bearer c1" || w.count() != want {
			t.Errorf("sent %q, %v after %d requests, want Bearer c1 after %d", out.GetString("Response"), err, w.count(), want)
		}
	}
	if got := w.entry("shared"); strings.Contains(got, "top") || !strings.Contains(got, "{{KEY(cs)}}") {
		t.Errorf("stored %s, want the key by its name", got)
	}
	w.clock.add(time.Minute)
	if _, err := w.run(settings, `{}`); err != nil || w.count() != 5 {
		t.Errorf("after the token has expired: %v and %d requests, want 5", err, w.count())
	}
}

// TestOAuth2_OneRefresh: calls at the same time refresh once.
func TestOAuth2_OneRefresh(t *testing.T) {
	t.Parallel()
	refreshes := make(chan struct{}, 64)
	w := oauthWorld(t, func() (int, string) {
		refreshes <- struct{}{}
		return 200, `{"access_token":"a2","refresh_token":"r2","expires_in":60}`
	})
	w.tokens("OAUTH_C_TOKENS", `{"auth_data":{"primary":"a1","secondary":"r1","expires_in":"`+expired+`"},"auth_settings":{"type":"oauth2","tokenURL":"URL/token"}}`)
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			out, err := w.run(`{"method":"GET","url":"`+w.url+`/api","oauthService":"x"}`, `{}`)
			if err != nil || out.GetString("Response") != "Bearer a2" {
				t.Errorf("sent %q, %v, want Bearer a2", out.GetString("Response"), err)
			}
		})
	}
	group.Wait()
	if n := len(refreshes); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
}

// TestT30_TokenToItsHosts: an access token that is bound to hosts is not sent to another one.
func TestT30_TokenToItsHosts(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"oauth2", "oauth"} {
		w := oauthWorld(t, refusing)
		w.tokens("OAUTH_C_TOKENS", `{"auth_data":{"primary":"canary","secondary":"canary2"},"auth_settings":{"type":"`+kind+`","hosts":["api.test"],"consumerKey":"k","consumerSecret":"s"}}`)
		out, err := w.run(`{"method":"GET","url":"`+w.url+`/api","oauthService":"x"}`, `{}`)
		text := out.JSON()
		if err != nil {
			text = err.Error()
		}
		if w.count() != 0 || strings.Contains(text, "canary") || !refusedForHost(text) {
			t.Errorf("%s: %s after %d requests, want it refused", kind, text, w.count())
		}
	}
}

func TestOAuth1(t *testing.T) {
	t.Parallel()
	w := oauthWorld(t, refusing)
	w.secrets["cs"] = secret.New("kd94hf93k423kf44")
	w.secrets["q"] = secret.New("x+y")
	w.tokens("mine", `{"auth_data":{"primary":"nnch734d00sl2jdk","secondary":"pfkkdhi9sl3r4s00"},"auth_settings":{"type":"oauth","consumerKey":"dpf43f3p2l4k3l03","consumerSecret":"{{KEY(cs)}}"}}`)
	tests := []struct {
		name, settings string
		hash           bool
	}{
		{"query", `"method":"GET","url":"URL/photos?file=vacation.jpg&size=original"`, false},
		{"query with a key", `"method":"GET","url":"URL/photos?k={{KEY(q)}}"`, false},
		{"form", `"method":"POST","url":"URL/","contentType":"application/x-www-form-urlencoded","body":{"a":"b c"}`, false},
		{"multipart", `"method":"POST","url":"URL/","contentType":"multipart/form-data","body":{"a":"b c"}`, false},
		{"body", `"method":"PUT","url":"URL/","contentType":"application/json","body":"{\"k\":\"{{KEY(q)}}\"}"`, true},
		{"body of a GET", `"method":"GET","url":"URL/","contentType":"application/json","body":"[1]"`, false},
	}
	for _, tt := range tests {
		out, err := w.run(`{"oauth_con_id":"mine",`+strings.ReplaceAll(tt.settings, "URL", w.url)+`}`, `{}`)
		got := out.GetString("Response")
		if err != nil || !strings.HasPrefix(got, `OAuth oauth_`) || !strings.Contains(got, `oauth_token="nnch734d00sl2jdk"`) || strings.Contains(got, "oauth_body_hash") != tt.hash {
			t.Errorf("%s: %s, %v", tt.name, got, err)
		}
	}
	if got := w.entry("mine"); strings.Contains(got, "kd94hf93k423kf44") {
		t.Errorf("stored %s, want the key by its name", got)
	}
}

func TestOAuth_NotUsed(t *testing.T) {
	t.Parallel()
	w := oauthWorld(t, refusing)
	for _, settings := range []string{``, `,"oauthService":"None"`, `,"oauthService":"","oauth_con_id":"None"`} {
		out, err := w.run(`{"method":"GET","url":"`+w.url+`/api"`+settings+`}`, `{}`)
		if err != nil || out.GetString("Response") != "" {
			t.Errorf("%s: sent %q, %v, want no credentials", settings, out.GetString("Response"), err)
		}
	}
	_, err := w.run(`{"method":"GET","url":"`+w.url+`/api","oauthService":"x"}`, `{}`)
	if !fault.Is(err, fault.Unauthenticated) || !strings.Contains(err.Error(), "sre oauth connect") {
		t.Errorf("without tokens: %v, want kind %v and what to do", err, fault.Unauthenticated)
	}
	if _, err := w.run(`{"method":"GET","url":"`+w.url+`/api","oauthService":"x"}`, `{}`, func(c *component.Call) { c.Scope = (&world{services: nil, t: t}).scope() }); !fault.Is(err, fault.Unsupported) {
		t.Errorf("without a managed vault: %v, want kind %v", err, fault.Unsupported)
	}
}

// TestT30_KeysReachTheirHosts: keys of the vault reach the wire, and the hosts that they are bound to.
func TestT30_KeysReachTheirHosts(t *testing.T) {
	t.Parallel()
	w := oauthWorld(t, refusing)
	w.secrets["k"], w.secrets["bound"], w.secrets["empty"] = secret.New("k&1"), secret.New("canary").For("api.test"), secret.New("")
	_, err := w.run(`{"method":"POST","url":"`+w.url+`/api?k={{KEY(k)}}&e={{KEY(empty)}}&m={{KEY(missing)}}","headers":{"X-K":"a {{KEY(k)}}"}}`, `{}`)
	if got := w.last(); err != nil || got.uri != "/api?k=k%261&e=&m=missing" || got.header.Get("X-K") != "a k&1" {
		t.Errorf("sent %s %q, %v", got.uri, got.header.Get("X-K"), err)
	}
	n := w.count()
	for _, settings := range []string{`"url":"URL/?k={{KEY(bound)}}"`, `"url":"URL/","headers":{"X-K":"{{KEY(bound)}}"}`, `"url":"URL/","contentType":"text/plain","body":"{{KEY(bound)}}"`, `"url":"URL/","proxy":"http://u:{{KEY(bound)}}@127.0.0.1:1"`} {
		out, err := w.run(`{"method":"POST",`+strings.ReplaceAll(settings, "URL", w.url)+`}`, `{}`)
		text := value.Of(out.JSON()).Plain()
		if err != nil {
			text += err.Error()
		}
		if w.count() != n || strings.Contains(text, "canary") || !refusedForHost(text) {
			t.Errorf("%s: %s after %d requests, want it refused", settings, text, w.count()-n)
		}
	}
}
