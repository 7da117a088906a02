// Package localagentdata reads agents from two folders: one of agents under development, one of deployed ones.
//
// Folders are read when the connector is opened. A file that cannot be read as an
// agent is left out with a warning that says why; it cannot keep others from
// being served.
package localagentdata

import (
	"context"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/subsystem/agent/agentdata"
	"github.com/sre-go/sre/value"
)

// Settings of the connector.
type Settings struct {
	DevDir  string `json:"devDir" sre:"required" doc:"Folder of the agents under development: below the data folder, or an absolute path."`
	ProdDir string `json:"prodDir" sre:"required" doc:"Folder of the deployed agents; any version of an agent is looked up here."`
}

// Definition is the connector as configuration names it.
var Definition = connector.Define(agentdata.Kind, "LocalAgentData", "Agents from two folders of agent files.", open).
	WithDoc("Every file that ends in `.smyth` directly in one of the folders is an agent; its id is the one in the file, or the " +
		"name of the file when it has none.")

type agents struct {
	dev, prod map[string]agentdata.Agent
}

func open(_ context.Context, env connector.Env, s Settings) (agentdata.Connector, error) {
	dev, err := read(env.Log, place(env.Dir, s.DevDir))
	if err != nil {
		return nil, fault.Hint(err, "make the folder that devDir names")
	}
	prod, err := read(env.Log, place(env.Dir, s.ProdDir))
	if err != nil {
		return nil, fault.Hint(err, "make the folder that prodDir names")
	}
	return &agents{dev: dev, prod: prod}, nil
}

func place(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// read reads the agents of a folder by id.
func read(log *slog.Logger, dir string) (map[string]agentdata.Agent, error) {
	names, err := disk.Names(dir)
	if err != nil {
		return nil, err
	}
	found := map[string]agentdata.Agent{}
	for _, name := range names {
		base, ok := strings.CutSuffix(name, ".smyth")
		if !ok {
			continue
		}
		a, err := readFile(filepath.Join(dir, name), base)
		if _, taken := found[a.ID]; err == nil && taken {
			err = fault.Newf(fault.Conflict, "another file has the agent id %q", a.ID)
		}
		if err != nil {
			log.Warn("agent file left out", "file", name, "reason", err.Error())
			continue
		}
		found[a.ID] = a
	}
	return found, nil
}

func readFile(path, base string) (agentdata.Agent, error) {
	l := limits.Default()
	text, err := disk.ReadFile(path, int64(l.SmythBytes))
	if err != nil {
		return agentdata.Agent{}, err
	}
	doc, err := agentfile.Parse(text, agentfile.Bounds{Bytes: l.SmythBytes, Components: l.SmythComponents, Depth: l.JSONDepth, Values: l.JSONValues})
	if err != nil {
		return agentdata.Agent{}, err
	}
	id := doc.ID
	if id == "" {
		id = base
	}
	if err := access.ValidID(id); err != nil {
		return agentdata.Agent{}, err
	}
	settings := doc.Settings
	if !settings.IsObject() {
		settings = value.Obj()
	}
	return agentdata.Agent{ID: id, Version: doc.AgentVersion, Data: doc.Raw, Settings: settings}, nil
}

// Get returns an agent: of the folder of development for "", else of the deployed ones.
func (a *agents) Get(_ context.Context, g access.Grant[access.Read], version string) (agentdata.Agent, error) {
	from := a.dev
	if version != "" {
		from = a.prod
	}
	found, ok := from[g.Resource()]
	if !ok {
		return found, fault.Newf(fault.NotFound, "there is no file of this agent")
	}
	found.Version = version
	return found, nil
}

// Deployed reports whether an agent is in the folder of deployed ones.
func (a *agents) Deployed(_ context.Context, g access.Grant[access.Read]) (bool, error) {
	_, ok := a.prod[g.Resource()]
	return ok, nil
}

// IDs returns the ids of all agents, sorted.
func (a *agents) IDs(context.Context) ([]string, error) {
	all := maps.Clone(a.dev)
	maps.Copy(all, a.prod)
	return slices.Sorted(maps.Keys(all)), nil
}
