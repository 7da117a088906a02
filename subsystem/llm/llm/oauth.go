package llm

import (
	"context"
	"errors"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/oauth"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/managedvault"
)

// connected returns the access token of a connection of the candidate's team, a new one when it is near its end or is the
// one that was refused. Without such a connection the credential says what is missing.
func (h *Handle) connected(ctx context.Context, name string, refused secret.Value) (Credential, error) {
	if name == "" {
		err := fault.Newf(fault.Invalid, "the credentials of the model name no connection")
		return Credential{}, fault.Hint(err, `write "oauth:" and the name that the connection was made under with sre oauth connect`)
	}
	token, err := oauth.Connection{
		Keeper: connections{h.service.tokens.For(h.candidate)}, Name: name, HTTP: h.service.http, Clock: h.service.clockOf(),
		Text: func(ctx context.Context, text string) (secret.Value, error) {
			v, _, err := h.expandText(ctx, text)
			return v, err
		},
		Unkept:  func(err error) { h.service.unkept(ctx, name, err) },
		Refused: refused,
	}.Token(ctx)
	switch {
	case errors.Is(err, oauth.ErrNoConnection):
		return Credential{missing: &fault.Error{Kind: fault.Unauthenticated, Code: CodeNoKey, Err: err}}, nil
	case err != nil:
		return Credential{}, err
	}
	return Credential{fields: map[string]secret.Value{FieldKey: token}, own: true, renewable: true}, nil
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

// unkept reports tokens that are used but could not be stored.
func (s *Service) unkept(ctx context.Context, connection string, err error) {
	if s.log != nil {
		s.log.WarnContext(ctx, "the new tokens of a connection are used but could not be kept", "connection", connection, "error", err.Error())
	}
}
