package access

import (
	"strings"

	"github.com/sre-go/sre/fault"
)

// letters of the levels in the stored form, in the order of their bits, and of the roles, by role.
const (
	levelLetters = "rwon"
	roleLetters  = "\x00autp"
)

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
		role := Role(max(strings.Index(roleLetters, letter), 0))
		if len(letter) != 1 || role == Nobody {
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
