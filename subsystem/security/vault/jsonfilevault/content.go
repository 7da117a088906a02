package jsonfilevault

import (
	"slices"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// content is one state of the file. It does not change.
type content struct {
	teams map[string]*section
}

// section is the entries of one team.
type section struct {
	acl   *access.ACL // the team reads
	names []string    // in the order of the file
	texts map[string]string
}

// parse reads the file. Its errors name teams and positions, never what is stored. Members that are no text are no
// secrets and are left out.
func parse(text []byte) (*content, error) {
	v, err := value.Decode(text, value.Limits{})
	if err != nil {
		return nil, err
	}
	if !v.IsObject() {
		return nil, fault.Newf(fault.Invalid, "the vault file holds a %s, not an object of teams", v.Kind())
	}
	if encrypted(v) {
		return nil, fault.Hint(fault.Newf(fault.Unsupported, "the vault file is encrypted"), "store it in the clear and keep it readable to this user only")
	}
	c := &content{teams: make(map[string]*section, v.Len())}
	for _, m := range v.Members() {
		team, err := access.Team(m.Key)
		if err != nil {
			return nil, fault.Newf(fault.Invalid, "vault file: team %q: %w", m.Key, err)
		}
		if !m.Value.IsObject() {
			return nil, fault.Newf(fault.Invalid, "vault file: team %s is a %s, not an object of keys", m.Key, m.Value.Kind())
		}
		s := &section{acl: access.NewACL().With(team, access.RightRead), texts: make(map[string]string, m.Value.Len())}
		for _, entry := range m.Value.Members() {
			if text, ok := entry.Value.Str(); ok && entry.Key != "" {
				s.names = append(s.names, entry.Key)
				s.texts[entry.Key] = text
			}
		}
		c.teams[m.Key] = s
	}
	return c, nil
}

// encrypted recognises the form that other tools give an encrypted vault.
func encrypted(v value.Value) bool {
	_, data := v.Get("data").Str()
	return data && v.Has("encrypted") && v.Has("algorithm")
}

// find returns an entry of the team, else of the shared one, and whose it is.
func (c *content) find(team, shared, key string) (text, owner string, ok bool) {
	for _, owner := range [...]string{team, shared} {
		if s := c.teams[owner]; s != nil {
			if text, ok := s.texts[key]; ok {
				return text, owner, true
			}
		}
	}
	return "", "", false
}

func (c *content) keys(team, shared string) []string {
	s := c.teams[team]
	if s == nil {
		s = c.teams[shared]
	}
	if s == nil {
		return nil
	}
	return slices.Clone(s.names)
}

// acl lets the team read; it is made once for the teams of the file.
func (c *content) acl(team string) (*access.ACL, error) {
	if s := c.teams[team]; s != nil {
		return s.acl, nil
	}
	owner, err := access.Team(team)
	if err != nil {
		return nil, err
	}
	return access.NewACL().With(owner, access.RightRead), nil
}
