package sre

import (
	"context"
	"fmt"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/mcpclient"
	"github.com/sre-go/sre/internal/oauth"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// earlyToken is how long before its end an access token is renewed: a request that is made with it takes a while to arrive.
const earlyToken = time.Minute

// connectionOf reads the member auth of a server of the configuration: the name of a connection, "" for none.
func connectionOf(auth value.Value) (string, error) {
	if auth.IsNil() {
		return "", nil
	}
	name, ok := auth.Get("oauth").Str()
	if !ok || name == "" || auth.Len() != 1 {
		return "", fault.Hint(fault.Newf(fault.Invalid, "auth names no connection"), `write {"oauth": "NAME"}, the name that sre oauth connect --name made it under`)
	}
	return name, nil
}

// accessToken returns the access token of a connection of the agent's team, whenever a request needs it. One that is at its
// end is renewed first.
func (a *Agent) accessToken(connection string) mcpclient.Token {
	return func(ctx context.Context) (secret.Value, error) {
		slots := secret.NewSlots(a.runtime.effects.NewID())
		ctx = secret.WithSlots(access.WithActing(ctx, access.Acting{Candidate: a.Candidate(), Team: a.Team()}), slots)
		r, err := oauth.Renewal{
			Keeper: a.Services().ManagedVault(), Key: connection, Now: a.runtime.effects.Now, Early: earlyToken, Read: readConnection,
			Grant: func(ctx context.Context, r oauth.Record) (oauth.Tokens, error) { return a.grant(ctx, slots, r) },
			Unkept: func(err error) {
				a.runtime.log.Warn("the new tokens of a connection are used but could not be kept", "connection", connection, "agent", a.ID(), "error", err.Error())
			},
		}.Record(ctx)
		if err != nil {
			return secret.Value{}, &fault.Error{Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: fmt.Errorf("the connection %q: %w", connection, err)}
		}
		return r.Primary, nil
	}
}

const connectAgain = "connect under that name with sre oauth connect"

// readConnection reads an entry of the managed vault.
func readConnection(entry secret.Value) (oauth.Record, error) {
	if entry.IsZero() {
		return oauth.Record{}, fault.Hint(fault.Newf(fault.Unauthenticated, "the team of the agent has none of this name"), connectAgain)
	}
	r, err := oauth.ParseRecord(entry)
	switch {
	case err != nil:
		return r, err
	case r.Type == oauth.OAuth1:
		return r, fault.Newf(fault.Invalid, "it signs requests (OAuth 1.0a), and an MCP server takes access tokens of OAuth 2.0")
	case r.Primary.IsZero() && r.Service != oauth.ClientCredentials:
		return r, fault.Hint(fault.Newf(fault.Unauthenticated, "it has no access token"), connectAgain)
	}
	return r, nil
}

// grant asks the token server of a record. Keys of the vault that its settings name, and its own secrets, go to that server
// and nowhere else; a key that is bound to other hosts does not even go there.
func (a *Agent) grant(ctx context.Context, slots *secret.Slots, r oauth.Record) (oauth.Tokens, error) {
	c := oauth.Client{HTTP: a.runtime.http, TokenURL: r.TokenURL, Now: a.runtime.effects.Now}
	host := oauth.HostOf(r.TokenURL)
	if host == "" {
		return oauth.Tokens{}, fault.Newf(fault.Invalid, "the address of the token server is malformed")
	}
	for _, field := range []struct {
		to   *string
		text string
	}{{&c.ID, r.ClientID}, {&c.Secret, r.ClientSecret.Reveal()}} {
		v, err := a.withKeys(ctx, field.text)
		if err != nil {
			return oauth.Tokens{}, err
		}
		if !v.IsZero() {
			*field.to = slots.Put(v.Only(host))
		}
	}
	if r.Service == oauth.ClientCredentials {
		return c.ClientCredentials(ctx, r.Scope)
	}
	if r.Secondary.IsZero() {
		return oauth.Tokens{}, fault.Hint(fault.Newf(fault.Unauthenticated, "the access token is at its end, and there is none to renew it with"), connectAgain)
	}
	tokens, err := c.Refresh(ctx, r.Secondary)
	if fault.Is(err, fault.Unauthenticated) {
		err = fault.Hint(err, connectAgain)
	}
	return tokens, err
}
