package bedrockllm_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

func say() []llm.Message { return []llm.Message{llm.Say(llm.User, "x")} }

func TestCredentials(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, model, want, session string }{
		{"in the model", "claude", "Credential=AKIDTEST/", "canary-session"},
		{"from the vault", "vault", "Credential=AKIDVAULT/", ""},
		{"region of the credential", "keyregion", "/ap-south-1/bedrock/aws4_request", ""},
		{"a key of Bedrock", "bearer", "Bearer canary-bearer", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			way := &spy{}
			s := server(t, `[{"reply":{"text":"fine"}}]`)
			with := setup(t, s.Root())
			with.HTTP.Transport = way.before(with.HTTP.Transport)
			got, err := llm.Collect(open(t, with).Stream(t.Context(), llm.Request{Model: tt.model, Messages: say()}))
			if err != nil || got.Text != "fine" {
				t.Fatalf("answer = %+v, %v", got, err)
			}
			if got := s.Requests().At(0).GetString("authorization"); !strings.Contains(got, tt.want) {
				t.Errorf("authorization = %q, want %q in it", got, tt.want)
			}
			if got := way.seen[0].Header.Get("X-Amz-Security-Token"); got != tt.session {
				t.Errorf("session token = %q, want %q", got, tt.session)
			}
			for name, values := range way.seen[0].Header {
				if text := strings.Join(values, " "); strings.Contains(text, "canary-secret") || strings.Contains(text, "canary-key") || strings.Contains(text, "canary-bearer") {
					t.Errorf("the header %s of the request holds a secret before the door: %s", name, text)
				}
			}
		})
	}
}

// The address of a region is the provider's own.
func TestRegion_Address(t *testing.T) {
	t.Parallel()
	way := &spy{}
	s := setup(t, "")
	s.HTTP, s.Effects = &http.Client{Transport: way}, hurried{}
	if _, err := llm.Collect(open(t, s).Stream(t.Context(), llm.Request{Model: "regional", Messages: say()})); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("error = %v", err)
	}
	if got, want := way.seen[0].URL.String(), "https://bedrock-runtime.eu-west-1.amazonaws.com/model/anthropic.claude-fake-v1%3A0/converse-stream"; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
}

// A region becomes a part of a host name: one that would end it is refused before anything is signed.
func TestT30_RegionNamesAnotherHost(t *testing.T) {
	t.Parallel()
	way := &spy{}
	s := setup(t, "")
	s.HTTP = &http.Client{Transport: way}
	_, err := llm.Collect(open(t, s).Stream(t.Context(), llm.Request{Model: "strange", Messages: say()}))
	if !fault.Is(err, fault.Invalid) || len(way.seen) != 0 {
		t.Errorf("error = %v after %d requests, want a refusal and none", err, len(way.seen))
	}
}

// The operator's environment is not the tenant's: a key that lies there is not used for anybody.
func TestT31_KeyOfTheEnvironment(t *testing.T) {
	t.Setenv("AWS_BEARER_TOKEN_BEDROCK", "canary-operator")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDOPERATOR")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary-operator")
	t.Setenv("AWS_ENDPOINT_URL", "http://evil.test")
	for _, model := range []string{"claude", "bearer", "keyless"} {
		s := server(t, `[{"reply":{"text":"fine"}}]`)
		_, err := llm.Collect(open(t, setup(t, s.Root())).Stream(t.Context(), llm.Request{Model: model, Messages: say()}))
		if text := s.Requests().JSON(); strings.Contains(text, "canary-operator") || strings.Contains(text, "AKIDOPERATOR") {
			t.Errorf("%s: the operator's key was sent: %s", model, text)
		}
		if (model == "keyless") != fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: error = %v", model, err)
		}
	}
}

// A redirect is not followed with what was signed.
func TestT30_Redirect(t *testing.T) {
	t.Parallel()
	s := server(t, `[]`)
	from := httptest.NewServer(http.RedirectHandler(s.Root()+"/model/x/converse-stream", http.StatusTemporaryRedirect))
	t.Cleanup(from.Close)
	_, err := llm.Collect(open(t, setup(t, from.URL)).Stream(t.Context(), llm.Request{Model: "claude", Messages: say()}))
	if err == nil || s.Requests().Len() != 0 {
		t.Errorf("error = %v, %d requests followed, want an error and none", err, s.Requests().Len())
	}
}

// A caller that goes away ends the request at the provider, also while the answer stands still.
func TestF11_ClientGone(t *testing.T) {
	t.Parallel()
	s := server(t, `[{"reply":{"text":"one two three","abort_after":2,"stall":true}}]`)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	gone := errors.New("gone")
	var got error
	for p, err := range open(t, setup(t, s.Root())).Stream(ctx, llm.Request{Model: "claude", Messages: say()}) {
		if got = err; p != nil {
			cancel(gone)
		}
	}
	if !errors.Is(got, gone) {
		t.Errorf("error = %v, want %v", got, gone)
	}
	s.Close() // waits for the handler, which waits for the client to go
}
