package sre

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/budget"
	"github.com/sre-go/sre/internal/hop"
	"github.com/sre-go/sre/internal/ledger"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// budgetSettings bound what one run, or one agent or team on one day, may use of models. 0 is no bound.
type budgetSettings struct {
	Tokens  int     `json:"tokens" doc:"Tokens in and out together."`
	Dollars float64 `json:"dollars" doc:"Money in US dollars, by the prices of the catalogue; a model whose price is not known counts as the dearest."`
	Calls   int     `json:"calls" doc:"Calls of models."`
	Seconds float64 `json:"seconds" doc:"Time that a run may take; for run only."`
}

func (s budgetSettings) amount() budget.Amount {
	return budget.Amount{Tokens: int64(s.Tokens), Micros: int64(math.Round(s.Dollars * 1e6)), Calls: int64(s.Calls)}
}

// budgets are those of a runtime: of each run, and of each agent and team for a day. What was used before a restart
// counts, from the ledger. They are safe for concurrent use.
type budgets struct {
	run    budgetSettings
	agents map[string]budgetSettings // by id, "*" for all others
	teams  map[string]budgetSettings
	used   *ledger.Ledger // nil when nothing is kept
	now    func() time.Time
	newID  func() string

	mu    sync.Mutex
	daily map[string]*budget.Budget // by "agent helper", "team default"
	runs  map[string]budget.Set     // of the runs under way, by the name that their requests to this runtime carry
}

// newBudgets reads the section budgets of a configuration: {run, agents: {ID: …}, teams: {ID: …}}.
func newBudgets(section value.Value, used *ledger.Ledger, effects effect.Source) (*budgets, error) {
	b := &budgets{
		agents: map[string]budgetSettings{}, teams: map[string]budgetSettings{}, used: used, now: effects.Now, newID: effects.NewID,
		daily: map[string]*budget.Budget{}, runs: map[string]budget.Set{},
	}
	for _, m := range section.Members() {
		var err error
		switch m.Key {
		case "run":
			b.run, err = readBudget(m.Value)
		case "agents":
			err = readBudgets(m.Value, b.agents)
		case "teams":
			err = readBudgets(m.Value, b.teams)
		default:
			err = schema.UnknownName("member", m.Key, []string{"run", "agents", "teams"})
		}
		if err != nil {
			return nil, &fault.Error{Op: "config", Resource: "budgets." + m.Key, Kind: fault.Invalid, Err: err}
		}
	}
	return b, nil
}

func readBudgets(v value.Value, into map[string]budgetSettings) error {
	for _, m := range v.Members() {
		s, err := readBudget(m.Value)
		if err == nil && s.Seconds != 0 {
			err = fault.Newf(fault.Invalid, "seconds are bounded for a run only")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.Key, err)
		}
		into[m.Key] = s
	}
	return nil
}

func readBudget(v value.Value) (budgetSettings, error) {
	o := schema.For[budgetSettings]()
	if err := o.CheckStrict(v); err != nil {
		return budgetSettings{}, err
	}
	s, err := schema.Decode[budgetSettings](o, v)
	if err == nil && (s.Tokens < 0 || s.Dollars < 0 || s.Calls < 0 || s.Seconds < 0) {
		err = fault.Newf(fault.Invalid, "a bound must not be negative; 0 is none")
	}
	return s, err
}

type inRunKey struct{}

// bound returns the context of a run of an agent: what it uses counts towards the budgets of the agent and its team, and
// of the run that started it, or one of its own. A run is started by another one also when its request comes back over
// the network, see package hop. A background job shares what its run may use, and has a time of its own.
func (b *budgets) bound(ctx context.Context, agent, team string) (context.Context, context.CancelFunc) {
	ctx = b.arrived(ctx)
	ctx = budget.With(ctx, b.of(ctx, "agent", agent, b.agents), b.of(ctx, "team", team, b.teams))
	within := ctx.Value(inRunKey{}) != nil
	if !within {
		ctx = context.WithValue(ctx, inRunKey{}, true)
		if amount := b.run.amount(); amount != (budget.Amount{}) {
			ctx = budget.With(ctx, budget.New("run", amount))
		}
	}
	ctx, forget := b.named(ctx)
	if _, bounded := ctx.Deadline(); b.run.Seconds == 0 || within && bounded {
		return ctx, forget
	}
	wall := time.Duration(b.run.Seconds * float64(time.Second))
	spent := &fault.Error{
		Op: "run", Kind: fault.Timeout, Code: "BUDGET_EXCEEDED(wall)", Err: fault.Newf(fault.Timeout, "the run took longer than its budget of %s", wall),
		Hint: "raise budgets.run.seconds in the configuration",
	}
	ctx, cancel := context.WithTimeoutCause(ctx, wall, spent)
	return ctx, func() {
		cancel()
		forget()
	}
}

// arrived lets a request that a run has sent count towards the budgets of that run.
func (b *budgets) arrived(ctx context.Context) context.Context {
	name := hop.From(ctx).Budget
	if name == "" {
		return ctx
	}
	b.mu.Lock()
	set, known := b.runs[name]
	b.mu.Unlock()
	if !known {
		return ctx // of a runtime before this one, or of a run that has ended
	}
	return context.WithValue(budget.Join(ctx, set), inRunKey{}, true)
}

// named gives the budgets of a run a name that its requests to this runtime carry, until the run ends.
func (b *budgets) named(ctx context.Context) (context.Context, func()) {
	set, at := budget.Of(ctx), hop.Of(ctx)
	if set.Empty() || at.Depth == 0 {
		return ctx, func() {}
	}
	at.Budget = b.newID()
	b.mu.Lock()
	b.runs[at.Budget] = set
	b.mu.Unlock()
	return hop.With(ctx, at), func() {
		b.mu.Lock()
		delete(b.runs, at.Budget)
		b.mu.Unlock()
	}
}

// of returns the budget of somebody for a day, nil for none.
func (b *budgets) of(ctx context.Context, what, id string, settings map[string]budgetSettings) *budget.Budget {
	s, ok := settings[id]
	if !ok {
		s, ok = settings["*"]
	}
	if !ok || id == "" || s.amount() == (budget.Amount{}) {
		return nil
	}
	name := what + " " + id
	b.mu.Lock()
	defer b.mu.Unlock()
	if known := b.daily[name]; known != nil {
		return known
	}
	made := budget.Daily(name, s.amount(), b.now(), b.today(ctx, what, id))
	b.daily[name] = made
	return made
}

// today is what was used today before the program started. A ledger that cannot be read counts as everything used: a
// budget that nobody can check is spent.
func (b *budgets) today(ctx context.Context, what, id string) budget.Amount {
	if b.used == nil {
		return budget.Amount{}
	}
	q := ledger.Query{Since: b.now()}
	if what == "agent" {
		q.Agent = id
	} else {
		q.Team = id
	}
	rows, err := b.used.Sum(ctx, q)
	if err != nil || len(rows) != 1 {
		const all = math.MaxInt64 / 4
		return budget.Amount{Tokens: all, Micros: all, Calls: all}
	}
	return rows[0].Amount()
}

// keepUsage notes every call of a model. What cannot be noted is told; the call was made.
func (rt *Runtime) keepUsage(events *event.Bus) {
	event.On(events, func(ctx context.Context, u llm.Used) {
		e := ledger.Entry{At: rt.effects.Now(), Team: u.Team, Agent: u.Candidate.ID(), Model: u.Model, Provider: u.Provider, Own: u.OwnKey, Counts: ledger.Counts{
			Calls: 1, Input: int64(u.Usage.Input), CacheRead: int64(u.Usage.CacheRead), CacheWrite: int64(u.Usage.CacheWrite), Output: int64(u.Usage.Output),
			Thinking: int64(u.Usage.Thinking), Images: int64(u.Usage.Images), Searches: int64(u.Usage.Searches), Micros: u.Micros,
		}}
		if !u.Priced {
			e.Unpriced = 1
		}
		if u.Estimated {
			e.Estimated = 1
		}
		if err := rt.used.Note(ctx, e); err != nil {
			rt.log.Error("what a model was used for was not kept", "model", u.Model, "error", err.Error())
		}
	})
}

// UsageQuery selects what models were used for.
type UsageQuery = ledger.Query

// Usage adds up what models were used for.
func (rt *Runtime) Usage(ctx context.Context, q UsageQuery) ([]ledger.Row, error) {
	if rt.used == nil {
		return nil, fault.Newf(fault.Unsupported, "nothing is kept without a data folder")
	}
	return rt.used.Sum(ctx, q)
}
