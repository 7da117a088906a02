package account

import (
	"context"
	"slices"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
)

// TokenSpec says what a new API token is to be.
type TokenSpec struct {
	Name    string
	User    string // whose token it is, "" for one of the team
	Scopes  Scopes
	Agents  []string  // the only agents that it may call; none for all of the team
	Expires time.Time // zero for never
}

// CreateToken makes an API token of the candidate's team and returns it, this once. The team itself may make any; owners
// and admins may make tokens of the team, and every user its own, as far as its role goes. Agents make none.
func (h *Handle) CreateToken(ctx context.Context, spec TokenSpec) (Token, secret.Value, error) {
	const op = "account.token-create"
	store, p, err := h.tokens(ctx, op)
	if err != nil {
		return Token{}, secret.Value{}, err
	}
	e := h.service.env.Effects
	t := Token{Name: spec.Name, Team: p.team.ID(), User: spec.User, Scopes: spec.Scopes, Created: e.Now().UTC().Truncate(time.Second)}
	t.Agents = slices.Compact(slices.Sorted(slices.Values(spec.Agents)))
	if !spec.Expires.IsZero() {
		t.Expires = spec.Expires.UTC().Truncate(time.Second)
	}
	err = t.Validate()
	if err == nil && t.reason(e.Now()) != "" {
		err = fault.Newf(fault.Invalid, "the token would have expired already")
	}
	if err == nil {
		err = h.holds(ctx, p, &t)
	}
	if err != nil {
		return Token{}, secret.Value{}, h.wrap(op, p.resource(), err)
	}
	g, err := access.Authorize[access.Write](ctx, h.service.guard, op, h.candidate, p.resource(), h.mayIssue(p, spec.User))
	if err != nil {
		return Token{}, secret.Value{}, err
	}
	var shown secret.Value
	err = h.apply(ctx, op, "write", p, func() error {
		var failed error
		for range 3 { // an id is drawn again when it is taken
			var sum Sum
			shown, t.ID, sum = newToken(e)
			if failed = store.PutToken(ctx, g, Stored{t, sum}); !fault.Is(failed, fault.Conflict) {
				break
			}
		}
		return failed
	})
	if err != nil {
		return Token{}, secret.Value{}, err
	}
	h.service.env.Secrets.Note(t.Team, shown)
	return t, shown, nil
}

// holds checks that the user of a new token, or the team, can hold it.
func (h *Handle) holds(ctx context.Context, p place, t *Token) error {
	holder, rank := p.team, RankOwner
	if t.User != "" {
		user, err := access.User(t.User)
		if err != nil {
			return err
		}
		holder = user
	}
	st, err := h.service.directory.standing(ctx, holder)
	switch {
	case fault.Is(err, fault.NotFound) && t.User == "":
		return fault.Hint(fault.Newf(fault.NotFound, "there is no team %s", t.Team), "make it in the accounts first")
	case fault.Is(err, fault.NotFound), err == nil && st.team != t.Team:
		return fault.Hint(fault.Newf(fault.NotFound, "%s does not belong to team %s", holder, t.Team), "see who does in the accounts: sre account")
	case err != nil:
		return err
	case t.User != "":
		rank = st.rank
	}
	if more := t.Scopes &^ rank.scopes(); more != 0 {
		return fault.Newf(fault.Invalid, "the role %s does not go as far as the scope %s", rank, more.Names()[0])
	}
	return nil
}

// mayIssue returns who may make and revoke a token of a user, or of the team: besides the team those who may change it,
// but nobody gets into the place of another user.
func (h *Handle) mayIssue(p place, user string) *access.ACL {
	own := h.candidate.Role() == access.RoleUser && h.candidate.ID() == user
	if h.candidate.Role() == access.RoleTeam || own || user == "" && p.rank >= RankAdmin {
		return access.OwnedBy(h.candidate)
	}
	return nil
}

// Tokens returns the API tokens of the candidate's team, in the order they were made: to the team, its owners and admins
// all of them, to other users their own. damaged names what the connector holds and cannot understand, of any team; only
// the team itself is told.
func (h *Handle) Tokens(ctx context.Context) (list []Token, damaged []string, err error) {
	const op = "account.tokens"
	store, p, err := h.tokens(ctx, op)
	if err != nil {
		return nil, nil, err
	}
	if _, err := access.Authorize[access.Read](ctx, h.service.guard, op, h.candidate, p.resource(), p.acl); err != nil {
		return nil, nil, err
	}
	set, err := store.LoadTokens(ctx, "")
	if err != nil {
		return nil, nil, h.wrap(op, p.resource(), err)
	}
	for _, t := range sorted(set.Tokens) {
		if t.Team == p.team.ID() && (p.rank >= RankAdmin || t.User == h.candidate.ID()) {
			list = append(list, t.Token)
		}
	}
	if h.candidate.Role() == access.RoleTeam {
		damaged = set.Damaged
	}
	return list, damaged, nil
}

// RevokeToken makes a token worthless, from the moment it returns in this runtime and within a second in others. The team,
// its owners and admins may revoke every token of the team, other users their own. A token that is not there and one that
// is none of theirs are the same [fault.NotFound].
func (h *Handle) RevokeToken(ctx context.Context, id string) error {
	const op = "account.token-revoke"
	store, p, err := h.tokens(ctx, op)
	if err != nil {
		return err
	}
	list, _, err := h.Tokens(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(list, func(t Token) bool { return t.ID == id })
	if at < 0 {
		return h.wrap(op, p.resource(), fault.Hint(fault.Newf(fault.NotFound, "there is no such token"), "sre token list shows the ids"))
	}
	acl := p.acl
	if p.rank < RankAdmin {
		acl = h.mayIssue(p, list[at].User)
	}
	g, err := access.Authorize[access.Write](ctx, h.service.guard, op, h.candidate, p.resource(), acl)
	if err != nil {
		return err
	}
	now := h.service.env.Effects.Now().UTC().Truncate(time.Second)
	return h.apply(ctx, op, "write", p, func() error { return store.RevokeToken(ctx, g, id, now) })
}

// tokens is place, for connectors that keep tokens.
func (h *Handle) tokens(ctx context.Context, op string) (Tokens, place, error) {
	p, err := h.place(ctx, op)
	if err != nil {
		return nil, place{}, err
	}
	store, ok := h.service.conn.(Tokens)
	if !ok {
		err := fault.Hint(fault.Newf(fault.Unsupported, "these accounts keep no API tokens"), "configure the connector SQLiteAccount for Account")
		return nil, place{}, h.wrap(op, p.resource(), err)
	}
	return store, p, nil
}
