package agent

import (
	"context"
	"sync"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/workflow"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/value"
)

// SessionStore keeps the states of debug sessions, for each agent apart.
type SessionStore interface {
	// Load returns what was saved under the key; ok is false when there is nothing.
	Load(ctx context.Context, as scope.Scope, key string) (text string, ok bool, err error)
	// Save keeps a text for at least a while and at most ttl.
	Save(ctx context.Context, as scope.Scope, key, text string, ttl time.Duration) error
}

const (
	sessionTTL = 3 * time.Hour   // of a session that goes on
	closedTTL  = 5 * time.Minute // of a session that ended, so that its last state can be read
)

// sessions are the debug sessions of an agent. Steps of one session follow each other, those of others do not wait.
type sessions struct {
	agent *Agent

	mu   sync.Mutex
	busy map[string]*turn
}

// turn is the queue of one session.
type turn struct {
	mu    sync.Mutex
	users int
}

func newSessions(a *Agent) *sessions { return &sessions{agent: a, busy: map[string]*turn{}} }

// lock waits for the turn of a session and returns the function that ends it.
func (s *sessions) lock(id string) (unlock func()) {
	s.mu.Lock()
	t := s.busy[id]
	if t == nil {
		t = &turn{}
		s.busy[id] = t
	}
	t.users++
	s.mu.Unlock()
	t.mu.Lock()
	return func() {
		t.mu.Unlock()
		s.mu.Lock()
		if t.users--; t.users == 0 {
			delete(s.busy, id)
		}
		s.mu.Unlock()
	}
}

// existing returns the state of a session.
func (s *sessions) existing(ctx context.Context, id string) (*workflow.State, error) {
	store := s.agent.manager.cfg.Sessions
	if store == nil {
		return nil, fault.Hint(fault.Newf(fault.Unsupported, "agents cannot be debugged here"), "configure a Cache")
	}
	text, ok, err := store.Load(ctx, s.agent.scope, key(id))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.Newf(fault.NotFound, "there is no debug session %q", id)
	}
	v, err := value.Parse(text)
	if err != nil {
		return nil, err
	}
	return s.agent.program.Load(v)
}

// load is existing, or a new state when there is no such session.
func (s *sessions) load(ctx context.Context, id string) (*workflow.State, error) {
	state, err := s.existing(ctx, id)
	if fault.Is(err, fault.NotFound) {
		state, err = s.agent.program.NewState(), nil
	}
	if err != nil {
		return nil, err
	}
	state.Debug = true
	return state, nil
}

func (s *sessions) save(ctx context.Context, id string, state *workflow.State) error {
	ttl := sessionTTL
	if !state.Active() {
		ttl = closedTTL
	}
	return s.agent.manager.cfg.Sessions.Save(ctx, s.agent.scope, key(id), s.agent.program.Save(state).JSON(), ttl)
}

func key(id string) string { return "debug:" + id }
