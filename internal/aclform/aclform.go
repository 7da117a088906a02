// Package aclform writes access lists as objects, the form in which files of the TypeScript runtime hold them:
// {hashAlgorithm, entries: {role: {id: [level]}}}.
package aclform

import (
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// names pairs the letters of the stored form of [access.ACL] with the words of the object.
type names [][2]string

func roles() names {
	return names{{"a", "agent"}, {"u", "user"}, {"t", "team"}, {"p", "public"}}
}

func levels() names {
	return names{{"r", "read"}, {"w", "write"}, {"o", "owner"}, {"n", "none"}}
}

// of returns what stands on the other side of a text, "" for a text that is not there.
func (n names) of(text string, from int) string {
	for _, pair := range n {
		if pair[from] == text {
			return pair[1-from]
		}
	}
	return ""
}

// Value returns the object of an access list.
func Value(acl *access.ACL) value.Value {
	byRole := value.NewBuilder(4)
	for part := range strings.SplitSeq(acl.String(), "|") {
		letter, list, _ := strings.Cut(part, ":")
		if letter == "h" {
			continue
		}
		byID := value.NewBuilder(4)
		for item := range strings.SplitSeq(list, ",") {
			id, letters, _ := strings.Cut(item, "/")
			var rights []string
			for _, l := range letters {
				rights = append(rights, levels().of(string(l), 0))
			}
			byID.Set(id, value.Strings(rights))
		}
		byRole.Set(roles().of(letter, 0), byID.Build())
	}
	return value.Obj(value.M("hashAlgorithm", value.Of(string(acl.Hash()))), value.M("entries", byRole.Build()))
}

// Parse reads the object of an access list. It fails closed: an unknown hash, role, level or shape is [fault.Invalid].
func Parse(v value.Value) (*access.ACL, error) {
	entries := v.Get("entries")
	if !v.IsObject() || !entries.IsObject() {
		return nil, fault.Newf(fault.Invalid, "an access list is an object with entries")
	}
	hash := v.GetString("hashAlgorithm")
	if hash == "" {
		hash = string(access.Legacy)
	}
	parts := []string{"h:" + hash}
	for _, role := range entries.Members() {
		letter := roles().of(role.Key, 1)
		if letter == "" || !role.Value.IsObject() {
			return nil, fault.Newf(fault.Invalid, "unknown role %.40q of an access list", role.Key)
		}
		var items []string
		for _, id := range role.Value.Members() {
			item, err := entry(id.Key, id.Value)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		if len(items) > 0 {
			parts = append(parts, letter+":"+strings.Join(items, ","))
		}
	}
	return access.ParseACL(strings.Join(parts, "|"))
}

// entry returns the stored form of what one id may do.
func entry(id string, rights value.Value) (string, error) {
	if id == "" || strings.ContainsAny(id, "|,:/") {
		return "", fault.Newf(fault.Invalid, "unknown id %.40q in an access list", id)
	}
	if !rights.IsArray() {
		return "", fault.Newf(fault.Invalid, "the levels of an id in an access list are a list")
	}
	text := id + "/"
	for _, r := range rights.Items() {
		name, _ := r.Str()
		letter := levels().of(name, 1)
		if letter == "" {
			return "", fault.Newf(fault.Invalid, "unknown level %.40q in an access list", r.Plain())
		}
		text += letter
	}
	return text, nil
}
