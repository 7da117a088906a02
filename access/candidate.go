// Package access decides who may do what to which resource.
//
// It is pure: it reads no file and calls no service but the [Directory] it is
// given. A connector's operations take a [Grant] in place of a candidate and a
// resource name, a Grant can only come from [Authorize], and its level is in
// its type; so an operation without a check does not compile.
package access

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"github.com/sre-go/sre/fault"
)

// Role is what kind of principal a candidate is.
type Role uint8

// The roles. Nobody is the zero Role and is always refused.
const (
	Nobody Role = iota
	RoleAgent
	RoleUser
	RoleTeam
	RolePublic
)

// String returns the name of the role as the reference writes it.
func (r Role) String() string {
	switch r {
	case RoleAgent:
		return "agent"
	case RoleUser:
		return "user"
	case RoleTeam:
		return "team"
	case RolePublic:
		return "public"
	}
	return "nobody"
}

// MaxIDLength bounds the id of a candidate, in bytes.
const MaxIDLength = 128

// publicID is what an ACL stores for the public, hashed like any id.
const publicID = "public"

// Candidate is who asks: an agent, a user, a team or the public.
// It is immutable and comparable; the zero Candidate is nobody.
type Candidate struct {
	id     string
	digest string // lower-case hex SHA-256 of the id
	legacy string // lower-case hex XXH64 of the id, as stored by the reference
	role   Role
}

// Agent returns the candidate for an agent id.
func Agent(id string) (Candidate, error) { return newCandidate(RoleAgent, id) }

// User returns the candidate for a user id.
func User(id string) (Candidate, error) { return newCandidate(RoleUser, id) }

// Team returns the candidate for a team id.
func Team(id string) (Candidate, error) { return newCandidate(RoleTeam, id) }

// Public returns the candidate for a caller without identity.
func Public() Candidate { return identify(RolePublic, publicID) }

// Parse reads the form "role:id", or "public".
func Parse(text string) (Candidate, error) {
	if text == "public" {
		return Public(), nil
	}
	for _, r := range []Role{RoleAgent, RoleUser, RoleTeam} {
		if n := len(r.String()); len(text) > n && text[:n] == r.String() && text[n] == ':' {
			return newCandidate(r, text[n+1:])
		}
	}
	return Candidate{}, fault.Newf(fault.Invalid, "%q is no candidate; write agent:ID, user:ID, team:ID or public", text)
}

func newCandidate(role Role, id string) (Candidate, error) {
	if err := ValidID(id); err != nil {
		return Candidate{}, err
	}
	return identify(role, id), nil
}

func identify(role Role, id string) Candidate {
	sum := sha256.Sum256([]byte(id))
	return Candidate{role: role, id: id, digest: hex.EncodeToString(sum[:]), legacy: strconv.FormatUint(xxhash.Sum64String(id), 16)}
}

// ValidID checks that id may name a principal: letters, digits and hyphens, 1 to [MaxIDLength] of them,
// and not a word that has a meaning of its own to JavaScript programs that share the data.
func ValidID(id string) error {
	switch {
	case id == "":
		return fault.Newf(fault.Invalid, "an id of a candidate must not be empty")
	case len(id) > MaxIDLength:
		return fault.Newf(fault.Invalid, "an id of a candidate has at most %d characters, this one has %d", MaxIDLength, len(id))
	case id == "constructor" || id == "prototype":
		return fault.Newf(fault.Invalid, "%q is reserved and cannot be the id of a candidate", id)
	}
	for i := range len(id) {
		c := id[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' {
			continue
		}
		quoted := strconv.Quote(id) // escapes what does not print; the text of the message has no quotes of its own
		return fault.Newf(fault.Invalid, "Access Candidate ID can only contain alphanumeric characters and hyphens, invalid id: %s", quoted[1:len(quoted)-1])
	}
	return nil
}

// Role returns the role.
func (c Candidate) Role() Role { return c.role }

// ID returns the id; "public" for the public, "" for nobody.
func (c Candidate) ID() string { return c.id }

// IsZero reports whether c is nobody.
func (c Candidate) IsZero() bool { return c.role == Nobody }

// String returns "role:id", or "public".
func (c Candidate) String() string {
	if c.role == RolePublic || c.role == Nobody {
		return c.role.String()
	}
	return c.role.String() + ":" + c.id
}
