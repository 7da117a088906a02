package googlellm_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// The address of a location is the provider's own.
func TestPlace(t *testing.T) {
	t.Parallel()
	for model, want := range map[string]string{
		"anywhere": "POST https://aiplatform.googleapis.com/v1/projects/my-project/locations/global/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
		"regional": "POST https://europe-west4-aiplatform.googleapis.com/v1/projects/my-project/locations/europe-west4/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
	} {
		way := &spy{}
		s := setup(t, "")
		s.HTTP = &http.Client{Transport: way}
		if _, err := llm.Collect(open(t, s).Stream(t.Context(), llm.Request{Model: model, Messages: say("x")})); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("%s: error = %v", model, err)
		}
		if got := way.seen[0].Method + " " + way.seen[0].URL.String(); got != want {
			t.Errorf("%s: asked %s, want %s", model, got, want)
		}
		if got := way.seen[0].Header.Get("Authorization"); strings.Contains(got, "canary") || !strings.HasPrefix(got, "Bearer ") {
			t.Errorf("%s: authorization before the door = %q, want a stand-in", model, got)
		}
	}
}

// An id of a model is a part of an address, and leads nowhere else.
func TestT30_ModelNamesAnotherPath(t *testing.T) {
	t.Parallel()
	way := &spy{}
	s := setup(t, "")
	s.HTTP = &http.Client{Transport: way}
	s.Vault = map[string]map[string]string{"team-a": {"googleai": "canary-key"}}
	for _, model := range []string{"googleai/../../upload/v1beta/files?x=", "googleai/a/../../b#", "googleai/evil.test:8080"} {
		way.seen = nil
		_, _ = llm.Collect(open(t, s).Stream(t.Context(), llm.Request{Model: model, Messages: say("x")})) // nothing answers
		for _, r := range way.seen {
			if r.URL.Host != "generativelanguage.googleapis.com" || strings.Contains(r.URL.Path, "..") || r.URL.RawQuery != "alt=sse" {
				t.Errorf("%s: asked %s", model, r.URL)
			}
		}
		if len(way.seen) == 0 {
			t.Errorf("%s: nothing was asked", model)
		}
	}
}

// A location becomes a part of a host name: one that would end it is refused before anything is signed.
func TestT30_LocationNamesAnotherHost(t *testing.T) {
	t.Parallel()
	way := &spy{}
	s := setup(t, "")
	s.HTTP = &http.Client{Transport: way}
	_, err := llm.Collect(open(t, s).Stream(t.Context(), llm.Request{Model: "strange", Messages: say("x")}))
	if !fault.Is(err, fault.Invalid) || len(way.seen) != 0 {
		t.Errorf("error = %v after %d requests, want a refusal and none", err, len(way.seen))
	}
}

// cloud is a service account, and the place where its tokens come from.
type cloud struct {
	file string
	key  *rsa.PrivateKey

	mu    sync.Mutex
	forms []url.Values
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return &cloud{key: key, file: value.Obj(
		value.M("type", value.Of("service_account")), value.M("project_id", value.Of("from-the-account")), value.M("private_key_id", value.Of("k1")),
		value.M("private_key", value.Of(text)), value.M("client_email", value.Of("agent@from-the-account.test")), value.M("token_uri", value.Of("https://evil.test/token")),
	).JSON()}
}

// answer gives a token for a form. Stand-ins were not filled: the test is before the door to the network.
func (c *cloud) answer(status int, body string) func(*http.Request) *http.Response {
	return func(r *http.Request) *http.Response {
		data, _ := io.ReadAll(r.Body) // of the test itself
		form, _ := url.ParseQuery(string(data))
		c.mu.Lock()
		c.forms = append(c.forms, form)
		c.mu.Unlock()
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Request: r, ProtoMajor: 1, ProtoMinor: 1, Body: io.NopCloser(strings.NewReader(body))}
	}
}

func TestServiceAccount(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	s := server(t, `[{"reply":{"text":"fine"}}]`)
	with := setup(t, s.Root())
	way := &spy{next: with.HTTP.Transport, answers: map[string]func(*http.Request) *http.Response{
		"oauth2.googleapis.com": c.answer(200, `{"access_token":"canary-access","expires_in":3600,"token_type":"Bearer"}`),
	}}
	with.HTTP.Transport = way
	with.Vault = map[string]map[string]string{"team-a": {"gcp": c.file}}
	h := open(t, with)
	for range 2 {
		got, err := llm.Collect(h.Stream(t.Context(), llm.Request{Model: "account", Messages: say("x")}))
		if err != nil || got.Text != "fine" {
			t.Fatalf("answer = %+v, %v", got, err)
		}
	}
	if got := s.Requests().At(1); got.GetString("authorization") != "Bearer canary-access" || !strings.HasPrefix(got.GetString("path"), "/projects/from-the-account/locations/europe-west4/") {
		t.Errorf("asked %s with %q, want the project and a token of the account", got.GetString("path"), got.GetString("authorization"))
	}
	if len(c.forms) != 1 {
		t.Fatalf("a token was asked for %d times, want once\n%s", len(c.forms), way.urls())
	}
	if form := c.forms[0]; form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || strings.Count(form.Get("assertion"), ".") != 0 {
		t.Errorf("form before the door = %v, want a stand-in of the statement", form)
	}
	for _, r := range way.seen {
		for name, values := range r.Header {
			if strings.Contains(strings.Join(values, " "), "canary") {
				t.Errorf("the header %s holds a secret before the door", name)
			}
		}
	}
}

// What is signed says who wants a token, for what, and for how long.
func TestServiceAccount_Statement(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	s := setup(t, "http://provider.test")
	var statement string
	s.Vault = map[string]map[string]string{"team-a": {"gcp": c.file}}
	s.HTTP = &http.Client{Transport: filling(func(r *http.Request, body string) {
		if r.URL.Hostname() == "oauth2.googleapis.com" {
			form, _ := url.ParseQuery(body)
			statement = form.Get("assertion")
		}
	})}
	_, err := llm.Collect(open(t, s).Stream(t.Context(), llm.Request{Model: "account", Messages: say("x")}))
	if !fault.Is(err, fault.Unavailable) {
		t.Fatalf("error = %v", err)
	}
	parts := strings.Split(statement, ".")
	if len(parts) != 3 {
		t.Fatalf("statement = %q, want three parts", statement)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&c.key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
		t.Errorf("the signature does not fit: %v", err)
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	claims := parse(t, string(data))
	from, _ := claims.Get("iat").Num()
	to, _ := claims.Get("exp").Num()
	if claims.GetString("iss") != "agent@from-the-account.test" || claims.GetString("aud") != "https://oauth2.googleapis.com/token" || to-from != 3600 {
		t.Errorf("claims = %s", claims.JSON())
	}
}

// The key file names an address for tokens: a tenant wrote it, and it is not asked.
func TestT30_AccountNamesAnotherHost(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	way := &spy{}
	s := setup(t, "http://provider.test")
	s.HTTP = &http.Client{Transport: way}
	s.Vault = map[string]map[string]string{"team-a": {"gcp": c.file}}
	_, _ = llm.Collect(open(t, s).Stream(t.Context(), llm.Request{Model: "account", Messages: say("x")})) // nothing answers
	if urls := way.urls(); strings.Contains(urls, "evil.test") || !strings.Contains(urls, "https://oauth2.googleapis.com/token") {
		t.Errorf("asked\n%s\nwant the provider's own address alone", urls)
	}
}

func TestServiceAccount_Errors(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	tests := []struct {
		name, file, body string
		status           int
		kind             fault.Kind
		text             string
	}{
		{"no key file", `{}`, "", 0, fault.Unauthenticated, "whole JSON key file"},
		{"half a file", c.file[:100], "", 0, fault.Unauthenticated, "whole JSON key file"},
		{"a key that is none", `{"client_email":"a@b.test","private_key":"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}`, "", 0, fault.Unauthenticated, "whole JSON key file"},
		{"refused", c.file, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`, 400, fault.Unauthenticated, "Invalid JWT Signature."},
		{"busy", c.file, `{}`, 429, fault.RateLimited, ""},
		{"broken", c.file, `{}`, 503, fault.Unavailable, ""},
		{"no token", c.file, `{}`, 200, fault.Unavailable, "no access token"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := setup(t, "http://provider.test")
			s.HTTP = &http.Client{Transport: &spy{answers: map[string]func(*http.Request) *http.Response{"oauth2.googleapis.com": c.answer(tt.status, tt.body)}}}
			s.Models = parse(t, `{"account":`+entry("VertexAI", "gemini-2.5-pro", "http://provider.test", `"vertexai_vault"`, `{"projectId":"p","jsonCredentialsName":"gcp"}`)+`}`)
			s.Vault = map[string]map[string]string{"team-a": {"gcp": tt.file}}
			_, err := llm.Collect(open(t, s).Stream(t.Context(), llm.Request{Model: "account", Messages: say("x")}))
			if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v (%v), want %v %q", err, fault.KindOf(err), tt.kind, tt.text)
			}
			if strings.Contains(err.Error(), "PRIVATE") {
				t.Errorf("the error holds the key: %v", err)
			}
		})
	}
}
