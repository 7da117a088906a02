package engine_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/value"
)

// step is the work of one trivial component, for the loop that the engine is compared with.
//
//go:noinline
func work(in value.Value) value.Value {
	return value.Obj(value.M("Output", in))
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
		b.ReportAllocs()
		for b.Loop() {
			v := body
			for range 11 {
				v = work(v).Get("Output")
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
		lines = append(lines, fmt.Sprintf("n%d:Pass n0>n%d n%d>n9.i%d", i, i, i, i))
	}
	p := program(b, order(lines))
	body := value.OfInt(1)
	b.Run("engine", func(b *testing.B) { benchmarkEngine(b, p, body) })
	b.Run("loop", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			start := work(body)
			all := value.NewBuilder(8)
			for i := range 8 {
				all.Add(fmt.Sprintf("i%d", i), work(start.Get("Output")).Get("Output"))
			}
			if out := work(all.Build()); out.IsAbsent() {
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

// gateType is a component that waits until a channel is closed.
func gateType(arrived *sync.WaitGroup, open <-chan struct{}) component.Definition {
	return component.Define(component.Spec{Name: "Gate"}, func(context.Context, *component.Call, *none, component.Input) (value.Value, error) {
		arrived.Done()
		<-open
		return value.Obj(value.M("Output", value.OfInt(1))), nil
	})
}
