package oauth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// held keeps one entry.
type held struct{ entry secret.Value }

func (h *held) Get(context.Context, string) (secret.Value, error) {
	if h.entry.IsZero() {
		return secret.Value{}, fault.Newf(fault.NotFound, "no entry")
	}
	return h.entry, nil
}

func (h *held) Renew(ctx context.Context, _ string, f func(context.Context, secret.Value) (secret.Value, error)) (secret.Value, error) {
	next, err := f(ctx, h.entry)
	if err == nil {
		h.entry = next
	}
	return next, err
}

// Every way in which a connection gives a token or says why it does not.
func TestConnection_Token(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		settings, data string // members of the record
		status         int    // of the token server
		want           string
		kind           fault.Kind
		text           string
	}{
		"good":              {data: `"primary":"a1"`, want: "a1"},
		"at its end":        {data: `"primary":"a1","secondary":"r1","expires_in":"1000"`, status: 200, want: "a2"},
		"refused":           {data: `"primary":"a1","secondary":"r1","expires_in":"1000"`, status: 400, kind: fault.Unauthenticated, text: "connect again"},
		"nothing to renew":  {data: `"primary":"a1","expires_in":"1000"`, kind: fault.Unauthenticated, text: "none to renew it with"},
		"empty":             {kind: fault.Unauthenticated, text: "no access token"},
		"of the client":     {settings: `,"service":"oauth2_client_credentials"`, status: 200, want: "a2"},
		"client refused":    {settings: `,"service":"oauth2_client_credentials"`, status: 401, kind: fault.Unauthenticated, text: "client secret"},
		"signs":             {settings: `,"type":"oauth"`, data: `"primary":"a1"`, kind: fault.Invalid, text: "OAuth 1.0a"},
		"key in an address": {settings: `,"tokenURL":"http://{{KEY(x)}}/"`, data: `"secondary":"r1"`, kind: fault.Invalid, text: "malformed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tt.status)
				text := `{"access_token":"a2","expires_in":3600}`
				if tt.status != 200 {
					text = `{"error":"invalid_grant"}`
				}
				_, _ = io.WriteString(w, text) // a caller who is gone fails by itself
			}))
			defer srv.Close()
			entry := `{"auth_data":{` + tt.data + `},"auth_settings":{"tokenURL":"` + srv.URL + `","clientID":"id","clientSecret":"s"` + tt.settings + `}}`
			if _, err := value.Parse(entry); err != nil {
				t.Fatal(err)
			}
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			c := Connection{
				Keeper: &held{secret.New(entry)}, Name: "shop", HTTP: client, Clock: effect.System{},
				Text: func(_ context.Context, text string) (secret.Value, error) { return secret.New(text), nil },
			}
			got, err := c.Token(t.Context())
			if got.Reveal() != tt.want || tt.want == "" && (!fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.text) || !strings.Contains(err.Error(), `"shop"`)) {
				t.Errorf("Token = %q, %v, want %q, or kind %v with %q", got.Reveal(), err, tt.want, tt.kind, tt.text)
			}
		})
	}
}

func TestConnection_None(t *testing.T) {
	t.Parallel()
	c := Connection{Keeper: &held{}, Name: "shop", Clock: effect.System{}}
	if _, err := c.Token(t.Context()); !errors.Is(err, ErrNoConnection) || !fault.Is(err, fault.Unauthenticated) || !strings.Contains(err.Error(), "sre oauth connect") {
		t.Errorf("Token = %v, want that there is no connection and how to make one", err)
	}
}

// A key that is bound to other hosts does not go to the token server.
func TestConnection_KeyForOtherHosts(t *testing.T) {
	t.Parallel()
	slots := secret.NewSlots("x")
	c := Connection{Clock: effect.System{}, Text: func(_ context.Context, text string) (secret.Value, error) {
		return secret.New(text).For("other.test"), nil
	}}
	client, err := c.client(t.Context(), slots, Record{TokenURL: "https://auth.test/token", ClientSecret: secret.New("hidden")})
	if err != nil || client.Secret == "" || strings.Contains(client.Secret, "hidden") {
		t.Fatalf("the client is %+v, %v, want a stand-in for its secret", client, err)
	}
	text, err := slots.Fill(client.Secret, "auth.test", nil)
	if err == nil || strings.Contains(text, "hidden") {
		t.Errorf("the stand-in becomes %q, %v, want it refused", text, err)
	}
}
