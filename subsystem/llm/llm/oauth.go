package llm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/oauth"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/managedvault"
)

// earlyToken is how long before its end an access token is renewed: a call that is made with it takes a while to arrive.
const earlyToken = time.Minute

// connected returns the access token of a connection of the candidate's team, a new one when it is near its end. Without
// such a connection the credential says what is missing.
func (h *Handle) connected(ctx context.Context, connection string) (Credential, error) {
	if connection == "" {
		err := fault.Newf(fault.Invalid, "the credentials of the model name no connection")
		return Credential{}, fault.Hint(err, `write "oauth:" and the name that the connection was made under with sre oauth connect`)
	}
	r, err := oauth.Renewal{
		Keeper: connections{h.service.tokens.For(h.candidate)}, Key: connection, Now: h.service.clockOf().Now, Early: earlyToken,
		Read:   func(entry secret.Value) (oauth.Record, error) { return readConnection(connection, entry) },
		Grant:  func(ctx context.Context, r oauth.Record) (oauth.Tokens, error) { return h.grant(ctx, connection, r) },
		Unkept: func(err error) { h.service.unkept(ctx, connection, err) },
	}.Record(ctx)
	switch {
	case errors.Is(err, errNoConnection):
		return Credential{missing: err}, nil
	case err != nil:
		return Credential{}, err
	case r.Primary.IsZero():
		return Credential{}, fault.Newf(fault.Unavailable, "the connection %q gave an empty token", connection)
	}
	return Credential{fields: map[string]secret.Value{FieldKey: r.Primary}, own: true}, nil
}

// connections are the records of a team. Where there is no managed vault, or no team, there are none.
type connections struct{ *managedvault.Handle }

// Get returns an entry.
func (c connections) Get(ctx context.Context, key string) (secret.Value, error) {
	entry, err := c.Handle.Get(ctx, key)
	if fault.Is(err, fault.Denied) || fault.Is(err, fault.Unsupported) {
		return secret.Value{}, fault.New(fault.NotFound, err)
	}
	return entry, err
}

var errNoConnection = errors.New("the team has no connection")

// readConnection reads an entry of the managed vault. One of another team and one that is not there read alike.
func readConnection(connection string, entry secret.Value) (oauth.Record, error) {
	if entry.IsZero() {
		return oauth.Record{}, &fault.Error{
			Kind: fault.Unauthenticated, Code: CodeNoKey, Err: fmt.Errorf("%w %q", errNoConnection, connection),
			Hint: "make it under that name with `sre oauth connect`",
		}
	}
	r, err := oauth.ParseRecord(entry)
	switch {
	case err != nil:
		return r, fault.Hint(fault.Newf(fault.KindOf(err), "connection %q: %w", connection, err), connectAgain)
	case r.Type == oauth.OAuth1:
		err := fault.Newf(fault.Invalid, "the connection %q signs its requests (OAuth 1.0a)", connection)
		return r, fault.Hint(err, "models take access tokens of OAuth 2.0: name another connection")
	}
	return r, nil
}

const connectAgain = "connect again with `sre oauth connect`"

// grant asks the token server of a connection.
func (h *Handle) grant(ctx context.Context, connection string, r oauth.Record) (oauth.Tokens, error) {
	slots := secret.NewSlots(h.service.clockOf().NewID())
	ctx = secret.WithSlots(ctx, slots)
	own := r.Service == oauth.ClientCredentials
	if !own && r.Secondary.IsZero() {
		return oauth.Tokens{}, refused(connection, connectAgain, fault.Newf(fault.Unauthenticated, "the access token is at its end, and there is none to renew it with"))
	}
	client, err := h.client(ctx, slots, r)
	if err != nil {
		return oauth.Tokens{}, fmt.Errorf("connection %q: %w", connection, err)
	}
	if own {
		tokens, err := client.ClientCredentials(ctx, r.Scope)
		return tokens, refused(connection, "check the client id and the client secret of the connection", err)
	}
	tokens, err := client.Refresh(ctx, r.Secondary)
	return tokens, refused(connection, connectAgain, err)
}

// refused says of which connection an error is, and what to do when the token server wants no more of it.
func refused(connection, hint string, err error) error {
	if err == nil {
		return nil
	}
	err = &fault.Error{Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: fmt.Errorf("connection %q: %w", connection, err)}
	if fault.Is(err, fault.Unauthenticated) {
		return fault.Hint(err, "%s", hint)
	}
	return err
}

// client returns the client of a record. Its texts may name keys of the vault; what is secret goes to the token server and
// nowhere else, and a key that is bound to other hosts not even there.
func (h *Handle) client(ctx context.Context, slots *secret.Slots, r oauth.Record) (oauth.Client, error) {
	host := oauth.HostOf(r.TokenURL)
	if host == "" || strings.Contains(r.TokenURL, keyOpen) {
		return oauth.Client{}, fault.Newf(fault.Invalid, "the address of the token server is malformed")
	}
	c := oauth.Client{HTTP: h.service.http, TokenURL: r.TokenURL, Now: h.service.clockOf().Now}
	fill := func(text string) (string, error) {
		v, _, err := h.expandText(ctx, text)
		if err != nil || v.IsZero() {
			return "", err
		}
		if v.Hosts() == nil {
			v = v.For(host)
		}
		return slots.Put(v), nil
	}
	var err error
	if c.ID, err = fill(r.ClientID); err != nil {
		return c, err
	}
	c.Secret, err = fill(r.ClientSecret.Reveal())
	return c, err
}

// unkept reports tokens that are used but could not be stored.
func (s *Service) unkept(ctx context.Context, connection string, err error) {
	if s.log != nil {
		s.log.WarnContext(ctx, "the new tokens of a connection are used but could not be kept", "connection", connection, "error", err.Error())
	}
}
