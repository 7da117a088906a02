package engine_test

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/internal/workflow"
	"github.com/sre-go/sre/value"
)

// closedSource is a world without effects: using it fails the test.
type closedSource struct{ t testing.TB }

func (c closedSource) Now() time.Time { c.t.Error("the clock was read"); return time.Time{} }
func (c closedSource) NewID() string  { c.t.Error("an id was made"); return "" }
func (c closedSource) Random([]byte)  { c.t.Error("randomness was read") }
func (c closedSource) Sleep(context.Context, time.Duration) error {
	c.t.Error("a wait began")
	return nil
}

// TestReplay records a run and plays it again with all doors closed: it ends in the same state byte for byte.
func TestReplay(t *testing.T) {
	t.Parallel()
	agents := []string{
		"a:Start b:Slow c:Fail d:Pass a>b a>c b>d c._error>d.e",
		"a:Start f:Each b:Slow o:Pass a>f f.Loop>b f.Result>o",
		"a:Start f:Each g:Each b:Pass o:Pass a>f f.Loop>g g.Loop>b f.Result>o",
	}
	for _, agent := range agents {
		for _, parallel := range []string{`"x":1`, `"concurrency":3`} {
			synctest.Test(t, func(t *testing.T) {
				p := program(t, agent, parallel)
				body := value.List(value.List(value.OfInt(1)), value.List(value.OfInt(2), value.OfInt(3)))
				journal := engine.NewJournal()
				first := recorded(t, p, body, journal.Record)
				again := job(p, body)
				again.Effects, again.Use = closedSource{t}, []engine.Middleware{journal.Replay}
				second := ended(t, p, again)
				if first != second {
					t.Errorf("%s: the run played again ends in\n%s\nwant\n%s", agent, second, first)
				}
			})
		}
	}
}

func recorded(t *testing.T, p *engine.Program, body value.Value, use engine.Middleware) string {
	j := job(p, body)
	j.Use = []engine.Middleware{use}
	return ended(t, p, j)
}

// ended runs a job and returns the state it ends in.
func ended(t *testing.T, p *engine.Program, j *engine.Job) string {
	t.Helper()
	var last string
	j.Ended = func(s *workflow.State) { last = p.Save(s).JSON() }
	if _, err := engine.Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	return last
}

// TestResume stops a run after each superstep, carries its state to another plan through JSON and goes on: the answer
// is the same wherever it was cut.
func TestResume(t *testing.T) {
	t.Parallel()
	agents := []string{
		"a:Start b:Pass c:Fail d:Pass a>b a>c b>d c._error>d.e",
		"a:Start f:Each b:Pass c:Pass o:Pass a>f f.Loop>b b>c f.Result>o",
		"a:Start f:Each g:Each b:Pass o:Pass a>f f.Loop>g g.Loop>b f.Result>o",
	}
	body := value.List(value.List(value.OfInt(1)), value.List(value.OfInt(2), value.OfInt(3)))
	for _, agent := range agents {
		want := answer(engine.Run(t.Context(), job(program(t, agent), body)))
		for cut := range 30 {
			p := program(t, agent)
			j := job(p, body)
			s := p.NewState()
			j.Begin(s)
			step(t, j, s, cut)
			other := program(t, agent)
			moved, err := other.Load(parse(t, p.Save(s).JSON()))
			if err != nil {
				t.Fatalf("%s: cut after %d: Load() error = %v", agent, cut, err)
			}
			step(t, job(other, body), moved, 1000)
			if got := other.Result(moved).JSON(); got != want {
				t.Errorf("%s: cut after %d: got %s, want %s", agent, cut, got, want)
			}
		}
	}
}

func step(t *testing.T, j *engine.Job, s *workflow.State, n int) {
	t.Helper()
	for range n {
		more, err := engine.RunStep(t.Context(), j, s, engine.Step{})
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return
		}
	}
}

func parse(t *testing.T, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestT46_TamperedState: a saved state with any byte changed is refused, and nothing is made of it.
func TestT46_TamperedState(t *testing.T) {
	t.Parallel()
	p := program(t, "a:Start f:Each b:Pass o:Pass a>f f.Loop>b f.Result>o")
	j := job(p, value.List(value.OfInt(1), value.OfInt(2)))
	s := p.NewState()
	j.Begin(s)
	step(t, j, s, 3)
	text := p.Save(s).JSON()
	for i := range len(text) {
		for _, c := range []byte{'0', '9', '"', 'x', '}'} {
			if text[i] == c {
				continue
			}
			changed := text[:i] + string(c) + text[i+1:]
			v, err := value.Parse(changed)
			if err != nil {
				continue
			}
			if _, err := p.Load(v); err == nil && v.JSON() != text {
				t.Fatalf("Load() took a state with byte %d changed to %q", i, c)
			}
		}
	}
	other := program(t, "a:Start b:Pass a>b")
	if _, err := other.Load(parse(t, text)); err == nil {
		t.Error("Load() took the state of another program")
	}
}

// FuzzGraph runs random graphs: each one ends, and ends the same whatever the timing of its components.
func FuzzGraph(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		agent := randomGraph(seed)
		body := value.List(value.OfInt(1), value.List(value.OfInt(2), value.OfInt(3)), value.Of("x"))
		want := ""
		for timing := range uint64(3) {
			synctest.Test(t, func(t *testing.T) {
				p := program(t, agent)
				j := job(p, body)
				j.Effects = &jitter{by: timing}
				got := answer(engine.Run(t.Context(), j))
				if want == "" {
					want = got
				}
				if got != want {
					t.Errorf("%s: with other timing: got %s, want %s", agent, got, want)
				}
			})
		}
	})
}

// jitter makes every wait take another time.
type jitter struct {
	by    uint64
	waits atomic.Uint64
}

func (*jitter) Now() time.Time  { return time.Now() }
func (*jitter) NewID() string   { return "id" }
func (*jitter) Random(p []byte) { clear(p) }

func (j *jitter) Sleep(ctx context.Context, d time.Duration) error {
	return effect.System{}.Sleep(ctx, d*time.Duration(1+(j.waits.Add(1)*(j.by*7+1))%5))
}

// randomGraph describes an agent of random components and connections, cycles and dead ends included.
func randomGraph(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 1))
	kinds := []string{"Pass", "Slow", "Fail", "Each", "Pass", "Nope"}
	n := 2 + r.IntN(8)
	var b strings.Builder
	b.WriteString("n0:Start ")
	typ := []string{"Start"}
	for i := 1; i < n; i++ {
		typ = append(typ, kinds[r.IntN(len(kinds))])
		b.WriteString("n" + strconv.Itoa(i) + ":" + typ[i] + " ")
	}
	for range n + r.IntN(2*n) {
		from, to := r.IntN(n), r.IntN(n)
		out := "Output"
		switch {
		case typ[from] == "Each":
			out = []string{"Loop", "Result"}[r.IntN(2)]
		case typ[from] == "Fail" && r.IntN(2) == 0:
			out = "_error"
		}
		in := []string{"in", "x", "y"}[r.IntN(3)]
		b.WriteString("n" + strconv.Itoa(from) + "." + out + ">n" + strconv.Itoa(to) + "." + in)
		if r.IntN(3) == 0 {
			b.WriteString("?")
		}
		b.WriteString(" ")
	}
	return b.String()
}
