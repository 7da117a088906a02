package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
)

// Connection is a record that was made under a name, for requests that carry an access token of OAuth 2.0: those of models
// and of servers of tools. Its texts may name keys of the vault. What is secret of it goes to its token server and nowhere
// else, and a key that is bound to other hosts not even there.
type Connection struct {
	Keeper Keeper
	Name   string
	HTTP   *http.Client // the door to the network
	Clock  effect.Source
	// Text puts keys of the vault into a text of the record.
	Text func(ctx context.Context, text string) (secret.Value, error)
	// Unkept is told that new tokens are used which could not be stored.
	Unkept func(err error)
	// Refused is an access token that the service has refused: another one is asked for, whatever its end. Empty for none.
	Refused secret.Value
}

// ErrNoConnection is in the errors about a connection that is not there. One of another team reads alike.
var ErrNoConnection = errors.New("the team has no connection")

// early is how long before its end an access token is renewed: a request that is made with it takes a while to arrive.
const early = time.Minute

// Token returns an access token, a new one when it is near its end. Callers at the same time share one renewal. The errors
// name the connection: without one, or when its token server refuses, they are [fault.Unauthenticated] and say what to do.
func (c Connection) Token(ctx context.Context) (secret.Value, error) {
	slots := secret.NewSlots(c.Clock.NewID())
	ctx = secret.WithSlots(ctx, slots)
	r, err := Renewal{
		Keeper: c.Keeper, Key: c.Name, Now: c.Clock.Now, Early: early, Read: c.read, Unkept: c.Unkept, Refused: c.Refused,
		Grant: func(ctx context.Context, r Record) (Tokens, error) { return c.grant(ctx, slots, r) },
	}.Record(ctx)
	if err == nil && r.Primary.IsZero() {
		err = fault.Newf(fault.Unavailable, "its token server gave an empty token")
	}
	switch {
	case err == nil:
		return r.Primary, nil
	case errors.Is(err, ErrNoConnection):
		return secret.Value{}, err
	}
	return secret.Value{}, &fault.Error{Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: fmt.Errorf("the connection %q: %w", c.Name, err)}
}

const again = "connect again under that name with `sre oauth connect`"

// read reads an entry, empty for none.
func (c Connection) read(entry secret.Value) (Record, error) {
	if entry.IsZero() {
		err := fault.New(fault.Unauthenticated, fmt.Errorf("%w %q", ErrNoConnection, c.Name))
		return Record{}, fault.Hint(err, "make it under that name with `sre oauth connect`")
	}
	r, err := ParseRecord(entry)
	switch {
	case err != nil:
		return r, fault.Hint(err, again)
	case r.Type == OAuth1:
		err := fault.Newf(fault.Invalid, "it signs requests (OAuth 1.0a)")
		return r, fault.Hint(err, "access tokens of OAuth 2.0 are wanted here: name another connection")
	}
	return r, nil
}

// grant asks the token server.
func (c Connection) grant(ctx context.Context, slots *secret.Slots, r Record) (Tokens, error) {
	own := r.Service == ClientCredentials
	if !own && r.Secondary.IsZero() {
		err := fault.Newf(fault.Unauthenticated, "its access token is at its end, and there is none to renew it with")
		if r.Primary.IsZero() {
			err = fault.Newf(fault.Unauthenticated, "it has no access token, and none to get one with")
		}
		return Tokens{}, fault.Hint(err, again)
	}
	client, err := c.client(ctx, slots, r)
	if err != nil {
		return Tokens{}, err
	}
	hint := again
	var tokens Tokens
	if own {
		hint = "check the client id and the client secret of the connection"
		tokens, err = client.ClientCredentials(ctx, r.Scope)
	} else {
		tokens, err = client.Refresh(ctx, r.Secondary)
	}
	if fault.Is(err, fault.Unauthenticated) {
		err = fault.Hint(err, "%s", hint)
	}
	return tokens, err
}

// client returns the client of a record, with stand-ins for what is secret.
func (c Connection) client(ctx context.Context, slots *secret.Slots, r Record) (Client, error) {
	host := HostOf(r.TokenURL)
	if host == "" || strings.Contains(r.TokenURL, "{{") {
		return Client{}, fault.Newf(fault.Invalid, "the address of its token server is malformed")
	}
	client := Client{HTTP: c.HTTP, TokenURL: r.TokenURL, Now: c.Clock.Now}
	for _, part := range []struct {
		to   *string
		text string
	}{{&client.ID, r.ClientID}, {&client.Secret, r.ClientSecret.Reveal()}} {
		v, err := c.Text(ctx, part.text)
		if err != nil {
			return client, err
		}
		if !v.IsZero() {
			*part.to = slots.Put(v.Only(host))
		}
	}
	return client, nil
}
