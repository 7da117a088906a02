package engine_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/internal/workflow"
	"github.com/sre-go/sre/value"
)

// direct calls the function of a component by hand: the same function as in the engine, without one.
type direct struct {
	inst component.Instance
	call component.Call
	port []component.NodePort
}

func newDirect(typ string) *direct {
	def, _ := find(typ)
	return &direct{
		inst: def.Compile(value.Obj()), port: []component.NodePort{{Name: "in"}},
		call: component.Call{Request: &component.Request{Body: value.OfInt(1)}},
	}
}

func (d *direct) run(b *testing.B, in ...value.Value) value.Value {
	out, err := d.inst.Run(context.Background(), &d.call, component.Input{Ports: d.port, Values: in})
	if err != nil {
		b.Fatal(err)
	}
	return out.Get("Output")
}

// BenchmarkChain moves a value through ten trivial components, and through the same ten functions in a plain loop.
func BenchmarkChain(b *testing.B) {
	lines := []string{"n0:Start"}
	for i := 1; i <= 10; i++ {
		lines = append(lines, fmt.Sprintf("n%d:Pass n%d>n%d", i, i-1, i))
	}
	p := program(b, order(lines))
	body := value.OfInt(1)
	b.Run("engine", func(b *testing.B) { benchmarkEngine(b, p, body) })
	b.Run("loop", func(b *testing.B) {
		start, pass := newDirect("Start"), newDirect("Pass")
		b.ReportAllocs()
		for b.Loop() {
			v := start.run(b)
			for range 10 {
				v = pass.run(b, v)
			}
			if v.IsAbsent() {
				b.Fatal("lost the value")
			}
		}
	})
}

// BenchmarkFanOut sends a value to eight components and collects their outputs in one.
func BenchmarkFanOut(b *testing.B) {
	lines := []string{"n0:Start", "n9:Pass"}
	for i := 1; i <= 8; i++ {
		lines = append(lines, fmt.Sprintf("n%d:Pass n0>n%d n%d>n9.%s", i, i, i, []string{"in", "x1", "x2", "x3", "x4", "x5", "x6", "x7"}[i-1]))
	}
	p := program(b, order(lines))
	body := value.OfInt(1)
	b.Run("engine", func(b *testing.B) { benchmarkEngine(b, p, body) })
	b.Run("loop", func(b *testing.B) {
		start, pass, join := newDirect("Start"), newDirect("Pass"), newDirect("Pass")
		join.port = make([]component.NodePort, 8)
		join.port[0].Name = "in"
		b.ReportAllocs()
		for b.Loop() {
			v := start.run(b)
			var all [8]value.Value
			for i := range all {
				all[i] = pass.run(b, v)
			}
			if out := join.run(b, all[:]...); out.IsAbsent() {
				b.Fatal("lost the value")
			}
		}
	})
}

// order puts the components of an agent before its connections.
func order(lines []string) string {
	var components, connections []string
	for _, f := range strings.Fields(strings.Join(lines, " ")) {
		if strings.Contains(f, ":") {
			components = append(components, f)
		} else {
			connections = append(connections, f)
		}
	}
	return strings.Join(append(components, connections...), " ")
}

func benchmarkEngine(b *testing.B, p *engine.Program, body value.Value) {
	j := job(p, body)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := engine.Run(context.Background(), j); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParallel runs a chain on all cores: throughput grows with them when runs share no lock.
func BenchmarkParallel(b *testing.B) {
	p := program(b, "a:Start b:Pass c:Pass d:Pass a>b b>c c>d")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		j := job(p, value.OfInt(1))
		for pb.Next() {
			if _, err := engine.Run(context.Background(), j); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkWaiting holds 10,000 runs in a component that waits, and reports the memory of each: heap and stack.
func BenchmarkWaiting(b *testing.B) {
	const runs = 10_000
	for b.Loop() {
		var arrived, ended sync.WaitGroup
		open := make(chan struct{})
		gate := component.Define(component.Spec{Name: "Gate"}, func(context.Context, *component.Call, *none, component.Input) (value.Value, error) {
			arrived.Done()
			<-open
			return value.Obj(value.M("Output", value.OfInt(1))), nil
		})
		types := func(name string) (component.Definition, bool) {
			if name == "Gate" {
				return gate, true
			}
			return find(name)
		}
		p := engine.NewProgram(workflow.Compile(document(b, "a:Start b:Pass c:Gate d:Pass a>b b>c c>d"), types, workflow.Options{Limits: testLimits()}))
		before := memory()
		arrived.Add(runs)
		for range runs {
			ended.Go(func() {
				if _, err := engine.Run(context.Background(), job(p, value.OfInt(1))); err != nil {
					b.Error(err)
				}
			})
		}
		arrived.Wait()
		b.ReportMetric(float64(memory()-before)/runs, "B/run")
		close(open)
		ended.Wait()
	}
}

// memory returns the bytes of heap and stacks in use.
func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
