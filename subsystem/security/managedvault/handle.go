package managedvault

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// Handle is the managed vault as one candidate sees it. It is safe for concurrent use.
//
// Errors: an entry that is not there is [fault.NotFound]; a candidate without a team, or one that the connector lets in
// nowhere, is [fault.Denied]; a name that cannot be one is [fault.Invalid]; without a connector everything is
// [fault.Unsupported]. A read or a change that the audit cannot keep is not made: [fault.Unavailable].
type Handle struct {
	service   *Service
	candidate access.Candidate
}

// Candidate returns who the handle acts for.
func (h *Handle) Candidate() access.Candidate { return h.candidate }

// Get returns an entry of the candidate's team.
func (h *Handle) Get(ctx context.Context, key string) (secret.Value, error) {
	const op = "managedvault.get"
	g, err := authorize[access.Read](ctx, h, op, key)
	if err != nil {
		return secret.Value{}, err
	}
	v, err := h.service.conn.Get(ctx, g)
	if err != nil {
		return secret.Value{}, h.wrap(op, key, err)
	}
	if err := h.record(ctx, op, g.Resource(), "read"); err != nil {
		return secret.Value{}, h.wrap(op, key, err)
	}
	h.note(g.Resource(), v)
	return v, nil
}

// Set stores an entry of the candidate's team, in place of the one there was.
func (h *Handle) Set(ctx context.Context, key string, v secret.Value) error {
	const op = "managedvault.set"
	plain := v.Reveal()
	switch {
	case v.IsZero():
		return h.wrap(op, key, fault.Hint(fault.Newf(fault.Invalid, "the entry is empty"), "to take an entry away, delete it"))
	case len(plain) > MaxEntryLength:
		return h.wrap(op, key, fault.Newf(fault.Invalid, "an entry has at most %d bytes, this one has %d", MaxEntryLength, len(plain)))
	case !utf8.ValidString(plain):
		return h.wrap(op, key, fault.Newf(fault.Invalid, "the entry is not text in UTF-8"))
	}
	g, err := authorize[access.Write](ctx, h, op, key)
	if err != nil {
		return err
	}
	if err := h.record(ctx, op, g.Resource(), "write"); err != nil {
		return h.wrap(op, key, err)
	}
	h.note(g.Resource(), v)
	return h.wrap(op, key, h.service.conn.Set(ctx, g, v))
}

// Delete removes an entry of the candidate's team.
func (h *Handle) Delete(ctx context.Context, key string) error {
	const op = "managedvault.delete"
	g, err := authorize[access.Write](ctx, h, op, key)
	if err != nil {
		return err
	}
	if err := h.record(ctx, op, g.Resource(), "write"); err != nil {
		return h.wrap(op, key, err)
	}
	return h.wrap(op, key, h.service.conn.Delete(ctx, g))
}

// Exists reports whether the candidate's team has an entry of that name.
func (h *Handle) Exists(ctx context.Context, key string) (bool, error) {
	const op = "managedvault.exists"
	g, err := authorize[access.Read](ctx, h, op, key)
	if err != nil {
		return false, err
	}
	v, err := h.service.conn.Get(ctx, g)
	switch {
	case fault.Is(err, fault.NotFound):
		return false, nil
	case err != nil:
		return false, h.wrap(op, key, err)
	}
	return !v.IsZero(), nil
}

// authorize decides on an entry of the candidate's own team.
func authorize[L access.Level](ctx context.Context, h *Handle, op, key string) (access.Grant[L], error) {
	var none access.Grant[L]
	if err := h.check(op, key); err != nil {
		return none, err
	}
	team, err := h.service.accounts.TeamOf(ctx, h.candidate)
	if err != nil {
		if ctx.Err() != nil {
			return none, h.wrap(op, key, context.Cause(ctx))
		}
		_ = h.service.guard.Deny(ctx, op, h.candidate, key, access.NoTeam) // for its record; all denials read alike
		return none, refusal(op, key)
	}
	resource := Resource(team, key)
	acl, err := h.service.conn.ACL(ctx, resource)
	if err != nil {
		return none, h.wrap(op, key, err)
	}
	g, err := access.Authorize[L](ctx, h.service.guard, op, h.candidate, resource, acl)
	if err != nil {
		return none, refusal(op, key)
	}
	return g, nil
}

// check refuses what no connector can hold, before anybody is asked.
func (h *Handle) check(op, key string) error {
	switch {
	case !h.service.ready():
		return h.wrap(op, "", fault.Hint(fault.Newf(fault.Unsupported, "no managed vault"), "configure a connector for ManagedVault"))
	case key == "":
		return h.wrap(op, "", fault.Newf(fault.Invalid, "the name of an entry must not be empty"))
	case len(key) > MaxKeyLength:
		return h.wrap(op, "", fault.Newf(fault.Invalid, "the name of an entry has at most %d bytes, this one has %d", MaxKeyLength, len(key)))
	case !utf8.ValidString(key), strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return h.wrap(op, "", fault.Newf(fault.Invalid, "the name of an entry is text without control characters"))
	}
	return nil
}

// record writes into the audit what is about to be handed out or changed.
func (h *Handle) record(ctx context.Context, op, resource, level string) error {
	return h.service.env.Audit(ctx, access.Decision{Candidate: h.candidate, Resource: resource, Operation: op, Level: level, Allowed: true})
}

// note remembers the secrets of an entry, so that they are taken out of what leaves the runtime.
func (h *Handle) note(resource string, v secret.Value) {
	team, _ := Split(resource)
	entry, err := value.Parse(v.Reveal())
	if err != nil || !entry.IsObject() {
		h.service.env.Secrets.Note(team, v)
		return
	}
	for _, at := range []value.Value{entry, entry.Get("auth_data"), entry.Get("auth_settings"), entry.Get("oauth_info")} {
		for _, name := range []string{"primary", "secondary", "clientSecret", "consumerSecret"} {
			if s := at.GetString(name); !strings.HasPrefix(s, "{{") { // a reference to the vault is no secret
				h.service.env.Secrets.Note(team, secret.New(s))
			}
		}
	}
}

var errRefused = errors.New("Access Denied") //nolint:staticcheck // the recorded text

// refusal is the one answer to everything that is not the candidate's, whatever the reason.
func refusal(op, key string) error {
	return &fault.Error{Op: op, Resource: key, Kind: fault.Denied, Err: errRefused, Hint: "list the agent in the accounts, and configure a connector for ManagedVault that stores"}
}

// wrap says where an error arose. No error stays none.
func (h *Handle) wrap(op, key string, err error) error {
	if err == nil {
		return nil
	}
	e := &fault.Error{Op: op, Resource: key, Kind: fault.KindOf(err), Err: err}
	if h.service != nil {
		e.Connector = h.service.id
	}
	return e
}
