// Package agent is the process table: loaded agents and their runs.
//
// An [Agent] is a program that was compiled once and belongs to a candidate; each
// request it answers is a run of its own, and any number of them go on at once.
// This package turns a request into a run: it finds the endpoint, binds the
// agent's rights, resolves its variables, and keeps what outlives a single run:
// background jobs, debug sessions, and calls from one agent to another.
package agent

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/workflow"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/secret"
)

// Config is what a Manager works with.
type Config struct {
	Services   *connector.Services
	Components []component.Definition
	Effects    effect.Source
	Limits     limits.Limits
	// Teams says which team an agent belongs to. Nil means nobody belongs to one.
	Teams access.Directory
	// Secret reads a key of the vault as a candidate. Nil means there is no vault.
	Secret func(ctx context.Context, as scope.Scope, key string) (secret.Value, error)
	// Secrets remembers what teams were handed from the vault; it is taken out of what watchers of runs see. Nil takes
	// nothing out.
	Secrets *secret.Registry
	// Sessions keeps debug sessions between their requests. Nil means agents cannot be debugged.
	Sessions SessionStore
	// HTTP is the way out for components.
	HTTP *http.Client
	// Find reads an agent that is not loaded, as a candidate who asks for it. Nil means there are only loaded agents.
	Find func(ctx context.Context, as scope.Scope, id, version string) (*agentfile.Document, error)
	// Tokens counts the tokens of a text. Nil takes four bytes for one.
	Tokens func(text string) int
	// Converse holds a conversation of a component. Nil means that components cannot.
	Converse func(ctx context.Context, t Talk) (string, error)
	// Bound returns the context of a run of an agent: with what it may use, and with an end when it may take so long only.
	// Nil bounds nothing.
	Bound func(ctx context.Context, agent, team string) (context.Context, context.CancelFunc)
	// Use is put around every component call of every run.
	Use []engine.Middleware
	// Trace, when set, sees every run before it starts and may add to its job: a journal, a checkpoint, a meter.
	Trace func(*engine.Job)
	// ComponentLogs keeps the log lines of components for debug sessions.
	ComponentLogs bool
	// CountPerComponent ends a run when one component was called more often than the circular limit, as the
	// reference does, instead of when one path came back to it that often.
	CountPerComponent bool
}

// Manager holds the loaded agents of a runtime. It is safe for concurrent use.
type Manager struct {
	cfg   Config
	types map[string]component.Definition
	names []string

	mu     sync.RWMutex
	agents map[string]*Agent
	closed bool
}

// NewManager returns a manager without agents.
func NewManager(cfg Config) *Manager {
	m := &Manager{cfg: cfg, types: make(map[string]component.Definition), agents: make(map[string]*Agent)}
	for _, d := range cfg.Components {
		m.types[d.Name] = d
		m.names = append(m.names, d.Name)
		if d.Alias != "" {
			m.types[d.Alias] = d
		}
	}
	slices.Sort(m.names)
	return m
}

// Options say who an agent is. None of it is taken from its file.
type Options struct {
	// ID of the agent: letters, digits and hyphens. Empty means the id in the file, or a new one when it has none.
	ID string
	// Private keeps the agent out of the table: it cannot be called by id.
	Private bool
}

// Compile compiles a document with the component types of the manager, without loading it.
func (m *Manager) Compile(doc *agentfile.Document) *workflow.Plan {
	return workflow.Compile(doc, m.find, workflow.Options{
		Limits: workflow.Limits{
			Circular: m.cfg.Limits.Circular, Steps: m.cfg.Limits.Steps, Calls: m.cfg.Limits.Steps * 100, Items: m.cfg.Limits.Items,
		},
		PerComponent: m.cfg.CountPerComponent,
	})
}

// Problems returns everything that is wrong with a document.
func (m *Manager) Problems(doc *agentfile.Document) agentfile.Problems {
	return m.Compile(doc).Problems(m.names)
}

// Bounds are the bounds of agent files.
func (m *Manager) Bounds() agentfile.Bounds {
	l := m.cfg.Limits
	return agentfile.Bounds{Bytes: l.SmythBytes, Components: l.SmythComponents, Depth: l.JSONDepth, Values: l.JSONValues}
}

func (m *Manager) find(name string) (component.Definition, bool) {
	d, ok := m.types[name]
	return d, ok
}

// Load makes an agent of a document. The error is [fault.Conflict] when the id is taken.
func (m *Manager) Load(ctx context.Context, doc *agentfile.Document, opts Options) (*Agent, error) {
	id := opts.ID
	if id == "" {
		id = doc.ID
	}
	if id == "" {
		id = "tmp-" + m.cfg.Effects.NewID()
	}
	candidate, err := access.Agent(id)
	if err != nil {
		return nil, fault.Hint(err, "give the agent an id of letters, digits and hyphens")
	}
	a := m.newAgent(ctx, id, candidate, doc)
	if opts.Private {
		return a, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, &fault.Error{Op: "agent.load", Resource: id, Kind: fault.Unavailable, Hint: "the runtime is shutting down"}
	}
	if _, taken := m.agents[id]; taken {
		return nil, fault.Hint(fault.Newf(fault.Conflict, "an agent with the id %q is loaded already", id), "change the id in one of the files")
	}
	m.agents[id] = a
	return a, nil
}

// Replace is Load for a document whose agent may be loaded already: requests from now on are answered by the new one.
// Runs under way go on with the program they started with; background jobs and what was used pass on to the new agent.
func (m *Manager) Replace(ctx context.Context, doc *agentfile.Document, opts Options) (*Agent, error) {
	opts.Private = true
	a, err := m.Load(ctx, doc, opts)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, &fault.Error{Op: "agent.load", Resource: a.id, Kind: fault.Unavailable, Hint: "the runtime is shutting down"}
	}
	if before, ok := m.agents[a.id]; ok {
		a.jobs, a.usage = before.jobs, before.usage
	}
	m.agents[a.id] = a
	return a, nil
}

func (m *Manager) newAgent(ctx context.Context, id string, candidate access.Candidate, doc *agentfile.Document) *Agent {
	a := &Agent{
		manager: m, id: id, doc: doc, program: engine.NewProgram(m.Compile(doc)),
		scope: scope.New(m.cfg.Services, candidate),
	}
	if m.cfg.Teams != nil {
		a.team, _ = m.cfg.Teams.TeamOf(ctx, candidate) // unknown: the agent has no team and reaches nothing shared
	}
	a.variables = newVariables(doc.Variables)
	a.jobs, a.usage = newJobs(a), &usage{}
	a.sessions = newSessions(a)
	return a
}

// Agent returns a loaded agent by id.
func (m *Manager) Agent(id string) (*Agent, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	a, ok := m.agents[id]
	return a, ok
}

// Reach returns an agent by id: a loaded one, or one that is found and loaded on behalf of as. An agent that may not be
// seen and one that does not exist give the same error.
func (m *Manager) Reach(ctx context.Context, as scope.Scope, id, version string) (*Agent, error) {
	if a, ok := m.Agent(id); ok {
		return a, nil
	}
	if m.cfg.Find == nil {
		return nil, errNoAgent(id)
	}
	doc, err := m.cfg.Find(ctx, as, id, version)
	if err != nil {
		if fault.Is(err, fault.Denied) || fault.Is(err, fault.NotFound) {
			return nil, errNoAgent(id)
		}
		return nil, err
	}
	a, err := m.Load(ctx, doc, Options{ID: id})
	if fault.Is(err, fault.Conflict) { // somebody else was faster
		if a, ok := m.Agent(id); ok {
			return a, nil
		}
	}
	return a, err
}

func errNoAgent(id string) error {
	err := fault.Newf(fault.NotFound, "there is no agent %q that this agent may call", id)
	return fault.Hint(err, "load it beside this one, in the same team")
}

// Agents returns the loaded agents by id.
func (m *Manager) Agents() []*Agent {
	m.mu.RLock()
	defer m.mu.RUnlock()
	list := make([]*Agent, 0, len(m.agents))
	for _, a := range m.agents {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b *Agent) int { return compare(a.id, b.id) })
	return list
}

// Close ends the background jobs of all agents and waits for them, at most until ctx ends.
func (m *Manager) Close(ctx context.Context) error {
	m.mu.Lock()
	m.closed = true
	agents := m.agents
	m.agents = map[string]*Agent{}
	m.mu.Unlock()
	var first error
	for _, a := range agents {
		if err := a.Close(ctx); err != nil && first == nil {
			first = err
		}
	}
	return first
}
