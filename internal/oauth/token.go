package oauth

import (
	"context"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// maxAnswer bounds the answer of a token server, in bytes.
const maxAnswer = 1 << 20

// Client is a client of OAuth 2.0 at one service. ID and Secret may hold stand-ins of the slots of the context.
type Client struct {
	HTTP     *http.Client // goes out by the door of the runtime
	TokenURL string
	ID       string
	Secret   string           // "" for a public client
	Now      func() time.Time // for the time when a token expires
}

// Refresh gets a new access token for a refresh token.
func (c Client) Refresh(ctx context.Context, refresh secret.Value) (Tokens, error) {
	return c.grant(ctx, "oauth.refresh", Param{"refresh_token", c.slot(ctx, refresh)}, Param{"grant_type", "refresh_token"})
}

// ClientCredentials gets an access token for the client itself.
func (c Client) ClientCredentials(ctx context.Context, scope string) (Tokens, error) {
	params := []Param{{"grant_type", "client_credentials"}}
	if scope != "" {
		params = append(params, Param{"scope", scope})
	}
	return c.grant(ctx, "oauth.clientCredentials", params...)
}

// Exchange gets the tokens for a code that a user's browser has brought. verifier is that of the PKCE challenge.
func (c Client) Exchange(ctx context.Context, code, redirect, verifier string) (Tokens, error) {
	return c.grant(ctx, "oauth.exchange",
		Param{"grant_type", "authorization_code"}, Param{"code", c.slot(ctx, secret.New(code))},
		Param{"redirect_uri", redirect}, Param{"code_verifier", c.slot(ctx, secret.New(verifier))})
}

// slot is the stand-in of a secret that only the token server may get.
func (c Client) slot(ctx context.Context, v secret.Value) string {
	slots := secret.SlotsOf(ctx)
	if slots == nil {
		return "" // nothing is sent: see grant
	}
	return slots.Put(v.For(HostOf(c.TokenURL)))
}

// grant asks the token server. A refusal is [fault.Unauthenticated], a server that cannot be reached or is broken
// [fault.Unavailable].
func (c Client) grant(ctx context.Context, op string, params ...Param) (Tokens, error) {
	if secret.SlotsOf(ctx) == nil {
		return Tokens{}, fault.Newf(fault.Internal, "a token was asked for without slots for its secrets")
	}
	v, err := c.post(ctx, params)
	if err != nil {
		return Tokens{}, &fault.Error{Op: op, Resource: HostOf(c.TokenURL), Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: err}
	}
	t := Tokens{Primary: secret.New(v.GetString("access_token")), Secondary: secret.New(v.GetString("refresh_token"))}
	if seconds, ok := seconds(v.Get("expires_in")); ok {
		t.Expires = c.Now().Add(seconds)
	}
	return t, nil
}

// post sends the form and returns the answer, which has an access token.
func (c Client) post(ctx context.Context, params []Param) (value.Value, error) {
	form := url.Values{"client_id": {c.ID}}
	if c.Secret != "" {
		form.Set("client_secret", c.Secret)
	}
	for _, p := range params {
		form.Set(p.Name, p.Value)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.TokenURL, strings.NewReader(form.Encode()))
	if err != nil || req.URL.Host == "" {
		return value.Value{}, fault.Newf(fault.Invalid, "the address of the token server is malformed")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	text, status, err := fetch(c.HTTP, req)
	if err != nil {
		return value.Value{}, err
	}
	v := readAnswer(text)
	switch code := v.GetString("error"); {
	case code != "":
		return value.Value{}, fault.Newf(fault.Unauthenticated, "the token server refuses: %s", described(code, v.GetString("error_description")))
	case status >= 500 || status == http.StatusTooManyRequests:
		return value.Value{}, fault.Newf(fault.Unavailable, "the token server answers with status %d", status)
	case status >= 300:
		return value.Value{}, fault.Newf(fault.Unauthenticated, "the token server answers with status %d", status)
	case v.GetString("access_token") == "":
		return value.Value{}, fault.Newf(fault.Unavailable, "the token server gave no access token")
	}
	return v, nil
}

// fetch sends a request and returns the text of the answer. It follows no redirect: a token server has one address.
func fetch(client *http.Client, req *http.Request) (text string, status int, err error) {
	if client == nil {
		return "", 0, fault.Newf(fault.Unsupported, "there is no way out to the network")
	}
	direct := *client
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := direct.Do(req)
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			err = fault.New(fault.Unavailable, err)
		}
		return "", 0, err
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if closing := res.Body.Close(); err == nil {
		err = closing
	}
	switch {
	case err != nil:
		return "", 0, fault.Newf(fault.Unavailable, "the answer broke off: %w", err)
	case len(data) > maxAnswer:
		return "", 0, fault.Newf(fault.Unavailable, "the answer has more than %d bytes", maxAnswer)
	}
	return string(data), res.StatusCode, nil
}

// readAnswer reads an answer that is JSON, or the fields of a form as older services write it.
func readAnswer(text string) value.Value {
	if v, err := value.Parse(strings.TrimSpace(text)); err == nil {
		return v
	}
	fields, err := url.ParseQuery(text)
	if err != nil {
		return value.Obj()
	}
	b := value.NewBuilder(len(fields))
	for name := range fields {
		b.Set(name, value.Of(fields.Get(name)))
	}
	return b.Build()
}

// seconds reads how long a token lives.
func seconds(v value.Value) (time.Duration, bool) {
	n, ok := v.Num()
	if s, isText := v.Str(); isText {
		var err error
		n, err = strconv.ParseFloat(s, 64)
		ok = err == nil
	}
	if !ok || math.IsNaN(n) || n <= 0 || n > 1e9 {
		return 0, false
	}
	return time.Duration(n * float64(time.Second)), true
}

// described is what a token server says of an error, cut to what fits a message.
func described(code, text string) string {
	clean := func(s string, most int) string {
		s = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return ' '
			}
			return r
		}, strings.ToValidUTF8(s, "?"))
		if r := []rune(s); len(r) > most {
			s = string(r[:most]) + "…"
		}
		return s
	}
	if text == "" {
		return clean(code, 60)
	}
	return clean(code, 60) + ": " + clean(text, 200)
}
