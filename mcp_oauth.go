package sre

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/mcpclient"
	"github.com/sre-go/sre/internal/oauth"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

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
// end, or was refused, is renewed first.
func (a *Agent) accessToken(connection string) mcpclient.Token {
	return func(ctx context.Context, refused secret.Value) (secret.Value, error) {
		return oauth.Connection{
			Keeper: a.Services().ManagedVault(), Name: connection, HTTP: a.runtime.http, Clock: a.runtime.effects, Text: a.withKeys, Refused: refused,
			Unkept: func(err error) {
				a.runtime.log.Warn("the new tokens of a connection are used but could not be kept", "connection", connection, "agent", a.ID(), "error", err.Error())
			},
		}.Token(access.WithActing(ctx, access.Acting{Candidate: a.Candidate(), Team: a.Team()}))
	}
}
