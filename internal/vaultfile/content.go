package vaultfile

import (
	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/vault"
	"github.com/sre-go/sre/value"
)

// content is one state of the file. It does not change.
type content struct {
	teams map[string]*section
}

// section is the entries of one team.
type section struct {
	acl     *access.ACL
	names   []string // in the order of the file
	entries map[string]entry
}

// entry is one secret as it was written, bound to its hosts.
type entry struct{ value secret.Value }

// Members of an entry that is an object.
const (
	memberValue = "value"
	memberHosts = "hosts"
)

func decode(plain []byte) (value.Value, error) {
	v, err := value.Decode(plain, value.Limits{})
	if err != nil {
		return value.Value{}, err
	}
	if !v.IsObject() {
		return value.Value{}, fault.Newf(fault.Invalid, "the vault file holds a %s, not an object of teams", v.Kind())
	}
	if foreign(v) {
		return value.Value{}, fault.Hint(fault.Newf(fault.Unsupported, "the vault file is encrypted by another tool"), "decrypt it with that tool, and name the result")
	}
	return v, nil
}

// parse reads the JSON of a vault. Its errors name teams, keys and positions, never what is stored. Members that are no
// secrets are left out.
func parse(plain []byte) (*content, error) {
	v, err := decode(plain)
	if err != nil {
		return nil, err
	}
	return contentOf(v)
}

func contentOf(v value.Value) (*content, error) {
	c := &content{teams: make(map[string]*section, v.Len())}
	for _, m := range v.Members() {
		team, err := access.Team(m.Key)
		if err != nil {
			return nil, fault.Newf(fault.Invalid, "vault file: team %q: %w", m.Key, err)
		}
		if !m.Value.IsObject() {
			return nil, fault.Newf(fault.Invalid, "vault file: team %s is a %s, not an object of keys", m.Key, m.Value.Kind())
		}
		s := &section{acl: rights(team), entries: make(map[string]entry, m.Value.Len())}
		for _, member := range m.Value.Members() {
			e, ok, err := entryOf(member.Value)
			if err != nil {
				return nil, fault.Newf(fault.Invalid, "vault file: key %q of team %s: %w", member.Key, m.Key, err)
			}
			if ok && member.Key != "" {
				s.names = append(s.names, member.Key)
				s.entries[member.Key] = e
			}
		}
		c.teams[m.Key] = s
	}
	return c, nil
}

// entryOf reads a text, or an object of a value and the hosts it may be sent to. A misspelt member would set a secret
// free, so it is refused.
func entryOf(v value.Value) (entry, bool, error) {
	if text, ok := v.Str(); ok {
		return entry{secret.New(text)}, true, nil
	}
	text, ok := v.Get(memberValue).Str()
	if !ok {
		return entry{}, false, nil
	}
	e := entry{secret.New(text)}
	for _, m := range v.Members() {
		switch m.Key {
		case memberValue:
		case memberHosts:
			hosts, err := hostsOf(m.Value)
			if err != nil {
				return entry{}, false, err
			}
			e.value = e.value.For(hosts...)
		default:
			return entry{}, false, schema.UnknownName("member", m.Key, []string{memberValue, memberHosts})
		}
	}
	return e, true, nil
}

func hostsOf(v value.Value) ([]string, error) {
	if !v.IsArray() {
		return nil, fault.Newf(fault.Invalid, "hosts is a %s, not a list", v.Kind())
	}
	var hosts []string
	for _, item := range v.Items() {
		host, ok := item.Str()
		if !ok {
			return nil, fault.Newf(fault.Invalid, "hosts holds a %s, not only texts", item.Kind())
		}
		hosts = append(hosts, host)
	}
	return hosts, vault.CheckHosts(hosts)
}

// valueOf is the form of an entry in the file.
func valueOf(v secret.Value) value.Value {
	hosts := v.Hosts()
	if hosts == nil {
		return value.Of(v.Reveal())
	}
	return value.Obj(value.M(memberValue, value.Of(v.Reveal())), value.M(memberHosts, value.Strings(hosts)))
}

// foreign recognises the form that other tools give an encrypted vault.
func foreign(v value.Value) bool {
	_, data := v.Get("data").Str()
	return data && v.Has("encrypted") && v.Has("algorithm")
}

// find returns an entry of the team, else of the shared one, and whose it is.
func (c *content) find(team, shared, key string) (e entry, owner string, ok bool) {
	for _, owner := range [...]string{team, shared} {
		if s := c.teams[owner]; s != nil {
			if e, ok := s.entries[key]; ok {
				return e, owner, true
			}
		}
	}
	return entry{}, "", false
}

func (c *content) infos(team, shared string) []vault.Info {
	s := c.teams[team]
	if s == nil {
		s = c.teams[shared]
	}
	if s == nil || len(s.names) == 0 {
		return nil
	}
	infos := make([]vault.Info, len(s.names))
	for i, name := range s.names {
		infos[i] = vault.Info{Name: name, Hosts: s.entries[name].value.Hosts()}
	}
	return infos
}

// acl is made once for the teams of the file.
func (c *content) acl(team string) (*access.ACL, error) {
	if s := c.teams[team]; s != nil {
		return s.acl, nil
	}
	owner, err := access.Team(team)
	if err != nil {
		return nil, err
	}
	return rights(owner), nil
}

func rights(team access.Candidate) *access.ACL {
	return access.NewACL().With(team, access.RightRead|access.RightWrite)
}

// Entry is one secret of a vault that is imported.
type Entry struct {
	Team, Name string
	Value      secret.Value
}

// Entries returns the secrets of the JSON of a vault in its order, and how many members are no secrets.
func Entries(plain []byte) (entries []Entry, others int, err error) {
	v, err := decode(plain)
	if err != nil {
		return nil, 0, err
	}
	c, err := contentOf(v)
	if err != nil {
		return nil, 0, err
	}
	for _, m := range v.Members() {
		s := c.teams[m.Key]
		others += m.Value.Len() - len(s.names)
		for _, name := range s.names {
			entries = append(entries, Entry{m.Key, name, s.entries[name].value})
		}
	}
	return entries, others, nil
}
