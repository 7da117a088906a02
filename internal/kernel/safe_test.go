package kernel

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
)

// deed is a connector whose every operation is given.
type deed struct{ start, check, end func(context.Context) error }

func (d deed) Start(ctx context.Context) error { return d.start(ctx) }
func (d deed) Check(ctx context.Context) error { return d.check(ctx) }
func (d deed) Close(ctx context.Context) error { return d.end(ctx) }

type deedSettings struct{}

func fine(context.Context) error { return nil }

// one is a set with one service over one connector.
func one(open func(context.Context, connector.Env) (deed, error), build func(connector.Env) error, needs ...connector.AnyKind) Set {
	k := &connector.Kind[deed, struct{}]{
		Name: "A", Subsystem: "test", Requires: needs,
		Build: func(env connector.Env, _ connector.Instances[deed]) (struct{}, error) { return struct{}{}, build(env) },
	}
	d := connector.Define(k, "PartA", "A part.", func(ctx context.Context, env connector.Env, _ deedSettings) (deed, error) { return open(ctx, env) })
	return Set{Kinds: []connector.AnyKind{k}, Connectors: []connector.Definition{d}}
}

func oneOptions(t *testing.T) Options {
	o := options(t)
	delete(o.Config.Services, "B")
	delete(o.Config.Services, "C")
	return o
}

// TestF02_Panics: a part that panics fails what was asked of it; its text, which may be secret, stays out of the error.
func TestF02_Panics(t *testing.T) {
	t.Parallel()
	crash := func(context.Context) error { panic("canary") }
	bug := func(context.Context) error { var m map[string]int; m["canary"] = 1; return nil }
	whole := deed{fine, fine, fine}
	for name, test := range map[string]struct {
		open  func(context.Context, connector.Env) (deed, error)
		build func(connector.Env) error
		boots bool
	}{
		"open":  {func(ctx context.Context, _ connector.Env) (deed, error) { return whole, crash(ctx) }, nil, false},
		"build": {nil, func(connector.Env) error { return crash(nil) }, false},
		"start": {func(context.Context, connector.Env) (deed, error) { return deed{crash, fine, fine}, nil }, nil, false},
		"bug":   {func(context.Context, connector.Env) (deed, error) { return deed{bug, fine, fine}, nil }, nil, false},
		"check": {func(context.Context, connector.Env) (deed, error) { return deed{fine, crash, fine}, nil }, nil, true},
		"close": {func(context.Context, connector.Env) (deed, error) { return deed{fine, fine, crash}, nil }, nil, true},
	} {
		if test.open == nil {
			test.open = func(context.Context, connector.Env) (deed, error) { return whole, nil }
		}
		if test.build == nil {
			test.build = func(connector.Env) error { return nil }
		}
		var log bytes.Buffer
		o := oneOptions(t)
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		k, err := Start(t.Context(), one(test.open, test.build), o)
		if err == nil != test.boots {
			t.Errorf("%s: Start() error = %v, want a boot %v", name, err, test.boots)
			continue
		}
		if k != nil {
			if name == "check" {
				err = k.Health(t.Context())["A/PartA"]
			}
			if closing := k.Close(t.Context()); name == "close" {
				err = closing
			} else if closing != nil {
				t.Errorf("%s: Close() error = %v", name, closing)
			}
		}
		if !fault.Is(err, fault.Internal) || !strings.Contains(err.Error(), "panicked") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: error = %v, want one that says panicked and no more", name, err)
		}
		if !strings.Contains(log.String(), "safe_test.go") || strings.Contains(log.String(), "canary") {
			t.Errorf("%s: the log says %s, want the stack", name, log.String())
		}
	}
}

// A service whose requirements are not configured says which they are.
func TestStart_Lacking(t *testing.T) {
	t.Parallel()
	need := kind("B")
	set := one(func(context.Context, connector.Env) (deed, error) { return deed{fine, fine, fine}, nil },
		func(env connector.Env) error { connector.Service(env.Services, need); return nil }, need)
	_, err := Start(t.Context(), set, oneOptions(t))
	if err == nil || !strings.Contains(err.Error(), "A requires B; configure a connector") {
		t.Errorf("Start() error = %v, want one that names what is missing", err)
	}
}

// What a kind requires may be configured although the program lists only the kind.
func TestStart_RequiredIsKnown(t *testing.T) {
	t.Parallel()
	set, tr := world()
	set.Kinds = set.Kinds[:1] // C, which requires the others
	k, err := Start(t.Context(), set, options(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Close(t.Context()); err != nil || len(tr.lines) != 9 {
		t.Errorf("Close() error = %v after %q, want all three", err, tr.lines)
	}
}

func TestStart_Twice(t *testing.T) {
	t.Parallel()
	set, _ := world()
	set.Connectors = append(set.Connectors, set.Connectors[0])
	if _, err := Start(t.Context(), set, options(t)); err == nil || !strings.Contains(err.Error(), "two connectors of A with the name PartA") {
		t.Errorf("one connector twice: error = %v", err)
	}
	set, _ = world()
	set.Kinds = append(set.Kinds, kind("A"))
	if _, err := Start(t.Context(), set, options(t)); err == nil || !strings.Contains(err.Error(), "two services with the name A") {
		t.Errorf("two services of one name: error = %v", err)
	}
}

// A part that does not come to an end does not keep the program: it is left behind, named, and the others are closed.
func TestClose_Hangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		never := func(context.Context) error { <-hang; return nil }
		heeds := func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }
		for name, test := range map[string]struct {
			part deed
			took time.Duration
			want fault.Kind
		}{
			"never": {deed{fine, never, never}, time.Minute + patience, fault.Timeout},
			"heeds": {deed{fine, heeds, heeds}, time.Minute, fault.Timeout},
		} {
			set := one(func(context.Context, connector.Env) (deed, error) { return test.part, nil }, func(connector.Env) error { return nil })
			k, err := Start(t.Context(), set, oneOptions(t))
			if err != nil {
				t.Fatal(err)
			}
			for _, what := range []string{"health", "close"} {
				do := k.Close
				if what == "health" {
					do = func(ctx context.Context) error { return k.Health(ctx)["A/PartA"] }
				}
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				if err := do(ctx); !fault.Is(err, test.want) || time.Since(start) != test.took {
					t.Errorf("%s, %s: error = %v after %s, want %v after %s", name, what, err, time.Since(start), test.want, test.took)
				}
				cancel()
			}
		}
		close(hang)
		synctest.Wait()
	})
}

// Close and Health may come from anywhere at any time; each part is closed once, and every Close waits for that.
func TestClose_Concurrent(t *testing.T) {
	t.Parallel()
	var ended atomic.Int64
	set := one(func(context.Context, connector.Env) (deed, error) {
		return deed{fine, fine, func(context.Context) error { ended.Add(1); return nil }}, nil
	}, func(connector.Env) error { return nil })
	k, err := Start(t.Context(), set, oneOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { k.Health(t.Context()) })
		wg.Go(func() {
			if err := k.Close(t.Context()); err != nil || ended.Load() != 1 {
				t.Errorf("Close() error = %v with %d closed, want one", err, ended.Load())
			}
		})
	}
	wg.Wait()
	if got := k.Health(t.Context()); len(got) != 0 {
		t.Errorf("Health() after Close = %v, want nothing", got)
	}
}
