package agent

import (
	"context"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/internal/workflow"
	"github.com/sre-go/sre/scope"
)

// Agent is a loaded agent. It is safe for concurrent use: every request is a run of its own.
type Agent struct {
	manager   *Manager
	id        string
	team      string
	doc       *agentfile.Document
	program   *engine.Program
	scope     scope.Scope
	variables variables
	jobs      *jobs
	sessions  *sessions
	processes processes
	usage     *usage
}

// ID returns the id of the agent.
func (a *Agent) ID() string { return a.id }

// Team returns the team of the agent, "" when it has none.
func (a *Agent) Team() string { return a.team }

// Document returns the file the agent was made from.
func (a *Agent) Document() *agentfile.Document { return a.doc }

// Plan returns the compiled program.
func (a *Agent) Plan() *workflow.Plan { return a.program.Plan }

// Candidate returns who the agent acts as.
func (a *Agent) Candidate() access.Candidate { return a.scope.Candidate() }

// Close ends the background jobs of the agent and waits for them, at most until ctx ends. Runs under way go on.
func (a *Agent) Close(ctx context.Context) error {
	m := a.manager
	m.mu.Lock()
	if m.agents[a.id] == a {
		delete(m.agents, a.id)
	}
	m.mu.Unlock()
	return a.jobs.close(ctx)
}

func compare(a, b string) int { return strings.Compare(a, b) }
