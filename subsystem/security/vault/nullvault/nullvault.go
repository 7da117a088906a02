// Package nullvault is a vault without any key, for programs that use no secrets.
package nullvault

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/vault"
)

// Settings of the connector: there are none.
type Settings struct{}

// Definition is the connector as configuration names it.
var Definition = connector.Define(vault.Kind, "NullVault", "Holds no key.", open).
	WithDoc("Every key is refused and the list of keys is empty.")

type empty struct{}

var _ vault.Connector = empty{}

func open(context.Context, connector.Env, Settings) (vault.Connector, error) { return empty{}, nil }

// ACL lets a team see its empty list; no key is there.
func (empty) ACL(_ context.Context, resource string) (*access.ACL, error) {
	team, key := vault.Split(resource)
	if key != "" {
		return nil, nil
	}
	owner, err := access.Team(team)
	if err != nil {
		return nil, err
	}
	return access.NewACL().With(owner, access.RightRead), nil
}

// Get finds nothing.
func (empty) Get(context.Context, access.Grant[access.Read]) (secret.Value, error) {
	return secret.Value{}, fault.Newf(fault.NotFound, "this vault is empty")
}

// List is empty.
func (empty) List(context.Context, access.Grant[access.Read]) ([]string, error) { return nil, nil }
