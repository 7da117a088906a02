package oauth

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
)

// door fills stand-ins as the door to the network does.
type door struct{ next http.RoundTripper }

func (d door) RoundTrip(r *http.Request) (*http.Response, error) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	text, err := secret.SlotsOf(r.Context()).Fill(string(data), r.URL.Hostname(), url.QueryEscape)
	if err != nil {
		return nil, fault.New(fault.Denied, err)
	}
	out := r.Clone(r.Context())
	out.Body, out.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	return d.next.RoundTrip(out)
}

// server is a token server that answers what a test says and keeps what it was sent.
func server(t *testing.T, status int, contentType, answer string) (client Client, form *url.Values) {
	t.Helper()
	form = new(url.Values)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		*form = r.PostForm
		switch status {
		case 0: // the connection breaks
			if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = c.Close()
			}
			return
		case http.StatusFound:
			w.Header().Set("Location", "/elsewhere")
		}
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return Client{
		HTTP: &http.Client{Transport: door{s.Client().Transport}}, TokenURL: s.URL + "/token", ID: "id", Secret: "s&c",
		Now: func() time.Time { return time.UnixMilli(1_700_000_000_000) },
	}, form
}

func slotted(t *testing.T) context.Context {
	return secret.WithSlots(t.Context(), secret.NewSlots("0123456789abcdef"))
}

func TestClient_Grants(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		ask  func(context.Context, Client) (Tokens, error)
		want url.Values
	}{
		{"refresh", func(ctx context.Context, c Client) (Tokens, error) { return c.Refresh(ctx, secret.New("r+1")) },
			url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"r+1"}, "client_id": {"id"}, "client_secret": {"s&c"}}},
		{"client credentials", func(ctx context.Context, c Client) (Tokens, error) { return c.ClientCredentials(ctx, "a b") },
			url.Values{"grant_type": {"client_credentials"}, "scope": {"a b"}, "client_id": {"id"}, "client_secret": {"s&c"}}},
		{"code", func(ctx context.Context, c Client) (Tokens, error) {
			c.Secret = ""
			return c.Exchange(ctx, "code", "http://127.0.0.1/x", "verifier")
		}, url.Values{"grant_type": {"authorization_code"}, "code": {"code"}, "redirect_uri": {"http://127.0.0.1/x"}, "code_verifier": {"verifier"}, "client_id": {"id"}}},
	}
	for _, tt := range tests {
		for kind, answer := range map[string]string{"application/json": `{"access_token":"a2","refresh_token":"r2","expires_in":3600,"extra":[1]}`, "application/x-www-form-urlencoded": "access_token=a2&refresh_token=r2&expires_in=3600"} {
			c, form := server(t, 200, kind, answer)
			got, err := tt.ask(slotted(t), c)
			if err != nil || got.Primary.Reveal() != "a2" || got.Secondary.Reveal() != "r2" || !got.Expires.Equal(time.UnixMilli(1_700_003_600_000)) {
				t.Errorf("%s, %s: tokens %q %q %v, %v", tt.name, kind, got.Primary.Reveal(), got.Secondary.Reveal(), got.Expires, err)
			}
			if form.Encode() != tt.want.Encode() {
				t.Errorf("%s: sent %v, want %v", tt.name, *form, tt.want)
			}
		}
	}
}

func TestClient_BrokenAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		status       int
		answer, text string
		want         fault.Kind
	}{
		{"refused", 400, `{"error":"invalid_grant","error_description":"Token has been\nrevoked."}`, "invalid_grant: Token has been revoked.", fault.Unauthenticated},
		{"refused with 200", 200, `{"error":"bad_verification_code"}`, "bad_verification_code", fault.Unauthenticated},
		{"long story", 400, `{"error":"x","error_description":"` + strings.Repeat("y", 1000) + `"}`, "x: " + strings.Repeat("y", 200) + "…", fault.Unauthenticated},
		{"status alone", 401, `nope`, "status 401", fault.Unauthenticated},
		{"down", 503, `<html>`, "status 503", fault.Unavailable},
		{"too many", 429, ``, "status 429", fault.Unavailable},
		{"redirect", 302, ``, "status 302", fault.Unauthenticated},
		{"no token", 200, `{"token_type":"bearer"}`, "no access token", fault.Unavailable},
		{"broken JSON", 200, `{"access_token":"a`, "no access token", fault.Unavailable},
		{"token is no text", 200, `{"access_token":{"a":1}}`, "no access token", fault.Unavailable},
		{"empty", 200, ``, "no access token", fault.Unavailable},
		{"endless", 200, strings.Repeat("x", maxAnswer+1), "more than", fault.Unavailable},
		{"deep", 200, strings.Repeat("[", 100_000), "no access token", fault.Unavailable},
		{"cut off", 0, ``, "", fault.Unavailable},
	}
	for _, tt := range tests {
		c, _ := server(t, tt.status, "application/json", tt.answer)
		got, err := c.Refresh(slotted(t), secret.New("canary-refresh"))
		if !fault.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "canary") || !got.Primary.IsZero() {
			t.Errorf("%s: %v, want kind %v and %q", tt.name, err, tt.want, tt.text)
		}
	}
	for text, want := range map[string]time.Duration{`"60"`: time.Minute, `0`: 0, `-1`: 0, `"x"`: 0, `1e300`: 0, `null`: 0} {
		c, _ := server(t, 200, "application/json", `{"access_token":"a","expires_in":`+text+`}`)
		got, err := c.Refresh(slotted(t), secret.New("r"))
		if err != nil || want == 0 && !got.Expires.IsZero() || want != 0 && got.Expires.Sub(c.Now()) != want {
			t.Errorf("expires_in %s: %v, %v, want %v from now", text, got.Expires, err, want)
		}
	}
}

// TestT30_TokenServerOnly: a refresh token goes to the host of its token server and nowhere else.
func TestT30_TokenServerOnly(t *testing.T) {
	t.Parallel()
	c, form := server(t, 200, "application/json", `{"access_token":"a"}`)
	ctx := slotted(t)
	bound := secret.SlotsOf(ctx).Put(secret.New("client secret").For("elsewhere.test"))
	c.Secret = bound
	if _, err := c.Refresh(ctx, secret.New("r")); !fault.Is(err, fault.Denied) || len(*form) != 0 {
		t.Errorf("a client secret of another host: %v, sent %v, want it refused", err, *form)
	}
	for _, url := range []string{"", "nonsense", "http://", ":"} {
		c.TokenURL = url
		if _, err := c.Refresh(slotted(t), secret.New("r")); err == nil {
			t.Errorf("the token server %q was asked", url)
		}
	}
	if _, err := c.Refresh(t.Context(), secret.New("r")); !fault.Is(err, fault.Internal) {
		t.Errorf("without slots: %v, want kind %v", err, fault.Internal)
	}
	c.HTTP = nil
	c.TokenURL = "http://x.test"
	if _, err := c.Refresh(slotted(t), secret.New("r")); !fault.Is(err, fault.Unsupported) {
		t.Errorf("without a way out: %v, want kind %v", err, fault.Unsupported)
	}
}
