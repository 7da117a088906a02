package cli

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/httpserver"
	"github.com/sre-go/sre/internal/oauth"
	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// authorize asks the user and returns the record to keep. It closes the listener, which the browser reaches at host.
func (a *app) authorize(ctx context.Context, x *connection, ln net.Listener, host string, timeout time.Duration) (secret.Value, error) {
	session := oauth.NewSession(effect.System{}, host)
	redirect := "http://" + host + oauth.CallbackPath
	flow := x.authorize2
	if x.setting("requestTokenURL") != "" && x.setting("authorizationURL") == "" {
		flow = x.authorize1
	}
	asked := false
	ask := func(address string) (string, error) {
		asked = true
		if _, err := io.WriteString(a.Err, "Open this address in a browser on this machine, and allow the access:\n\n  "+address+"\n\n"); err != nil {
			_ = ln.Close() // the error says more
			return "", err
		}
		late := fault.Newf(fault.Timeout, "nobody came back from the service within %s", timeout)
		ctx, cancel := context.WithTimeoutCause(ctx, timeout, late)
		defer cancel()
		if err := httpserver.ServeUntil(ctx, ln, session, session.Done()); err != nil {
			return "", err
		}
		return session.Code()
	}
	r, err := flow(ctx, session, redirect, ask)
	if !asked {
		_ = ln.Close() // nobody was asked, so nobody comes
	}
	if err != nil {
		return secret.Value{}, err
	}
	return r.Entry(), nil
}

// asking shows the user an address and returns what the browser has brought back.
type asking func(address string) (string, error)

// authorize2 is the flow of OAuth 2.0, with PKCE.
func (x *connection) authorize2(ctx context.Context, session *oauth.Session, redirect string, ask asking) (oauth.Record, error) {
	if err := x.need("authorizationURL", "tokenURL", "clientID"); err != nil {
		return oauth.Record{}, err
	}
	id, err := x.reveal(ctx, "clientID", "")
	if err != nil {
		return oauth.Record{}, err
	}
	clientSecret, err := x.reveal(ctx, "clientSecret", oauth.HostOf(x.setting("tokenURL")))
	if err != nil {
		return oauth.Record{}, err
	}
	client := oauth.Client{HTTP: x.runtime.HTTPClient(), TokenURL: x.setting("tokenURL"), ID: id.Reveal(), Now: effect.System{}.Now}
	if !clientSecret.IsZero() {
		client.Secret = x.slots.Put(clientSecret)
	}
	address, err := session.AuthorizationURL(x.setting("authorizationURL"), client.ID, redirect, x.setting("scope"))
	if err != nil {
		return oauth.Record{}, err
	}
	code, err := ask(address)
	if err != nil {
		return oauth.Record{}, err
	}
	tokens, err := client.Exchange(ctx, code, redirect, session.Verifier())
	if err != nil {
		return oauth.Record{}, err
	}
	return x.record(oauth.OAuth2, tokens, "tokenURL", "clientID", "clientSecret", "scope")
}

// authorize1 is the flow of OAuth 1.0a.
func (x *connection) authorize1(ctx context.Context, session *oauth.Session, redirect string, ask asking) (oauth.Record, error) {
	if err := x.need("accessTokenURL", "userAuthorizationURL", "consumerKey"); err != nil {
		return oauth.Record{}, err
	}
	key, err := x.reveal(ctx, "consumerKey", "")
	if err != nil {
		return oauth.Record{}, err
	}
	c := oauth.Credentials{ConsumerKey: key.Reveal()}
	if c.ConsumerSecret, err = x.reveal(ctx, "consumerSecret", ""); err != nil {
		return oauth.Record{}, err
	}
	clock := effect.System{}
	service := oauth.Service1{HTTP: x.runtime.HTTPClient(), RequestTokenURL: x.setting("requestTokenURL"), AccessTokenURL: x.setting("accessTokenURL"), Nonce: clock.NewID, Now: clock.Now}
	callback, err := session.Callback(redirect)
	if err != nil {
		return oauth.Record{}, err
	}
	temporary, err := service.Temporary(ctx, c, callback)
	if err != nil {
		return oauth.Record{}, err
	}
	address, err := session.UserURL(x.setting("userAuthorizationURL"), temporary.Primary.Reveal())
	if err != nil {
		return oauth.Record{}, err
	}
	verifier, err := ask(address)
	if err != nil {
		return oauth.Record{}, err
	}
	c.Token, c.TokenSecret = temporary.Primary.Reveal(), temporary.Secondary
	tokens, err := service.Access(ctx, c, verifier)
	if err != nil {
		return oauth.Record{}, err
	}
	return x.record(oauth.OAuth1, tokens, "consumerKey", "consumerSecret")
}

// need checks that a component, or the flags of a connection, say what a flow needs.
func (x *connection) need(names ...string) error {
	for _, name := range names {
		switch {
		case x.setting(name) != "":
		case x.of == "":
			return usageError{fault.Newf(fault.Invalid, "the connection needs --%s", flagOf(name))}
		default:
			return fault.Newf(fault.Invalid, "the component %s has no %s", x.of, name)
		}
	}
	return nil
}

// reveal returns a setting. One that names a key of the vault is that key, with the hosts that it is bound to; any other
// is bound to host, unless that is "".
func (x *connection) reveal(ctx context.Context, name, host string) (secret.Value, error) {
	text := x.setting(name)
	if key, ok := template.VaultReference(text); ok {
		return x.as.Vault().Get(ctx, key)
	}
	if v := secret.New(text); host == "" || v.IsZero() {
		return v, nil
	}
	return secret.New(text).For(host), nil
}

// record returns the record to keep: settings as the file has them, so that keys of the vault stay in the vault.
func (x *connection) record(kind string, tokens oauth.Tokens, names ...string) (oauth.Record, error) {
	b := value.NewBuilder(len(names) + 2)
	b.Set("type", value.Of(kind)).Set("service", value.Of(x.setting("oauthService")))
	for _, name := range names {
		if text := x.setting(name); text != "" {
			b.Set(name, value.Of(text))
		}
	}
	r, err := oauth.NewRecord(b.Build(), x.hosts)
	if err != nil {
		return oauth.Record{}, err
	}
	return r.WithTokens(tokens), nil
}
