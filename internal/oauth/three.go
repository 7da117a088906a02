package oauth

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
)

// Service1 is a service that speaks OAuth 1.0a.
type Service1 struct {
	HTTP            *http.Client // goes out by the door of the runtime
	RequestTokenURL string
	AccessTokenURL  string
	Nonce           func() string
	Now             func() time.Time
}

// Temporary gets the token that the user is asked about. Primary is the token, Secondary its secret.
func (s Service1) Temporary(ctx context.Context, c Credentials, callback string) (Tokens, error) {
	return s.ask(ctx, "oauth.requestToken", s.RequestTokenURL, c, Param{"oauth_callback", callback})
}

// Access gets the tokens to keep, for the credentials with the temporary token and what the user's browser has brought.
func (s Service1) Access(ctx context.Context, c Credentials, verifier string) (Tokens, error) {
	return s.ask(ctx, "oauth.accessToken", s.AccessTokenURL, c, Param{"oauth_verifier", verifier})
}

func (s Service1) ask(ctx context.Context, op, address string, c Credentials, extra Param) (Tokens, error) {
	t, err := s.post(ctx, address, c, extra)
	if err != nil {
		return Tokens{}, &fault.Error{Op: op, Resource: HostOf(address), Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: err}
	}
	return t, nil
}

func (s Service1) post(ctx context.Context, address string, c Credentials, extra Param) (Tokens, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, nil)
	if err != nil || req.URL.Host == "" {
		return Tokens{}, fault.Newf(fault.Invalid, "the address of the service is malformed")
	}
	if host := req.URL.Hostname(); !c.ConsumerSecret.MayGoTo(host) {
		return Tokens{}, fault.Newf(fault.Denied, "%s: %w", host, secret.ErrHost)
	}
	req.Header.Set("Authorization", c.Header(Request{Method: req.Method, URL: req.URL, Extra: []Param{extra}}, s.Nonce(), s.Now()))
	text, status, err := fetch(s.HTTP, req)
	if err != nil {
		return Tokens{}, err
	}
	fields, err := url.ParseQuery(text)
	t := Tokens{Primary: secret.New(fields.Get("oauth_token")), Secondary: secret.New(fields.Get("oauth_token_secret"))}
	switch {
	case status >= 500:
		return Tokens{}, fault.Newf(fault.Unavailable, "the service answers with status %d", status)
	case status >= 300:
		return Tokens{}, fault.Newf(fault.Unauthenticated, "the service answers with status %d", status)
	case err != nil || t.Primary.IsZero() || t.Secondary.IsZero():
		return Tokens{}, fault.Newf(fault.Unavailable, "the service gave no token")
	}
	return t, nil
}
