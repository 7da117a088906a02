// Package budget bounds what models may cost: tokens, money, calls and time.
//
// What a call may use at most is reserved before it is made, in every budget that it counts towards, and settled with
// what it did use afterwards. So a budget is exact however many calls are made at once: together they never use more
// than it holds. A run that calls another agent passes its budget on.
//
// A [Budget] of a day begins anew at midnight UTC.
package budget

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sre-go/sre/fault"
)

// Amount is what is used or may be used. A bound of 0 is no bound.
type Amount struct {
	Tokens int64 // in and out together
	Micros int64 // money, in millionths of a US dollar
	Calls  int64 // of models
}

// Add returns both together.
func (a Amount) Add(b Amount) Amount {
	return Amount{Tokens: a.Tokens + b.Tokens, Micros: a.Micros + b.Micros, Calls: a.Calls + b.Calls}
}

func (a Amount) minus(b Amount) Amount {
	return Amount{Tokens: a.Tokens - b.Tokens, Micros: a.Micros - b.Micros, Calls: a.Calls - b.Calls}
}

// Budget is a bound that calls count towards. It is safe for concurrent use.
type Budget struct {
	name  string // for people: "run", "agent helper", "team default"
	limit Amount
	daily bool

	mu   sync.Mutex
	day  time.Time // that used is of, for a daily one
	used Amount    // settled and reserved
}

// New returns a budget that holds for as long as it is used.
func New(name string, limit Amount) *Budget { return &Budget{name: name, limit: limit} }

// Daily returns a budget for each day. used is what was used today, at now, before the program started.
func Daily(name string, limit Amount, now time.Time, used Amount) *Budget {
	return &Budget{name: name, limit: limit, daily: true, day: dayOf(now), used: used}
}

func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// Used returns what was used or is reserved.
func (b *Budget) Used() Amount {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// turn begins a new day. The lock is held.
func (b *Budget) turn(now time.Time) {
	if day := dayOf(now); b.daily && day.After(b.day) {
		b.day, b.used = day, Amount{}
	}
}

// take reserves. The lock is held by nobody.
func (b *Budget) take(now time.Time, want Amount) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn(now)
	next := b.used.Add(want)
	switch {
	case b.limit.Calls > 0 && next.Calls > b.limit.Calls:
		return b.exceeded("calls", "%d of %d calls are used", b.used.Calls, b.limit.Calls)
	case b.limit.Tokens > 0 && next.Tokens > b.limit.Tokens:
		return b.exceeded("tokens", "%d of %d tokens are used or reserved", b.used.Tokens, b.limit.Tokens)
	case b.limit.Micros > 0 && next.Micros > b.limit.Micros:
		return b.exceeded("money", "%s of %s are used or reserved", Dollars(b.used.Micros), Dollars(b.limit.Micros))
	}
	b.used = next
	return nil
}

// exceeded is the error of a call that the budget has no room for.
func (b *Budget) exceeded(unit, format string, used, limit any) error {
	return &fault.Error{
		Op: "budget.reserve", Resource: b.name, Kind: fault.Limit, Code: "BUDGET_EXCEEDED(" + unit + ")",
		Err: fmt.Errorf("the budget of the %s does not allow another call: "+format, b.name, used, limit), Hint: b.hint(),
	}
}

func (b *Budget) hint() string {
	if b.daily {
		return "wait until tomorrow (UTC), or raise it in the section budgets of the configuration"
	}
	return "raise it in the section budgets of the configuration"
}

// give returns what was reserved and not used, or takes what was used beyond it.
func (b *Budget) give(day time.Time, back Amount) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.daily && !b.day.Equal(day) {
		return // the day that it was reserved on is over
	}
	b.used = b.used.minus(back)
}

// room returns how many tokens are left, -1 for no bound.
func (b *Budget) room(now time.Time) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn(now)
	if b.limit.Tokens == 0 {
		return -1
	}
	return max(0, b.limit.Tokens-b.used.Tokens)
}

// Dollars writes money for people.
func Dollars(micros int64) string { return fmt.Sprintf("$%.4f", float64(micros)/1e6) }

// Set is the budgets that a call counts towards. It is immutable.
type Set struct{ all []*Budget }

type setKey struct{}

// With returns a context whose calls count towards more budgets, besides those that they count towards already.
func With(ctx context.Context, more ...*Budget) context.Context {
	s := Of(ctx)
	next := Set{all: slices.Clip(s.all)}
	for _, b := range more {
		if b != nil && !slices.Contains(next.all, b) {
			next.all = append(next.all, b)
		}
	}
	if len(next.all) == len(s.all) {
		return ctx
	}
	return context.WithValue(ctx, setKey{}, next)
}

// Of returns the budgets of a context, none when nobody set any.
func Of(ctx context.Context) Set {
	s, _ := ctx.Value(setKey{}).(Set)
	return s
}

// Join returns a context whose calls count towards the budgets of a set too.
func Join(ctx context.Context, s Set) context.Context { return With(ctx, s.all...) }

// Empty reports whether there is no budget.
func (s Set) Empty() bool { return len(s.all) == 0 }

// Room returns how many tokens the tightest budget has left, -1 for no bound.
func (s Set) Room(now time.Time) int64 {
	least := int64(-1)
	for _, b := range s.all {
		if n := b.room(now); n >= 0 && (least < 0 || n < least) {
			least = n
		}
	}
	return least
}

// Hold is what is reserved for one call. Settle it once.
type Hold struct {
	set  Set
	day  time.Time
	held Amount
}

// Reserve reserves in all budgets or in none. The error is [fault.Limit] with the code BUDGET_EXCEEDED(unit) and names
// the budget that is too small.
func (s Set) Reserve(now time.Time, want Amount) (*Hold, error) {
	for i, b := range s.all {
		if err := b.take(now, want); err != nil {
			for _, before := range s.all[:i] {
				before.give(dayOf(now), want)
			}
			return nil, err
		}
	}
	return &Hold{set: s, day: dayOf(now), held: want}, nil
}

// Settle says what the call did use, which may be more than was reserved: a provider counts by itself.
func (h *Hold) Settle(used Amount) {
	for _, b := range h.set.all {
		b.give(h.day, h.held.minus(used))
	}
}
