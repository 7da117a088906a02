package budget

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

func noon(day int) time.Time { return time.Date(2026, 3, day, 12, 0, 0, 0, time.UTC) }

func TestReserve_NamesTheLimit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		limit Amount
		want  Amount
		code  string
	}{
		{"fits", Amount{Tokens: 100, Micros: 100, Calls: 1}, Amount{100, 100, 1}, ""},
		{"no bound", Amount{}, Amount{1 << 40, 1 << 40, 1 << 20}, ""},
		{"tokens", Amount{Tokens: 100}, Amount{Tokens: 101}, "BUDGET_EXCEEDED(tokens)"},
		{"money", Amount{Micros: 100}, Amount{Micros: 101}, "BUDGET_EXCEEDED(money)"},
		{"calls", Amount{Calls: 1}, Amount{Calls: 2}, "BUDGET_EXCEEDED(calls)"},
	}
	for _, tt := range tests {
		ctx := With(t.Context(), New("run", tt.limit))
		_, err := Of(ctx).Reserve(noon(1), tt.want)
		if tt.code == "" && err != nil || tt.code != "" && (fault.CodeOf(err) != tt.code || !fault.Is(err, fault.Limit) || !strings.Contains(err.Error(), "run")) {
			t.Errorf("%s: Reserve = %v, want code %q", tt.name, err, tt.code)
		}
	}
}

func TestReserve_AllOrNone(t *testing.T) {
	t.Parallel()
	wide, tight := New("agent", Amount{Tokens: 1000}), New("team", Amount{Tokens: 10})
	s := Of(With(With(t.Context(), wide), tight, wide, nil))
	if _, err := s.Reserve(noon(1), Amount{Tokens: 11}); fault.CodeOf(err) != "BUDGET_EXCEEDED(tokens)" || wide.Used() != (Amount{}) {
		t.Errorf("Reserve = %v and left %+v in the wide one, want nothing", err, wide.Used())
	}
	if got := s.Room(noon(1)); got != 10 {
		t.Errorf("Room = %d, want that of the tightest", got)
	}
	h, err := s.Reserve(noon(1), Amount{Tokens: 10, Calls: 1})
	if err != nil {
		t.Fatal(err)
	}
	h.Settle(Amount{Tokens: 4, Calls: 1})
	for _, b := range []*Budget{wide, tight} {
		if got := b.Used(); got != (Amount{Tokens: 4, Calls: 1}) {
			t.Errorf("used = %+v, want what was settled, once", got)
		}
	}
}

func TestDaily(t *testing.T) {
	t.Parallel()
	b := Daily("team t", Amount{Tokens: 100}, noon(1), Amount{Tokens: 60})
	s := Of(With(t.Context(), b))
	held, err := s.Reserve(noon(1), Amount{Tokens: 40})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reserve(noon(1), Amount{Tokens: 1}); fault.CodeOf(err) != "BUDGET_EXCEEDED(tokens)" {
		t.Errorf("the day is used up: %v", err)
	}
	if _, err := s.Reserve(noon(2), Amount{Tokens: 100}); err != nil {
		t.Errorf("the next day: %v", err)
	}
	held.Settle(Amount{Tokens: 1}) // of yesterday: it does not touch today
	if got := b.Used(); got.Tokens != 100 {
		t.Errorf("used = %+v, want today's", got)
	}
	if _, err := s.Reserve(noon(1), Amount{Tokens: 1}); err == nil {
		t.Error("a clock that was set back opened yesterday again")
	}
}

// Many callers at once never use more than there is, and all of it can be used.
func TestExactUnderConcurrency(t *testing.T) {
	t.Parallel()
	const each, budget, callers = 7, 700, 400
	b := New("run", Amount{Tokens: budget})
	s := Of(With(t.Context(), b))
	var granted, refused int64
	var mu sync.Mutex
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			h, err := s.Reserve(noon(1), Amount{Tokens: each})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				refused++
				return
			}
			granted++
			h.Settle(Amount{Tokens: each})
		})
	}
	all.Wait()
	if granted != budget/each || refused != callers-granted || b.Used().Tokens != budget {
		t.Errorf("%d calls were allowed, %d refused, %d tokens used; want %d, %d, %d", granted, refused, b.Used().Tokens, budget/each, callers-budget/each, budget)
	}
}

func BenchmarkReserve(b *testing.B) {
	ctx := With(b.Context(), New("run", Amount{Tokens: 1 << 60}), New("agent", Amount{Calls: 1 << 60}))
	b.ReportAllocs()
	for b.Loop() {
		h, err := Of(ctx).Reserve(noon(1), Amount{Tokens: 10, Calls: 1})
		if err != nil {
			b.Fatal(err)
		}
		h.Settle(Amount{Tokens: 5, Calls: 1})
	}
}
