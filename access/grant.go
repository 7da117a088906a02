package access

import (
	"context"

	"github.com/sre-go/sre/fault"
)

// Read, Write and Owner are the levels a grant can have. They only exist as type arguments.
type (
	Read  struct{}
	Write struct{}
	Owner struct{}
)

// Level is a level of access.
type Level interface{ Read | Write | Owner }

// Grant proves that a candidate may act on a resource at level L. Only [Authorize] makes one.
type Grant[L Level] struct {
	candidate Candidate
	resource  string
	valid     bool
}

// Candidate returns who was granted access.
func (g Grant[L]) Candidate() Candidate { return g.candidate }

// Resource returns what access was granted to. It panics on the zero Grant: that is a bug, not a denial.
func (g Grant[L]) Resource() string {
	if !g.valid {
		panic("access: a Grant was made without Authorize")
	}
	return g.resource
}

// Directory tells which team a candidate belongs to. An unknown candidate is an error, and an error denies.
type Directory interface {
	TeamOf(ctx context.Context, c Candidate) (team string, err error)
}

// Rule names the step that decided.
type Rule string

// The rules in the order they are tried.
const (
	ByExact     Rule = "exact"
	ByOwner     Rule = "owner"
	ByPublic    Rule = "public"
	ByTeam      Rule = "team"
	ByTeamOwner Rule = "team-owner"
	ByDefault   Rule = "default-deny"
	NoACL       Rule = "no-acl"
	NoTeam      Rule = "team-unknown"
	PlainHash   Rule = "plain-hash"
	BadRequest  Rule = "bad-request"
)

// Decision is one answer of the guard, as the audit sees it. It holds no secret values.
type Decision struct {
	Candidate Candidate
	Resource  string
	Operation string // "storage.write"
	Level     string
	Rule      Rule
	Allowed   bool
	Run       string // id of the run it belongs to, "" outside of runs
}

// Guard is what a service checks with. A Guard without a Directory knows no teams, and so does the nil Guard,
// which has no audit either.
type Guard struct {
	Directory Directory
	// Audit receives every denial, once. It must be quick or hand over; nil drops them.
	Audit func(context.Context, Decision)
}

// Authorize answers with a grant when acl lets c act on resource at level L: by its own entry, as owner,
// by the public entry, or by the entry or ownership of its team. Everything else is [fault.Denied].
// operation names the attempt for the audit, such as "storage.read".
func Authorize[L Level](ctx context.Context, g *Guard, operation string, c Candidate, resource string, acl *ACL) (Grant[L], error) {
	need, level := levelOf[L]()
	rule := decide(ctx, g, c, resource, acl, need)
	switch rule {
	case ByExact, ByOwner, ByPublic, ByTeam, ByTeamOwner:
		return Grant[L]{candidate: c, resource: resource, valid: true}, nil
	}
	return Grant[L]{}, g.deny(ctx, Decision{Candidate: c, Resource: resource, Operation: operation, Level: level, Rule: rule})
}

// Deny refuses what a service cannot even ask about, such as a resource below a team when the team of c is unknown.
// It tells the audit and returns the same [fault.Denied] error as [Authorize].
func (g *Guard) Deny(ctx context.Context, operation string, c Candidate, resource string, rule Rule) error {
	return g.deny(ctx, Decision{Candidate: c, Resource: resource, Operation: operation, Rule: rule})
}

func (g *Guard) deny(ctx context.Context, d Decision) error {
	if g != nil && g.Audit != nil {
		d.Run = ActingOf(ctx).Run
		g.Audit(ctx, d)
	}
	return &fault.Error{Op: d.Operation, Resource: d.Resource, Kind: fault.Denied, Err: errDenied}
}

var errDenied = fault.Newf(fault.Denied, "Access Denied")

func levelOf[L Level]() (Rights, string) {
	var l L
	switch any(l).(type) {
	case Read:
		return RightRead, "read"
	case Write:
		return RightWrite, "write"
	}
	return RightOwner, "owner"
}

func decide(ctx context.Context, g *Guard, c Candidate, resource string, acl *ACL, need Rights) Rule {
	if c.IsZero() || resource == "" {
		return BadRequest
	}
	if acl.Empty() {
		return NoACL
	}
	if acl.hash == PlainID {
		return PlainHash
	}
	own := acl.Rights(c)
	switch {
	case own&need != 0:
		return ByExact
	case own&RightOwner != 0:
		return ByOwner
	}
	if acl.rightsOf(RolePublic, publicID)&need != 0 {
		return ByPublic
	}
	if g == nil || g.Directory == nil || !acl.HasRole(RoleTeam) || c.role == RolePublic {
		return ByDefault
	}
	id, err := g.Directory.TeamOf(ctx, c)
	if err != nil {
		return NoTeam
	}
	if ValidID(id) != nil {
		return NoTeam
	}
	rights := acl.rightsOf(RoleTeam, id)
	switch {
	case rights&need != 0:
		return ByTeam
	case rights&RightOwner != 0:
		return ByTeamOwner
	}
	return ByDefault
}
