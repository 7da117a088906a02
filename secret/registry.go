package secret

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Registry remembers which secrets a runtime has handed out, by the team they were handed to, so that they can be taken
// out of everything that leaves it. The zero Registry and nil remember nothing yet. It is safe for concurrent use; asking
// it takes no lock unless something was noted since.
type Registry struct {
	operator keep     // what counts for every team
	teams    sync.Map // team -> *keep
	any      atomic.Bool
}

// MaxPerTeam is how many secrets are remembered of one team. Beyond them the one that was noted first is forgotten, until
// it is handed out again: tokens that are renewed all the time must not fill the memory.
const MaxPerTeam = 500

// keep holds the secrets of one team.
type keep struct {
	mu      sync.Mutex           // held to change noted and to build
	noted   atomic.Pointer[list] // replaced, never changed
	current atomic.Pointer[combined]
}

// list is a set of secrets. Two lists are the same when they are one pointer.
type list struct{ texts []string }

// combined is the redactor of two lists.
type combined struct {
	own, operator *list
	redactor      *Redactor
}

// Note remembers a secret that was handed to a team, "" for the operator.
func (r *Registry) Note(team string, v Value) {
	plain := strings.TrimSpace(v.Reveal())
	if r == nil || len(plain) < MinLength {
		return
	}
	k := r.keep(team)
	if k == nil {
		made, _ := r.teams.LoadOrStore(team, new(keep))
		k = made.(*keep)
	}
	if slices.Contains(k.noted.Load().all(), plain) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	known := k.noted.Load().all()
	if slices.Contains(known, plain) {
		return
	}
	known = known[max(0, len(known)+1-MaxPerTeam):]
	k.noted.Store(&list{append(slices.Clone(known), plain)})
	r.any.Store(true)
}

// Empty reports whether nothing was noted yet.
func (r *Registry) Empty() bool { return r == nil || !r.any.Load() }

// For returns what takes the secrets of a team and of the operator out of texts, nil when there are none.
func (r *Registry) For(team string) *Redactor {
	if r.Empty() {
		return nil
	}
	k := r.keep(team)
	if k == nil {
		k = &r.operator
	}
	return k.redactor(&r.operator)
}

// All returns what takes the secrets of every team out, for texts of which nobody knows whose they are. It goes through
// the teams one by one, so it is for a line of a log and not for the data of agents.
func (r *Registry) All() []*Redactor {
	if r.Empty() {
		return nil
	}
	var all []*Redactor
	if one := r.operator.redactor(&r.operator); one != nil {
		all = append(all, one)
	}
	r.teams.Range(func(_, k any) bool {
		all = append(all, k.(*keep).redactor(&r.operator))
		return true
	})
	return all
}

// keep returns the secrets of a team, nil when it never had any.
func (r *Registry) keep(team string) *keep {
	if team == "" {
		return &r.operator
	}
	if k, ok := r.teams.Load(team); ok {
		return k.(*keep)
	}
	return nil
}

// redactor returns the redactor of these secrets and those of the operator. It is built once for each change.
func (k *keep) redactor(operator *keep) *Redactor {
	if c := k.current.Load(); c != nil && c.own == k.noted.Load() && c.operator == operator.noted.Load() {
		return c.redactor
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	c := &combined{own: k.noted.Load(), operator: operator.noted.Load()}
	if last := k.current.Load(); last != nil && last.own == c.own && last.operator == c.operator {
		return last.redactor
	}
	texts := c.own.all()
	if k != operator {
		texts = append(slices.Clone(texts), c.operator.all()...)
	}
	c.redactor = redactorOf(texts)
	k.current.Store(c)
	return c.redactor
}

func (l *list) all() []string {
	if l == nil {
		return nil
	}
	return l.texts
}
