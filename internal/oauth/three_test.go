package oauth

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
)

// TestService1 asks a service that checks each signature itself.
func TestService1(t *testing.T) {
	t.Parallel()
	at := time.Unix(1700000000, 0)
	answer, status := "oauth_token=temp&oauth_token_secret=ts&oauth_callback_confirmed=true", 200
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	s := Service1{HTTP: server.Client(), RequestTokenURL: server.URL + "/request", AccessTokenURL: server.URL + "/access", Nonce: func() string { return "n" }, Now: func() time.Time { return at }}
	c := Credentials{ConsumerKey: "ck", ConsumerSecret: secret.New("cs")}
	tokens, err := s.Temporary(t.Context(), c, "http://127.0.0.1/x?state=1")
	want := c.Header(Request{Method: "POST", URL: address(t, s.RequestTokenURL), Extra: []Param{{"oauth_callback", "http://127.0.0.1/x?state=1"}}}, "n", at)
	if err != nil || tokens.Primary.Reveal() != "temp" || tokens.Secondary.Reveal() != "ts" || got != want {
		t.Errorf("Temporary = %+v, %v; sent %s, want %s", tokens, err, got, want)
	}
	c.Token, c.TokenSecret = "temp", tokens.Secondary
	answer = "oauth_token=final&oauth_token_secret=fs&user_id=1"
	tokens, err = s.Access(t.Context(), c, "verifier")
	if err != nil || tokens.Primary.Reveal() != "final" || !strings.Contains(got, `oauth_verifier="verifier"`) || !strings.Contains(got, `oauth_token="temp"`) {
		t.Errorf("Access = %+v, %v; sent %s", tokens, err, got)
	}
	for name, broken := range map[string]struct {
		status int
		answer string
		want   fault.Kind
	}{
		"down": {500, "", fault.Unavailable}, "refused": {401, "bad", fault.Unauthenticated}, "no token": {200, "oauth_token=x", fault.Unavailable}, "nonsense": {200, "%zz", fault.Unavailable},
	} {
		status, answer = broken.status, broken.answer
		if _, err := s.Access(t.Context(), c, "v"); !fault.Is(err, broken.want) || strings.Contains(err.Error(), "cs") {
			t.Errorf("%s: %v, want kind %v", name, err, broken.want)
		}
	}
	c.ConsumerSecret = secret.New("canary").For("elsewhere.test")
	got = ""
	if _, err := s.Access(t.Context(), c, "v"); !fault.Is(err, fault.Denied) || got != "" {
		t.Errorf("a consumer secret of another host: %v, want kind %v and nothing sent", err, fault.Denied)
	}
	s.AccessTokenURL = "nonsense"
	if _, err := s.Access(t.Context(), c, "v"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a malformed address: %v, want kind %v", err, fault.Invalid)
	}
}
