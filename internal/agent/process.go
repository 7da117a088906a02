package agent

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/sre-go/sre/internal/engine"
)

// ProcessState says what a process is doing.
type ProcessState uint8

// The states of a process.
const (
	Running ProcessState = iota
	Paused
	Ended
)

func (s ProcessState) String() string { return [...]string{"running", "paused", "ended"}[s] }

// Process is a run that is steered from outside: it can be paused, let go on and killed. It is safe for concurrent use.
type Process struct {
	agent   *Agent
	id      string
	path    string
	started time.Time
	cancel  context.CancelCauseFunc
	done    chan struct{}
	gate    gate

	response Response // once done is closed
	err      error
}

// Start answers a request as a process of its own. It ends when the request is answered, when it is killed, or when ctx
// ends; whoever starts a process waits for it.
func (a *Agent) Start(ctx context.Context, req Request) *Process {
	ctx, cancel := context.WithCancelCause(ctx)
	e := a.manager.cfg.Effects
	p := &Process{agent: a, id: e.NewID(), path: req.Path, started: e.Now(), cancel: cancel, done: make(chan struct{})}
	p.gate.open = make(chan struct{})
	close(p.gate.open)
	req.Gate = &p.gate
	a.processes.add(p)
	go func() {
		defer cancel(nil)
		p.response, p.err = a.Run(ctx, req)
		a.processes.remove(p)
		close(p.done)
	}()
	return p
}

// ID returns the id of the process.
func (p *Process) ID() string { return p.id }

// Path returns the path of the request it answers.
func (p *Process) Path() string { return p.path }

// Started returns when it was started.
func (p *Process) Started() time.Time { return p.started }

// Wait waits for the end of the process and returns its answer.
func (p *Process) Wait() (Response, error) {
	<-p.done
	return p.response, p.err
}

// Kill ends the process: the components that run are cancelled, and its answer is an error with the reason. An empty
// reason is "kill".
func (p *Process) Kill(reason string) {
	if reason == "" {
		reason = "kill"
	}
	p.cancel(&engine.KilledError{Reason: reason})
}

// Pause holds the process at its next superstep. Components that run come to their end.
func (p *Process) Pause() { p.gate.shut() }

// Resume lets a paused process go on.
func (p *Process) Resume() { p.gate.release() }

// State returns what the process is doing.
func (p *Process) State() ProcessState {
	select {
	case <-p.done:
		return Ended
	default:
	}
	if p.gate.isShut() {
		return Paused
	}
	return Running
}

// gate holds a run between supersteps while it is shut.
type gate struct {
	mu     sync.Mutex
	closed bool
	open   chan struct{} // closed when the gate is open
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.closed, g.open = true, make(chan struct{})
	}
}

func (g *gate) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		g.closed = false
		close(g.open)
	}
}

func (g *gate) isShut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// Pass waits until the gate is open.
func (g *gate) Pass(ctx context.Context) error {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	select {
	case <-open:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// processes are the processes of an agent that run.
type processes struct {
	mu   sync.Mutex
	list []*Process
}

func (ps *processes) add(p *Process) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.list = append(ps.list, p)
}

func (ps *processes) remove(p *Process) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.list = slices.DeleteFunc(ps.list, func(q *Process) bool { return q == p })
}

// Processes returns the processes of the agent that run, the oldest first.
func (a *Agent) Processes() []*Process {
	a.processes.mu.Lock()
	defer a.processes.mu.Unlock()
	return slices.Clone(a.processes.list)
}
