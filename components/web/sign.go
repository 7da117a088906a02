package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/oauth"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// usesOAuth reports whether the request is sent with tokens.
func (s *apiCallSettings) usesOAuth() bool {
	named := func(text string) bool { return text != "" && text != "None" }
	return named(s.OAuthConnection) || named(s.OAuthService)
}

// sign adds the tokens of the component to a request.
func (s *apiCallSettings) sign(ctx context.Context, t *texts, req *http.Request, b body) error {
	if !s.usesOAuth() {
		t.call.LogDebug("OAuth: not used")
		return nil
	}
	key := oauth.Key(s.OAuthConnection, t.call.Node.ID)
	t.call.LogDebug("OAuth: tokens of", key)
	r, err := oauth.Renewal{
		Keeper: t.call.ManagedVault(), Key: key, Now: t.call.Effects.Now, Read: s.record,
		Grant:  func(ctx context.Context, r oauth.Record) (oauth.Tokens, error) { return s.grant(ctx, t, r) },
		Unkept: func(err error) { t.call.LogError("the new tokens are used but could not be kept:", err.Error()) },
	}.Record(ctx)
	if err != nil {
		return err
	}
	if r.Type == oauth.OAuth1 {
		return t.sign1(ctx, r, req, b)
	}
	req.Header.Set("Authorization", "Bearer "+t.slots.Put(r.Primary))
	return nil
}

// isClient reports whether tokens are those of the client itself, which needs no user.
func (s *apiCallSettings) isClient(r oauth.Record) bool {
	return r.Service == oauth.ClientCredentials || r.Service == "" && s.OAuthService == oauth.ClientCredentials
}

// record reads an entry. Without one there are the settings of the component, which are enough for tokens without a user.
func (s *apiCallSettings) record(entry secret.Value) (oauth.Record, error) {
	if entry.IsZero() {
		if s.OAuthService != oauth.ClientCredentials {
			return oauth.Record{}, notAuthenticated()
		}
		return oauth.NewRecord(value.Obj(
			value.M("type", value.Of(oauth.OAuth2)), value.M("service", value.Of(s.OAuthService)), value.M("tokenURL", value.Of(s.TokenURL)),
			value.M("clientID", value.Of(s.ClientID)), value.M("clientSecret", value.Of(s.ClientSecret.Reveal())), value.M("scope", value.Of(s.Scope)),
		), nil)
	}
	r, err := oauth.ParseRecord(entry)
	if err != nil {
		return oauth.Record{}, fault.Newf(fault.Invalid, "Failed to parse retrieved tokens: %w", err)
	}
	if r.Primary.IsZero() && !s.isClient(r) {
		return oauth.Record{}, notAuthenticated()
	}
	return r, nil
}

func notAuthenticated() error {
	err := fault.Newf(fault.Unauthenticated, "Failed to parse retrieved tokens: Error: Retrieved OAuth tokens do not exist, invalid OR incomplete. Please authenticate")
	return fault.Hint(err, "sre oauth connect FILE --component ID")
}

// grant asks the token server of a record.
func (s *apiCallSettings) grant(ctx context.Context, t *texts, r oauth.Record) (oauth.Tokens, error) {
	client, err := t.client(ctx, r)
	if err != nil {
		return oauth.Tokens{}, err
	}
	if s.isClient(r) {
		if client.ID == "" || client.Secret == "" || client.TokenURL == "" {
			return oauth.Tokens{}, fault.Newf(fault.Invalid, "Missing client_id, client_secret OR token_url")
		}
		return client.ClientCredentials(ctx, r.Scope)
	}
	if r.Secondary.IsZero() {
		return oauth.Tokens{}, fault.Hint(fault.Newf(fault.Unauthenticated, "Reauthentication required"), "sre oauth connect FILE --component ID")
	}
	tokens, err := client.Refresh(ctx, r.Secondary)
	if err != nil {
		t.call.LogError(err.Error())
		return oauth.Tokens{}, &fault.Error{Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: fault.Newf(fault.KindOf(err), "Failed to refresh access token."), Hint: err.Error()}
	}
	return tokens, nil
}

// client returns the client of a record, with stand-ins for what is secret.
func (t *texts) client(ctx context.Context, r oauth.Record) (oauth.Client, error) {
	c := oauth.Client{HTTP: t.call.HTTP, Now: t.call.Effects.Now}
	var err error
	if c.TokenURL, err = t.keysOnly(ctx, r.TokenURL); err != nil {
		return c, err
	}
	if c.ID, err = t.keysOnly(ctx, r.ClientID); err != nil {
		return c, err
	}
	c.Secret, err = t.standIn(ctx, r.ClientSecret, oauth.HostOf(c.TokenURL))
	return c, err
}

// standIn returns the stand-in of a setting that is secret: a text with keys of the vault, or the secret itself, which
// then goes to one host only.
func (t *texts) standIn(ctx context.Context, setting secret.Value, host string) (string, error) {
	text, err := t.keysOnly(ctx, setting.Reveal())
	if err != nil || text == "" || t.slots.Holds(text) {
		return text, err
	}
	return t.slots.Put(secret.New(text).For(host)), nil
}

// sign1 signs a request by OAuth 1.0a. The signature covers what will be on the wire, so keys are put in here for it,
// under the rule of the hosts that they are bound to.
func (t *texts) sign1(ctx context.Context, r oauth.Record, req *http.Request, b body) error {
	host := req.URL.Hostname()
	wire := func(text string, escape func(string) string) (string, error) {
		filled, err := t.slots.Fill(text, host, escape)
		if err != nil {
			return "", fault.Newf(fault.Denied, "%s: %w", host, err)
		}
		return filled, nil
	}
	c := oauth.Credentials{TokenSecret: r.Secondary}
	if !r.Primary.MayGoTo(host) {
		return fault.Newf(fault.Denied, "%s: %w", host, secret.ErrHost)
	}
	c.Token = r.Primary.Reveal()
	consumer, err := t.keysOnly(ctx, r.ConsumerKey)
	if err != nil {
		return err
	}
	if c.ConsumerKey, err = wire(consumer, nil); err != nil {
		return err
	}
	consumer, err = t.keysOnly(ctx, r.ConsumerSecret.Reveal())
	if err != nil {
		return err
	}
	if consumer, err = wire(consumer, nil); err != nil {
		return err
	}
	c.ConsumerSecret = secret.New(consumer)
	covered := oauth.Request{Method: req.Method}
	address := *req.URL
	if address.RawPath, err = wire(req.URL.EscapedPath(), url.PathEscape); err != nil {
		return err
	}
	if address.Path, err = wire(req.URL.Path, nil); err != nil {
		return err
	}
	if address.RawQuery, err = wire(req.URL.RawQuery, url.QueryEscape); err != nil {
		return err
	}
	covered.URL = &address
	switch {
	case b.isForm:
		for _, p := range b.form {
			name, err := wire(p.name, nil)
			if err != nil {
				return err
			}
			v, err := wire(p.value, nil)
			if err != nil {
				return err
			}
			covered.Form = append(covered.Form, oauth.Param{Name: name, Value: v})
		}
	case b.data != nil && req.Method != http.MethodGet && req.Method != http.MethodHead:
		var escape func(string) string
		if strings.Contains(req.Header.Get("Content-Type"), "json") {
			escape = func(s string) string { q := value.AppendQuoted(nil, s); return string(q[1 : len(q)-1]) }
		}
		data, err := wire(string(b.data), escape)
		if err != nil {
			return err
		}
		covered.Body = []byte(data)
	}
	req.Header.Set("Authorization", c.Header(covered, t.call.Effects.NewID(), t.call.Effects.Now()))
	return nil
}
