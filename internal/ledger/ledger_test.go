package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/budget"
	"github.com/sre-go/sre/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

func open(t testing.TB, dir string) *Ledger {
	t.Helper()
	l, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func at(day int) time.Time { return time.Date(2026, 3, day, 23, 59, 0, 0, time.UTC) }

func note(t testing.TB, l *Ledger, day int, team, agent, model string, input, micros int64) {
	t.Helper()
	e := Entry{At: at(day), Team: team, Agent: agent, Model: model, Provider: "p", Counts: Counts{Calls: 1, Input: input, Output: 1, Micros: micros}}
	if err := l.Note(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

func TestSum(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	l := open(t, dir)
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder is there before the first call")
	}
	note(t, l, 1, "red", "a", "m1", 10, 100)
	note(t, l, 1, "red", "a", "m1", 20, 200)
	note(t, l, 2, "red", "b", "m2", 5, 50)
	note(t, l, 3, "blue", "c", "m1", 7, 70)
	tests := []struct {
		name string
		q    Query
		want string
	}{
		{"all", Query{}, "[] 4 42 420; "},
		{"by team", Query{By: []string{"team"}}, "[blue] 1 7 70; [red] 3 35 350; "},
		{"by day and model", Query{By: []string{"day", "model"}, Team: "red"}, "[2026-03-01 m1] 2 30 300; [2026-03-02 m2] 1 5 50; "},
		{"since", Query{Since: at(2)}, "[] 2 12 120; "},
		{"until", Query{Until: at(1), Agent: "a"}, "[] 2 30 300; "},
		{"a model", Query{Model: "m1", By: []string{"agent"}}, "[a] 2 30 300; [c] 1 7 70; "},
		{"nothing", Query{Team: "green"}, "[] 0 0 0; "},
		{"nothing by day", Query{Team: "green", By: []string{"day"}}, ""},
	}
	for _, tt := range tests {
		rows, err := l.Sum(t.Context(), tt.q)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, r := range rows {
			got += fmt.Sprint(r.By, " ", r.Calls, " ", r.Input, " ", r.Micros, "; ")
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if _, err := l.Sum(t.Context(), Query{By: []string{"day; DROP TABLE used"}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a column that is none = %v, want Invalid", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	rows, err := open(t, dir).Sum(t.Context(), Query{})
	if err != nil || rows[0].Calls != 4 || rows[0].Amount() != (budget.Amount{Tokens: 46, Micros: 420, Calls: 4}) {
		t.Errorf("after a restart: %+v, %v", rows, err)
	}
}

func TestNote_ManyAtOnce(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir())
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { note(t, l, 1, "red", "a", "m", 1, 1) })
	}
	all.Wait()
	if rows, err := l.Sum(t.Context(), Query{}); err != nil || rows[0].Calls != 50 {
		t.Errorf("%+v, %v, want 50 calls", rows, err)
	}
}

func BenchmarkNote(b *testing.B) {
	l := open(b, b.TempDir())
	b.ReportAllocs()
	for b.Loop() {
		note(b, l, 1, "red", "a", "m", 1, 1)
	}
}

func TestTogether(t *testing.T) {
	t.Parallel()
	all := func(n int64) Counts { return Counts{n, n, n, n, n, n, n, n, n, n, n} }
	base := Entry{At: at(1), Team: "red", Agent: "a", Model: "m", Provider: "p", Counts: all(1)}
	change := func(f func(*Entry)) Entry {
		e := base
		f(&e)
		return e
	}
	other := []Entry{
		change(func(e *Entry) { e.At = at(1).Add(time.Minute) }), // the next day
		change(func(e *Entry) { e.Team = "blue" }),
		change(func(e *Entry) { e.Agent = "b" }),
		change(func(e *Entry) { e.Model = "n" }),
		change(func(e *Entry) { e.Provider = "q" }),
		change(func(e *Entry) { e.Own = true }),
	}
	same := change(func(e *Entry) { e.At, e.Counts = at(1).Add(-time.Hour).In(time.FixedZone("", 3600)), all(2) })
	got := together(append([]Entry{base}, append(other, same)...))
	if len(got) != 1+len(other) || got[0].Counts != all(3) {
		t.Fatalf("%d rows, the first %+v, want %d and all counts 3", len(got), got[0].Counts, 1+len(other))
	}
	for i, e := range other {
		if got[i+1] != e {
			t.Errorf("row %d = %+v, want %+v", i+1, got[i+1], e)
		}
	}
}
