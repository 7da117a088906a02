package event

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

type (
	started  struct{ name string }
	finished struct{ name string }
)

func TestPublish_OrderAndTypes(t *testing.T) {
	t.Parallel()
	var b Bus
	var got []string
	On(&b, func(_ context.Context, e started) { got = append(got, "first "+e.name) })
	On(&b, func(_ context.Context, e finished) { got = append(got, "finished "+e.name) })
	On(&b, func(_ context.Context, e started) { got = append(got, "second "+e.name) })
	On(&b, func(_ context.Context, e *started) { got = append(got, "pointer "+e.name) })
	Publish(t.Context(), &b, started{"a"})
	Publish(t.Context(), &b, finished{"a"})
	Publish(t.Context(), &b, "nobody listens to texts")
	want := []string{"first a", "second a", "finished a"}
	if !slices.Equal(got, want) {
		t.Errorf("delivered %q, want %q", got, want)
	}
}

func TestPublish_Context(t *testing.T) {
	t.Parallel()
	type key struct{}
	var b Bus
	var got any
	On(&b, func(ctx context.Context, _ started) { got = ctx.Value(key{}) })
	Publish(context.WithValue(t.Context(), key{}, "run 7"), &b, started{})
	if got != "run 7" {
		t.Errorf("handler saw %v in the context, want run 7", got)
	}
}

func TestPublish_NilBus(t *testing.T) {
	t.Parallel()
	heard := 0
	var other Bus
	On(&other, func(context.Context, started) { heard++ })
	var b *Bus
	Publish(t.Context(), b, started{"a"})
	Publish(t.Context(), &Bus{}, started{"a"})
	if heard != 0 {
		t.Errorf("another bus heard %d notices, want none", heard)
	}
}

func TestOn_Stop(t *testing.T) {
	t.Parallel()
	var b Bus
	var first, second int
	stop := On(&b, func(context.Context, started) { first++ })
	On(&b, func(context.Context, started) { second++ })
	Publish(t.Context(), &b, started{})
	stop()
	stop()
	Publish(t.Context(), &b, started{})
	if first != 1 || second != 2 {
		t.Errorf("handlers ran %d and %d times, want 1 and 2", first, second)
	}
}

// A handler may subscribe and unsubscribe: the delivery that is under way goes to those who were there at its start.
func TestOn_FromAHandler(t *testing.T) {
	t.Parallel()
	var b Bus
	var late, last int
	var stop func()
	On(&b, func(context.Context, started) {
		stop()
		On(&b, func(context.Context, started) { late++ })
	})
	stop = On(&b, func(context.Context, started) { last++ })
	Publish(t.Context(), &b, started{})
	if late != 0 || last != 1 {
		t.Errorf("late handler ran %d times, stopped one %d; want 0 and 1", late, last)
	}
	Publish(t.Context(), &b, started{})
	if late != 1 || last != 1 {
		t.Errorf("after the second notice: late %d, stopped %d; want 1 and 1", late, last)
	}
}

func TestBus_Concurrent(t *testing.T) {
	t.Parallel()
	var b Bus
	var always atomic.Int64
	On(&b, func(context.Context, started) { always.Add(1) })
	const workers, rounds = 16, 200
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range rounds {
				stop := On(&b, func(context.Context, started) {})
				Publish(t.Context(), &b, started{})
				stop()
			}
		})
	}
	wg.Wait()
	if got := always.Load(); got != workers*rounds {
		t.Errorf("steady handler ran %d times, want %d", got, workers*rounds)
	}
}

// A notice costs nothing where nobody listens, and no allocation where somebody does.
func TestPublish_AllocatesNothing(t *testing.T) {
	var b Bus
	n := 0
	On(&b, func(context.Context, started) { n++ })
	ctx := t.Context()
	if got := testing.AllocsPerRun(100, func() {
		Publish(ctx, &b, started{"a"})
		Publish(ctx, &b, finished{"a"})
		Publish(ctx, nil, started{"a"})
	}); got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
	if n == 0 {
		t.Error("handler did not run")
	}
}

func BenchmarkPublish(b *testing.B) {
	var bus Bus
	n := 0
	On(&bus, func(context.Context, started) { n++ })
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		Publish(ctx, &bus, started{"a"})
	}
}
