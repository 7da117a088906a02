// Package nullmanagedvault is a managed vault that keeps nothing, for programs whose agents hold no tokens.
package nullmanagedvault

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/managedvault"
)

// Settings of the connector: there are none.
type Settings struct{}

// Definition is the connector as configuration names it.
var Definition = connector.Define(managedvault.Kind, "NullManagedVault", "Keeps no token.", open).
	WithDoc("No entry is there, and nobody may store one.")

type empty struct{}

func open(context.Context, connector.Env, Settings) (managedvault.Connector, error) {
	return empty{}, nil
}

// ACL lets a team look, and nobody write.
func (empty) ACL(_ context.Context, resource string) (*access.ACL, error) {
	id, _ := managedvault.Split(resource)
	team, err := access.Team(id)
	if err != nil {
		return nil, err
	}
	return access.NewACL().With(team, access.RightRead), nil
}

// Get finds nothing.
func (empty) Get(context.Context, access.Grant[access.Read]) (secret.Value, error) {
	return secret.Value{}, fault.Newf(fault.NotFound, "there is no such entry")
}

// Set is never reached: nobody is granted it.
func (empty) Set(_ context.Context, g access.Grant[access.Write], _ secret.Value) error {
	return fault.Newf(fault.Unsupported, "%s cannot be stored", g.Resource())
}

// Delete is never reached: nobody is granted it.
func (empty) Delete(_ context.Context, g access.Grant[access.Write]) error {
	return fault.Newf(fault.Unsupported, "%s cannot be deleted", g.Resource())
}

var _ managedvault.Connector = empty{}
