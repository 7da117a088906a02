// Package nullagentdata holds no agents: for runtimes whose agents are loaded by hand.
package nullagentdata

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/agent/agentdata"
)

// Settings of the connector; it has none.
type Settings struct{}

// Definition is the connector as configuration names it.
var Definition = connector.Define(agentdata.Kind, "NullAgentData", "No agents but those that are loaded by hand.", open)

type nothing struct{}

func open(context.Context, connector.Env, Settings) (agentdata.Connector, error) {
	return nothing{}, nil
}

// Get finds nothing.
func (nothing) Get(context.Context, access.Grant[access.Read], string) (agentdata.Agent, error) {
	return agentdata.Agent{}, fault.Hint(fault.Newf(fault.NotFound, "no agents are kept here"), "configure the connector LocalAgentData for AgentData")
}

// Deployed reports false.
func (nothing) Deployed(context.Context, access.Grant[access.Read]) (bool, error) { return false, nil }

// IDs returns none.
func (nothing) IDs(context.Context) ([]string, error) { return nil, nil }
