// Package smythfs reads the addresses by which agents name stored files: smythfs://<id>.<role>/<path>.
//
// There is one reader and it is strict: what has two readings is refused. An
// address gives no rights. Who may read the file is decided by the storage
// service, for the candidate who asks.
package smythfs

import (
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// Scheme begins every address.
const Scheme = "smythfs://"

// URI names a file of a team, an agent or a user. The zero URI names nothing.
type URI struct {
	Owner access.Candidate // a team, an agent or a user
	Path  string           // names separated by slashes, without one at either end
}

// Is reports whether a text claims to be such an address.
func Is(text string) bool { return strings.HasPrefix(text, Scheme) }

// Parse reads an address. Faults are [fault.Invalid].
func Parse(text string) (URI, error) {
	rest, ok := strings.CutPrefix(text, Scheme)
	if !ok {
		return URI{}, invalid(text, "it does not begin with "+Scheme)
	}
	host, path, ok := strings.Cut(rest, "/")
	if !ok {
		return URI{}, invalid(text, "it names no file")
	}
	id, role, ok := strings.Cut(host, ".")
	if !ok {
		return URI{}, invalid(text, "its owner is written like teamA.team")
	}
	owner, err := ownerOf(id, role)
	if err != nil {
		return URI{}, invalid(text, err.Error())
	}
	if strings.ContainsAny(path, "%?#\\:@") {
		return URI{}, invalid(text, "the path holds one of % ? # \\ : @")
	}
	if err := access.ValidName(path); err != nil {
		return URI{}, invalid(text, "the path is no name of a file")
	}
	return URI{Owner: owner, Path: path}, nil
}

func ownerOf(id, role string) (access.Candidate, error) {
	if id == "" {
		return access.Candidate{}, fault.Newf(fault.Invalid, "its owner has no id")
	}
	switch role {
	case "team":
		return access.Team(id)
	case "agent":
		return access.Agent(id)
	case "user":
		return access.User(id)
	}
	return access.Candidate{}, fault.Newf(fault.Invalid, "the role of its owner is team, agent or user")
}

func invalid(text, reason string) error {
	if len(text) > 80 {
		text = text[:80] + "..."
	}
	err := fault.Newf(fault.Invalid, "Invalid Resource URI: %s", reason)
	return &fault.Error{Op: "smythfs.parse", Resource: text, Kind: fault.Invalid, Err: err}
}

// String returns the address.
func (u URI) String() string {
	return Scheme + u.Owner.ID() + "." + u.Owner.Role().String() + "/" + u.Path
}

// Name returns the name of the file in the storage service. team is that of the owner; only the owner's own team names
// a team's files.
func (u URI) Name(team string) string {
	if u.Owner.Role() == access.RoleTeam {
		return "teams/" + u.Owner.ID() + "/" + u.Path
	}
	return "teams/" + team + "." + u.Owner.Role().String() + "/" + u.Owner.ID() + "/" + u.Path
}
