package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/workflow"
	"github.com/sre-go/sre/value"
)

type none struct{}

// types are component types for tests: they do one thing each.
func types() map[string]component.Definition {
	out := map[string]component.Definition{}
	add := func(name string, traits component.Traits, run component.Run[none]) {
		out[name] = component.Define(component.Spec{Name: name, Traits: traits}, run)
	}
	pass := func(_ context.Context, _ *component.Call, _ *none, in component.Input) (value.Value, error) {
		return value.Obj(value.M("Output", in.Get("in"))), nil
	}
	add("Start", component.Traits{Endpoint: true, Cheap: true}, func(_ context.Context, c *component.Call, _ *none, _ component.Input) (value.Value, error) {
		return value.Obj(value.M("Output", c.Request.Body)), nil
	})
	add("Pass", component.Traits{Cheap: true}, pass)
	add("Slow", component.Traits{}, func(ctx context.Context, c *component.Call, s *none, in component.Input) (value.Value, error) {
		if err := c.Effects.Sleep(ctx, time.Second); err != nil {
			return value.Value{}, err
		}
		return pass(ctx, c, s, in)
	})
	add("Fail", component.Traits{Cheap: true}, func(context.Context, *component.Call, *none, component.Input) (value.Value, error) {
		return value.Value{}, errors.New("it failed")
	})
	add("Panic", component.Traits{}, func(context.Context, *component.Call, *none, component.Input) (value.Value, error) {
		panic("secret-canary")
	})
	add("Each", component.Traits{Loop: true}, func(_ context.Context, c *component.Call, _ *none, in component.Input) (value.Value, error) {
		l := c.Loop
		if !l.Started {
			l.Started, l.Items = true, in.Get("in").Items()
		}
		if l.Index >= len(l.Items) {
			return value.Obj(value.M("Result", value.List(l.Results...))), nil
		}
		l.Index++
		return value.Obj(value.M("Loop", l.Items[l.Index-1]), value.M(component.KeyInProgress, value.OfBool(true))), nil
	})
	return out
}

// program builds an agent from lines such as "a:Start" and "a>b" (Output to in), "a.Loop>b.x" and "a>b?" (optional).
func program(t testing.TB, lines string, settings ...string) *engine.Program {
	t.Helper()
	plan := workflow.Compile(document(t, lines, settings...), find, workflow.Options{Limits: testLimits()})
	return engine.NewProgram(plan)
}

func find(name string) (component.Definition, bool) {
	d, ok := types()[name]
	return d, ok
}

func testLimits() workflow.Limits {
	l := limits.Default()
	return workflow.Limits{Circular: l.Circular, Steps: l.Steps, Calls: l.Steps * 100, Items: l.Items}
}

func document(t testing.TB, lines string, settings ...string) *agentfile.Document {
	t.Helper()
	type node struct {
		id, typ   string
		ins, outs []string
		optional  map[string]bool
	}
	byID := map[string]*node{}
	var order []*node
	var conns []string
	slot := func(list *[]string, name string) int {
		for i, n := range *list {
			if n == name {
				return i
			}
		}
		*list = append(*list, name)
		return len(*list) - 1
	}
	for _, line := range strings.Fields(lines) {
		if id, typ, ok := strings.Cut(line, ":"); ok {
			n := &node{id: id, typ: typ, optional: map[string]bool{}}
			byID[id], order = n, append(order, n)
			continue
		}
		from, to, _ := strings.Cut(line, ">")
		to, optional := strings.CutSuffix(to, "?")
		fromID, out, dotted := strings.Cut(from, ".")
		if !dotted {
			out = "Output"
		}
		toID, in, dotted := strings.Cut(to, ".")
		if !dotted {
			in = "in"
		}
		f, g := byID[fromID], byID[toID]
		g.optional[in] = optional
		conns = append(conns, fmt.Sprintf(`{"sourceId":%q,"sourceIndex":%d,"targetId":%q,"targetIndex":%d}`, fromID, slot(&f.outs, out), toID, slot(&g.ins, in)))
	}
	var comps []string
	for _, n := range order {
		var ins, outs []string
		for _, in := range n.ins {
			ins = append(ins, fmt.Sprintf(`{"name":%q,"type":"Any","optional":%t}`, in, n.optional[in]))
		}
		for _, out := range n.outs {
			outs = append(outs, fmt.Sprintf(`{"name":%q,"default":%t}`, out, out != "_error"))
		}
		data := `"endpoint":"go"`
		if len(settings) > 0 && n.typ == "Each" {
			data = settings[0]
		}
		comps = append(comps, fmt.Sprintf(`{"id":%q,"name":%q,"displayName":%q,"title":"","data":{%s},"inputs":[%s],"outputs":[%s]}`,
			n.id, n.typ, n.typ, data, strings.Join(ins, ","), strings.Join(outs, ",")))
	}
	text := `{"id":"t","components":[` + strings.Join(comps, ",") + `],"connections":[` + strings.Join(conns, ",") + `]}`
	doc, err := agentfile.Parse([]byte(text), agentfile.Bounds{Bytes: 1 << 20, Components: 1000, Depth: 100, Values: 100000})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func job(p *engine.Program, body value.Value) *engine.Job {
	return &engine.Job{
		Program: p, Effects: effect.System{},
		Agent:   &component.Agent{ID: "t"},
		Request: &component.Request{Method: "POST", Path: "/api/go", Headers: value.Obj(), Body: body, Query: value.Obj(), Params: value.Obj()},
		Begin: func(s *workflow.State) {
			n, _ := p.Endpoint("POST", "/api/go")
			p.Begin(s, n)
		},
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, agent, body, want string }{
		{"leaf", "a:Start b:Pass a>b", `1`, `{"id":"b","name":"Pass","result":{"Output":1}}`},
		{"two leaves", "a:Start b:Pass c:Pass a>b a>c", `1`, `[{"id":"b","name":"Pass","result":{"Output":1}},{"id":"c","name":"Pass","result":{"Output":1}}]`},
		{"merge two", "a:Start b:Pass c:Pass d:Pass a>b a>c b>d c>d", `1`, `{"id":"d","name":"Pass","result":{"Output":[1,1]}}`},
		{"uneven diamond", "a:Start b:Pass c:Pass e:Pass d:Pass a>b a>c c>e b>d e>d.x", `1`, `{"id":"d","name":"Pass","result":{"Output":1}}`},
		{"error", "a:Start b:Fail c:Pass a>b b>c", `1`, `{"id":"b","name":"Fail","result":{"_error":"it failed"}}`},
		{"error handled", "a:Start b:Fail c:Pass a>b b._error>c", `1`, `{"id":"c","name":"Pass","result":{"Output":"it failed"}}`},
		{"waits for ever", "a:Start b:Pass x:Pass a>b x>b.y", `1`, `[]`},
		{"unknown type", "a:Start b:Nope a>b", `1`, `{"error":"Component Nope not found","id":"a","name":"Start"}`},
		{"circle ends", "a:Start b:Pass c:Pass a>b b>c c>b", `1`, `error: Circular Calls Limit Reached on b. Current circular limit is 100`},
		{"loop", "a:Start f:Each b:Pass o:Pass a>f f.Loop>b f.Result>o", `[1,2,3]`,
			`{"id":"o","name":"Pass","result":{"Output":[{"id":"b","name":"Pass","result":{"Output":1}},{"id":"b","name":"Pass","result":{"Output":2}},{"id":"b","name":"Pass","result":{"Output":3}}]}}`},
		{"loop of none", "a:Start f:Each b:Pass o:Pass a>f f.Loop>b f.Result>o", `[]`, `{"id":"o","name":"Pass","result":{"Output":[]}}`},
		{"loop with a join", "a:Start f:Each b:Pass c:Slow d:Pass o:Pass a>f f.Loop>b f.Loop>c b>d c>d.x f.Result>o", `[1,2]`,
			`{"id":"o","name":"Pass","result":{"Output":[{"id":"d","name":"Pass","result":{"Output":1}},{"id":"d","name":"Pass","result":{"Output":2}}]}}`},
		{"nested loops", "a:Start f:Each g:Each b:Pass o:Pass a>f f.Loop>g g.Loop>b f.Result>o", `[[1],[2,3]]`,
			`{"id":"o","name":"Pass","result":{"Output":[{"id":"g","name":"Each","result":{"Result":[{"id":"b","name":"Pass","result":{"Output":1}}]}},{"id":"g","name":"Each","result":{"Result":[{"id":"b","name":"Pass","result":{"Output":2}},{"id":"b","name":"Pass","result":{"Output":3}}]}}]}}`},
		{"loop without a body", "a:Start f:Each o:Pass a>f f.Result>o", `[1,2]`, `{"id":"o","name":"Pass","result":{"Output":[]}}`},
		{"item from outside", "a:Start k:Slow f:Each b:Pass o:Pass a>k a>f f.Loop>b k>b.x f.Result>o", `[1,2]`,
			`{"id":"o","name":"Pass","result":{"Output":[{"id":"b","name":"Pass","result":{"Output":1}},{"id":"b","name":"Pass","result":{"Output":2}}]}}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				body, err := value.Parse(test.body)
				if err != nil {
					t.Fatal(err)
				}
				for _, parallel := range []string{`"x":1`, `"concurrency":3`} {
					got := answer(engine.Run(t.Context(), job(program(t, test.agent, parallel), body)))
					if got != test.want {
						t.Errorf("with %s: got %s\nwant %s", parallel, got, test.want)
					}
				}
			})
		})
	}
}

func answer(v value.Value, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	return v.JSON()
}

func TestRun_ParallelLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := program(t, "a:Start f:Each b:Slow o:Pass a>f f.Loop>b f.Result>o", `"concurrency":5`)
		items := make([]value.Value, 20)
		for i := range items {
			items[i] = value.OfInt(i)
		}
		start := time.Now()
		got, err := engine.Run(t.Context(), job(p, value.List(items...)))
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 4*time.Second {
			t.Errorf("20 iterations of 1 s, 5 at a time, took %v, want 4s", took)
		}
		list := got.Get("result").Get("Output").Items()
		for i, it := range list {
			if n, _ := it.Get("result").Get("Output").Num(); int(n) != i {
				t.Errorf("result %d is of item %v", i, n)
			}
		}
		if len(list) != 20 {
			t.Errorf("%d results, want 20", len(list))
		}
	})
}

func TestRun_PanicFailsThatRunOnly(t *testing.T) {
	t.Parallel()
	p := program(t, "a:Start b:Panic a>b")
	_, err := engine.Run(t.Context(), job(p, value.OfInt(1)))
	var bug *engine.PanicError
	if !errors.As(err, &bug) || !fault.Is(err, fault.Internal) || strings.Contains(err.Error(), "canary") {
		t.Errorf("Run() error = %v, want a PanicError without the value", err)
	}
	ok := program(t, "a:Start b:Pass a>b")
	if _, err := engine.Run(t.Context(), job(ok, value.OfInt(1))); err != nil {
		t.Errorf("another run failed: %v", err)
	}
}

func TestRun_Cancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := program(t, "a:Start b:Slow c:Slow d:Slow a>b a>c b>d")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(500*time.Millisecond, func() { cancel(&engine.KilledError{Reason: "stop it"}) })
		start := time.Now()
		_, err := engine.Run(ctx, job(p, value.OfInt(1)))
		var killed *engine.KilledError
		if !errors.As(err, &killed) || killed.Reason != "stop it" {
			t.Errorf("Run() error = %v, want the reason of the kill", err)
		}
		if took := time.Since(start); took != 500*time.Millisecond {
			t.Errorf("the run ended after %v, want 500ms: cancel must reach components", took)
		}
	})
}

func TestRun_Budget(t *testing.T) {
	t.Parallel()
	p := program(t, "a:Start b:Pass c:Pass a>b b>c")
	j := job(p, value.OfInt(1))
	j.Budget = &atomic.Int64{}
	j.Budget.Store(2)
	if _, err := engine.Run(t.Context(), j); fault.CodeOf(err) != "LIMIT_EXCEEDED(calls)" {
		t.Errorf("Run() error = %v, want LIMIT_EXCEEDED(calls)", err)
	}
}

func TestRun_StepsLimit(t *testing.T) {
	t.Parallel()
	doc := document(t, "a:Start b:Pass c:Pass d:Pass a>b b>c c>b c>d d>c")
	plan := workflow.Compile(doc, find, workflow.Options{Limits: workflow.Limits{Circular: 1 << 20, Steps: 50, Calls: 1000, Items: 10}})
	_, err := engine.Run(t.Context(), job(engine.NewProgram(plan), value.OfInt(1)))
	if fault.CodeOf(err) != "LIMIT_EXCEEDED(steps)" {
		t.Errorf("Run() error = %v, want LIMIT_EXCEEDED(steps)", err)
	}
}
