package access

import (
	"strings"

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
)

// letters of the levels in the stored form.
const levelLetters = "rwon"

// Hash says how an ACL stores ids.
type Hash string

// The ways to store ids. SHA256 is the default. Legacy is XXH64 with seed 0, which the reference calls "xxh3":
// it is understood wherever it is found, but no new ACL is made with it unless asked for by name.
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

// With returns an ACL that also gives c the rights. Nobody gets none.
func (a *ACL) With(c Candidate, rights Rights) *ACL {
	out := a.clone()
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
	if key == "" {
		return 0
	}
	for i := range a.entries {
		if e := &a.entries[i]; e.role == c.role && e.id == key {
			if e.rights&RightNone != 0 {
				return 0
			}
			return e.rights
		}
	}
	return 0
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

// roleLetters of the stored form, by role.
var roleLetters = map[Role]byte{RoleUser: 'u', RoleAgent: 'a', RoleTeam: 't', RolePublic: 'p'}

// String returns the stored form, such as "h:sha256|u:<id>/o|t:<id>/r": the hash, then for each role its ids and
// the letters of their rights (r read, w write, o owner, n none). Roles and ids keep the order they were added in.
func (a *ACL) String() string {
	var b strings.Builder
	b.WriteString("h:")
	b.WriteString(string(a.Hash()))
	if a == nil {
		return b.String()
	}
	var done [RolePublic + 1]bool
	for _, first := range a.entries {
		if done[first.role] {
			continue
		}
		done[first.role] = true
		b.WriteByte('|')
		b.WriteByte(roleLetters[first.role])
		sep := byte(':')
		for _, e := range a.entries {
			if e.role != first.role {
				continue
			}
			b.WriteByte(sep)
			sep = ','
			b.WriteString(e.id)
			b.WriteByte('/')
			for i := range len(levelLetters) {
				if e.rights&(1<<i) != 0 {
					b.WriteByte(levelLetters[i])
				}
			}
		}
	}
	return b.String()
}

// maxStored bounds the stored form of an ACL, in bytes.
const maxStored = 1 << 20

// ParseACL reads the stored form. It fails closed: an unknown hash, role, level or shape is an error, and a caller
// that cannot parse an ACL must deny. A missing hash part means [Legacy], as in the reference.
func ParseACL(text string) (*ACL, error) {
	if len(text) > maxStored {
		return nil, fault.Limitf("acl_bytes", "stored ACL of %d bytes is over the limit of %d", len(text), maxStored)
	}
	acl := &ACL{hash: Legacy}
	var seen [RolePublic + 1]bool
	for i, part := range strings.Split(text, "|") {
		letter, rest, ok := strings.Cut(part, ":")
		if part == "" && text == "" {
			break
		}
		if !ok {
			return nil, fault.Newf(fault.Invalid, "stored ACL: part %q has no ':'", part)
		}
		if letter == "h" {
			if i != 0 {
				return nil, fault.Newf(fault.Invalid, "stored ACL: the hash is named after part %d", i)
			}
			switch Hash(rest) {
			case SHA256, Legacy, PlainID:
				acl.hash = Hash(rest)
			default:
				return nil, fault.Newf(fault.Invalid, "Hash algorithm %s not supported", rest)
			}
			continue
		}
		role := Nobody
		for r, l := range roleLetters {
			if letter == string(l) {
				role = r
			}
		}
		if role == Nobody {
			return nil, fault.Newf(fault.Invalid, "stored ACL: unknown role %q", letter)
		}
		if seen[role] {
			return nil, fault.Newf(fault.Invalid, "stored ACL: role %q appears twice", letter)
		}
		seen[role] = true
		if err := acl.parseEntries(role, rest); err != nil {
			return nil, err
		}
	}
	return acl, nil
}

func (a *ACL) parseEntries(role Role, text string) error {
	ids := make(map[string]bool)
	for _, item := range strings.Split(text, ",") {
		id, levels, ok := strings.Cut(item, "/")
		if !ok || id == "" {
			return fault.Newf(fault.Invalid, "stored ACL: entry %q of role %s is not id/levels", item, role)
		}
		if ids[id] {
			return fault.Newf(fault.Invalid, "stored ACL: id %q appears twice under role %s", id, role)
		}
		ids[id] = true
		var rights Rights
		for i := range len(levels) {
			at := strings.IndexByte(levelLetters, levels[i])
			if at < 0 {
				return fault.Newf(fault.Invalid, "stored ACL: unknown level %q of role %s", levels[i], role)
			}
			rights |= 1 << at
		}
		a.entries = append(a.entries, entry{role, id, rights})
	}
	return nil
}
