// Package argumentcli holds the arguments that a configuration or a program gives.
package argumentcli

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/io/cli"
)

// Settings of the connector.
type Settings struct {
	Args []string `json:"args" doc:"The arguments, as a shell would give them."`
	Team string   `json:"team" default:"default" doc:"The team whose members may read them."`
}

// Definition is the connector as configuration names it.
var Definition = connector.Define(cli.Kind, "CLI", "The arguments that the configuration gives.", open)

type arguments struct {
	args []string
	acl  *access.ACL
}

func open(_ context.Context, _ connector.Env, s Settings) (cli.Connector, error) {
	team, err := access.Team(s.Team)
	if err != nil {
		return nil, err
	}
	return &arguments{args: s.Args, acl: access.NewACL().With(team, access.RightRead)}, nil
}

// ACL lets the team read.
func (a *arguments) ACL(context.Context) (*access.ACL, error) { return a.acl, nil }

// Arguments returns the arguments.
func (a *arguments) Arguments(context.Context, access.Grant[access.Read]) ([]string, error) {
	return a.args, nil
}
