package vault

import (
	"context"
	"errors"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
)

// Handle is the vault as one candidate sees it. It is safe for concurrent use.
type Handle struct {
	service   *Service
	candidate access.Candidate
}

// Candidate returns who the handle acts for.
func (h *Handle) Candidate() access.Candidate { return h.candidate }

// Get returns a secret of the candidate's team. A key that does not exist and a key of somebody else are the same
// [fault.Denied].
func (h *Handle) Get(ctx context.Context, key string) (secret.Value, error) {
	const op = "vault.get"
	if err := h.check(op, key); err != nil {
		return secret.Value{}, err
	}
	g, err := h.authorize(ctx, op, key)
	if err != nil {
		return secret.Value{}, err
	}
	v, err := h.service.conn.Get(ctx, g)
	switch {
	case fault.Is(err, fault.NotFound) || fault.Is(err, fault.Denied): // taken away since the check
		_ = h.service.guard.Deny(ctx, op, h.candidate, g.Resource(), access.NoACL) // for its record; all denials read alike
		return secret.Value{}, refusal(op, key)
	case err != nil:
		return secret.Value{}, h.wrap(op, key, err)
	}
	team, _ := Split(g.Resource())
	read := access.Decision{Candidate: h.candidate, Resource: g.Resource(), Operation: op, Level: "read", Allowed: true}
	if err := h.service.env.Audit(ctx, read); err != nil {
		return secret.Value{}, h.wrap(op, key, err)
	}
	h.service.env.Secrets.Note(team, v)
	return v, nil
}

// Exists reports whether Get would return a secret that is not empty. A key of somebody else does not exist.
// A candidate without a team is [fault.Denied].
func (h *Handle) Exists(ctx context.Context, key string) (bool, error) {
	const op = "vault.exists"
	if err := h.check(op, key); err != nil {
		return false, err
	}
	resource, err := h.resource(ctx, op, key)
	if err != nil {
		return false, err
	}
	acl, err := h.service.conn.ACL(ctx, resource)
	if err != nil {
		return false, h.wrap(op, key, err)
	}
	if acl.Empty() {
		return false, nil // nothing was refused: there is nothing
	}
	g, err := access.Authorize[access.Read](ctx, h.service.guard, op, h.candidate, resource, acl)
	if err != nil {
		return false, nil
	}
	v, err := h.service.conn.Get(ctx, g)
	switch {
	case fault.Is(err, fault.NotFound) || fault.Is(err, fault.Denied):
		return false, nil
	case err != nil:
		return false, h.wrap(op, key, err)
	}
	return !v.IsZero(), nil
}

// List returns the names of the keys of the candidate's team, in the order they were stored.
func (h *Handle) List(ctx context.Context) ([]string, error) {
	const op = "vault.list"
	if !h.service.ready() {
		return nil, h.wrap(op, "", errNone())
	}
	g, err := h.authorize(ctx, op, "")
	if err != nil {
		return nil, err
	}
	keys, err := h.service.conn.List(ctx, g)
	if err != nil {
		return nil, h.wrap(op, "", err)
	}
	return keys, nil
}

// check refuses what no vault can hold, before anybody is asked.
func (h *Handle) check(op, key string) error {
	switch {
	case !h.service.ready():
		return h.wrap(op, "", errNone())
	case key == "":
		return h.wrap(op, "", fault.Newf(fault.Invalid, "the name of a key must not be empty"))
	case len(key) > MaxKeyLength:
		return h.wrap(op, "", fault.Newf(fault.Invalid, "the name of a key has at most %d bytes, this one has %d", MaxKeyLength, len(key)))
	}
	return nil
}

// resource names the key within the candidate's team. Without a team there is nothing to name.
func (h *Handle) resource(ctx context.Context, op, key string) (string, error) {
	team, err := h.service.accounts.TeamOf(ctx, h.candidate)
	if err != nil {
		if ctx.Err() != nil {
			return "", h.wrap(op, key, context.Cause(ctx))
		}
		_ = h.service.guard.Deny(ctx, op, h.candidate, key, access.NoTeam) // for its record; all denials read alike
		return "", refusal(op, key)
	}
	return Resource(team, key), nil
}

func (h *Handle) authorize(ctx context.Context, op, key string) (access.Grant[access.Read], error) {
	var none access.Grant[access.Read]
	resource, err := h.resource(ctx, op, key)
	if err != nil {
		return none, err
	}
	acl, err := h.service.conn.ACL(ctx, resource)
	if err != nil {
		return none, h.wrap(op, key, err)
	}
	g, err := access.Authorize[access.Read](ctx, h.service.guard, op, h.candidate, resource, acl)
	if err != nil {
		return none, refusal(op, key)
	}
	return g, nil
}

var errRefused = errors.New("Access Denied") //nolint:staticcheck // the recorded text

// refusal is the one answer to everything that is not the candidate's, whatever the reason.
func refusal(op, key string) error {
	return &fault.Error{
		Op: op, Resource: key, Kind: fault.Denied, Err: errRefused,
		Hint: "store the key in the vault under the team of the agent, and list the agent in the accounts",
	}
}

func (h *Handle) wrap(op, key string, err error) error {
	e := &fault.Error{Op: op, Resource: key, Kind: fault.KindOf(err), Err: err}
	if h.service != nil {
		e.Connector = h.service.id
	}
	return e
}

func (s *Service) ready() bool { return s != nil && s.conn != nil }

func errNone() error {
	return fault.Hint(fault.Newf(fault.Unsupported, "no vault"), "configure a connector for Vault")
}
