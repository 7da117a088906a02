// Package ephemeralagentdata keeps agents in memory: for programs that make them, and for tests.
package ephemeralagentdata

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/agent/agentdata"
)

// Settings of the connector; it has none.
type Settings struct{}

// Definition is the connector as configuration names it.
var Definition = connector.Define(agentdata.Kind, "Ephemeral", "Agents in memory, gone with the process.", open)

type agents struct {
	mu   sync.RWMutex
	byID map[string]map[string]agentdata.Agent // by id and version
}

var _ agentdata.Writer = (*agents)(nil)

func open(context.Context, connector.Env, Settings) (agentdata.Connector, error) {
	return &agents{byID: map[string]map[string]agentdata.Agent{}}, nil
}

// Get returns an agent.
func (a *agents) Get(_ context.Context, g access.Grant[access.Read], version string) (agentdata.Agent, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	found, ok := a.byID[g.Resource()][version]
	if !ok {
		return found, fault.Newf(fault.NotFound, "there is no such version of the agent")
	}
	return found, nil
}

// Deployed reports whether there is a version with a name.
func (a *agents) Deployed(_ context.Context, g access.Grant[access.Read]) (bool, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for version := range a.byID[g.Resource()] {
		if version != "" {
			return true, nil
		}
	}
	return false, nil
}

// IDs returns the ids of all agents, sorted.
func (a *agents) IDs(context.Context) ([]string, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.Sorted(maps.Keys(a.byID)), nil
}

// Put stores an agent.
func (a *agents) Put(_ context.Context, g access.Grant[access.Write], agent agentdata.Agent) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	versions := a.byID[g.Resource()]
	if versions == nil {
		versions = map[string]agentdata.Agent{}
		a.byID[g.Resource()] = versions
	}
	agent.ID = g.Resource()
	versions[agent.Version] = agent
	return nil
}
