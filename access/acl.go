package access

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"github.com/sre-go/sre/fault"
)

// Rights is a set of levels.
type Rights uint8

// The levels of a set. RightNone in a stored entry withdraws that entry: it grants nothing.
const (
	RightRead Rights = 1 << iota
	RightWrite
	RightOwner
	RightNone

	allRights = RightRead | RightWrite | RightOwner | RightNone
)

// Hash says how an ACL stores ids.
type Hash string

// The ways to store ids. SHA256 is the default. Legacy is XXH64 with seed 0, which the reference calls "xxh3":
// it is understood wherever it is found, but no new ACL is made with it unless asked for by name. PlainID can be read
// and written, but [Authorize] grants nothing by it: whoever can write such a text by hand can name anybody in it.
const (
	SHA256  Hash = "sha256"
	Legacy  Hash = "xxh3"
	PlainID Hash = "none"
)

// ACL says which candidates have which rights to one resource. It is immutable: With and Revoke return another ACL,
// so one ACL may be read by many goroutines while a successor is stored. The nil ACL grants nothing.
type ACL struct {
	hash    Hash
	entries []entry
}

type entry struct {
	role   Role
	id     string // hashed according to ACL.hash
	rights Rights
}

// NewACL returns an empty ACL that stores ids as SHA-256.
func NewACL() *ACL { return &ACL{hash: SHA256} }

// OwnedBy returns an ACL in which c is the owner.
func OwnedBy(c Candidate) *ACL { return NewACL().With(c, RightOwner) }

// NewACLWithHash returns an empty ACL with a given way to store ids; for reading and writing data of the reference.
func NewACLWithHash(h Hash) (*ACL, error) {
	if h != SHA256 && h != Legacy && h != PlainID {
		return nil, fault.Newf(fault.Invalid, "Hash algorithm %s not supported", h)
	}
	return &ACL{hash: h}, nil
}

func (a *ACL) key(c Candidate) string {
	switch a.hash {
	case Legacy:
		return c.legacy
	case PlainID:
		return c.id
	}
	return c.digest
}

// With returns an ACL that also gives c the rights. Nobody gets none. RightNone withdraws what c has by its own entry.
func (a *ACL) With(c Candidate, rights Rights) *ACL {
	out := a.clone()
	rights &= allRights
	if c.IsZero() || rights == 0 {
		return out
	}
	key := out.key(c)
	for i := range out.entries {
		if out.entries[i].role == c.role && out.entries[i].id == key {
			out.entries[i].rights |= rights
			return out
		}
	}
	out.entries = append(out.entries, entry{c.role, key, rights})
	return out
}

// Revoke returns an ACL without the given rights of c.
func (a *ACL) Revoke(c Candidate, rights Rights) *ACL {
	out := a.clone()
	key := out.key(c)
	kept := out.entries[:0]
	for _, e := range out.entries {
		if e.role == c.role && e.id == key {
			if e.rights &^= rights; e.rights == 0 {
				continue
			}
		}
		kept = append(kept, e)
	}
	out.entries = kept
	return out
}

// Rights returns what exactly this candidate was given, without the public, the team or ownership.
func (a *ACL) Rights(c Candidate) Rights {
	if a == nil || c.IsZero() {
		return 0
	}
	key := a.key(c)
	for i := range a.entries {
		if e := &a.entries[i]; e.role == c.role && e.id == key {
			return e.granted()
		}
	}
	return 0
}

// rightsOf is Rights of the candidate with that role and id, both of them valid. It makes no Candidate, so it does not
// allocate.
func (a *ACL) rightsOf(role Role, id string) Rights {
	if !a.HasRole(role) {
		return 0
	}
	var plain [MaxIDLength]byte
	var key [2 * sha256.Size]byte
	n := copy(plain[:], id)
	hashed := plain[:n]
	switch a.hash {
	case SHA256:
		sum := sha256.Sum256(plain[:n])
		hex.Encode(key[:], sum[:])
		hashed = key[:]
	case Legacy:
		hashed = strconv.AppendUint(key[:0], xxhash.Sum64(plain[:n]), 16)
	}
	for i := range a.entries {
		if e := &a.entries[i]; e.role == role && e.id == string(hashed) {
			return e.granted()
		}
	}
	return 0
}

// granted is what the entry gives: nothing when it is withdrawn.
func (e *entry) granted() Rights {
	if e.rights&RightNone != 0 {
		return 0
	}
	return e.rights
}

// HasRole reports whether any entry names a candidate of that role.
func (a *ACL) HasRole(r Role) bool {
	if a == nil {
		return false
	}
	for i := range a.entries {
		if a.entries[i].role == r {
			return true
		}
	}
	return false
}

// Empty reports whether the ACL grants nothing to anybody.
func (a *ACL) Empty() bool { return a == nil || len(a.entries) == 0 }

// Hash returns how the ACL stores ids.
func (a *ACL) Hash() Hash {
	if a == nil {
		return SHA256
	}
	return a.hash
}

func (a *ACL) clone() *ACL {
	if a == nil {
		return NewACL()
	}
	return &ACL{hash: a.hash, entries: append([]entry(nil), a.entries...)}
}
