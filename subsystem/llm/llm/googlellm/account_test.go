package googlellm

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// keyFile is the key file of a service account.
func keyFile(t *testing.T) secret.Value {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	return secret.New(value.Obj(value.M("client_email", value.Of("a@b.test")), value.M("private_key", value.Of(text))).JSON())
}

// issuer gives a new token each time.
type issuer struct {
	mu    sync.Mutex
	asked int
}

// RoundTrip implements [http.RoundTripper].
func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked++
	body := `{"expires_in":3600,"access_token":"token-` + strings.Repeat("x", i.asked) + `"}`
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r, ProtoMajor: 1, ProtoMinor: 1, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// What is made of a key goes only where the key may go.
func TestT30_TokenToAnotherHost(t *testing.T) {
	t.Parallel()
	file := keyFile(t)
	c := &client{env: connector.Env{HTTP: &http.Client{Transport: &issuer{}}, Effects: effect.System{}}, tokens: newTokens()}
	for name, tt := range map[string]struct {
		key                secret.Value
		google, evil, mine bool
	}{
		"bound to Google":    {file.For("*.googleapis.com"), true, false, false},
		"bound to two hosts": {file.For("*.googleapis.com", "mine.test"), true, false, true},
		"not bound":          {file, true, true, true},
	} {
		token, err := c.token(t.Context(), &account{text: tt.key}) // kept from the first one on
		if err != nil {
			t.Fatal(err)
		}
		statement, err := sign(tt.key, time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		for what, v := range map[string]secret.Value{"token": token, "statement": statement} {
			for host, want := range map[string]bool{"europe-west4-aiplatform.googleapis.com": tt.google, "evil.test": tt.evil, "mine.test": tt.mine} {
				if got := v.MayGoTo(host); got != want {
					t.Errorf("%s: the %s may go to %s: %t, want %t", name, what, host, got, want)
				}
			}
		}
	}
}

// A token is used until shortly before its end, and one account's is no other's.
func TestTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		from := &issuer{}
		c := &client{env: connector.Env{HTTP: &http.Client{Transport: from}, Effects: effect.System{}}, tokens: newTokens()}
		mine, other := keyFile(t), keyFile(t)
		ask := func(key secret.Value, after time.Duration, want int) {
			t.Helper()
			if err := (effect.System{}).Sleep(context.Background(), after); err != nil {
				t.Fatal(err)
			}
			if _, err := c.token(t.Context(), &account{text: key}); err != nil {
				t.Fatal(err)
			}
			if from.asked != want {
				t.Errorf("after %s %d tokens were asked for, want %d", after, from.asked, want)
			}
		}
		ask(mine, 0, 1)
		ask(mine, 57*time.Minute, 1)
		ask(other, 0, 2)
		ask(mine, time.Minute, 3)
		ask(other, 0, 3)
	})
}
