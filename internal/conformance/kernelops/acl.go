package kernelops

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/aclform"
	"github.com/sre-go/sre/value"
)

// candidate returns a candidate in the notation of the reference, which writes the public without an id.
func candidate(text string) (value.Value, error) {
	c, err := access.Parse(text)
	if err != nil {
		return value.Value{}, err
	}
	id := c.ID()
	if c.Role() == access.RolePublic {
		id = ""
	}
	return value.Obj(value.M("role", value.Of(c.Role().String())), value.M("id", value.Of(id)),
		value.M("string", value.Of("AC:R["+c.Role().String()+"]:ID["+id+"]"))), nil
}

// ACL makes the ACL of an op, {hash, grants} or {serialized}.
func ACL(f value.Value) (*access.ACL, error) { return build(f) }

// build makes the ACL of an op. Without a hash it has that of the reference, so that stored forms can be compared;
// what this runtime makes for itself has SHA-256.
func build(f value.Value) (*access.ACL, error) {
	if stored, ok := f.Get("serialized").Str(); ok {
		return access.ParseACL(stored)
	}
	hash := access.Legacy
	if named, ok := f.Get("hash").Str(); ok {
		hash = access.Hash(named)
	}
	acl, err := access.NewACLWithHash(hash)
	if err != nil {
		return nil, err
	}
	for _, grant := range f.Get("grants").Items() {
		name := grant.GetString("role")
		if name != "public" {
			name += ":" + grant.GetString("id")
		}
		c, err := access.Parse(name)
		if err != nil {
			return nil, err
		}
		rights, err := rightsOf(grant.Get("level"))
		if err != nil {
			return nil, err
		}
		acl = acl.With(c, rights)
	}
	return acl, nil
}

func buildACL(f value.Value) (value.Value, error) {
	acl, err := build(f)
	if err != nil {
		return value.Value{}, err
	}
	return value.Obj(value.M("serialized", value.Of(acl.String())), value.M("acl", aclform.Value(acl))), nil
}

func parseACL(stored string) (value.Value, error) {
	acl, err := access.ParseACL(stored)
	if err != nil {
		return value.Value{}, err
	}
	return value.Obj(value.M("acl", aclform.Value(acl)), value.M("reserialized", value.Of(acl.String()))), nil
}

// levelsOf returns the names of a level, or of a list of levels.
func levelsOf(v value.Value) []string {
	if !v.IsArray() {
		return []string{v.Plain()}
	}
	names := make([]string, v.Len())
	for i, item := range v.Items() {
		names[i] = item.Plain()
	}
	return names
}

func rightsOf(v value.Value) (access.Rights, error) {
	var rights access.Rights
	for _, name := range levelsOf(v) {
		switch name {
		case "read":
			rights |= access.RightRead
		case "write":
			rights |= access.RightWrite
		case "owner":
			rights |= access.RightOwner
		case "none":
			rights |= access.RightNone
		default:
			return 0, fault.Newf(fault.Invalid, "unknown level %q", name)
		}
	}
	return rights, nil
}

// exactAccess tells whether the candidate's own entry has all levels. To ask for no level is to be denied.
func exactAccess(f value.Value) (value.Value, error) {
	acl, err := build(f)
	if err != nil {
		return value.Value{}, err
	}
	c, err := access.Parse(f.GetString("candidate"))
	if err != nil {
		return value.Value{}, err
	}
	need, err := rightsOf(f.Get("level"))
	if err != nil {
		return value.Value{}, err
	}
	return value.OfBool(need != 0 && acl.Rights(c)&need == need), nil
}

// access tells whether the candidate is granted all levels. To ask for no level is to be denied.
func (o *Ops) access(ctx context.Context, f value.Value) (value.Value, error) {
	acl, err := build(f)
	if err != nil {
		return value.Value{}, err
	}
	c, err := access.Parse(f.GetString("candidate"))
	if err != nil {
		return value.Value{}, err
	}
	guard := &access.Guard{Directory: accounts{o.env.Accounts}}
	levels := levelsOf(f.Get("level"))
	for _, level := range levels {
		var err error
		switch level {
		case "read":
			_, err = access.Authorize[access.Read](ctx, guard, "conformance.read", c, "resource", acl)
		case "write":
			_, err = access.Authorize[access.Write](ctx, guard, "conformance.write", c, "resource", acl)
		case "owner":
			_, err = access.Authorize[access.Owner](ctx, guard, "conformance.own", c, "resource", acl)
		default:
			err = fault.Newf(fault.Denied, "no level %q can be granted", level)
		}
		if fault.Is(err, fault.Denied) {
			return value.OfBool(false), nil
		}
		if err != nil {
			return value.Value{}, err
		}
	}
	return value.OfBool(len(levels) > 0), nil
}

// accounts is a directory of the teams in the environment of a case.
type accounts struct{ teams value.Value }

// TeamOf returns the team that lists the candidate. Whoever is listed nowhere has none.
func (a accounts) TeamOf(_ context.Context, c access.Candidate) (string, error) {
	if c.Role() == access.RoleTeam {
		return c.ID(), nil
	}
	list := "users"
	if c.Role() == access.RoleAgent {
		list = "agents"
	}
	for _, team := range a.teams.Members() {
		if team.Value.Get(list).Has(c.ID()) {
			return team.Key, nil
		}
	}
	return "", fault.Newf(fault.NotFound, "%s is in no team", c)
}

var _ access.Directory = accounts{}
