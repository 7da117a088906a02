package effect

import (
	"context"
	"errors"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestSystem_NewID(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[A-Z2-7]{26}$`)
	var mu sync.Mutex
	seen := make(map[string]bool)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				id := System{}.NewID()
				if !form.MatchString(id) {
					t.Errorf("NewID() = %q, want 26 characters A-Z and 2-7", id)
				}
				mu.Lock()
				if seen[id] {
					t.Errorf("NewID() gave %q twice", id)
				}
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func TestSystem_Random(t *testing.T) {
	t.Parallel()
	var a, b [32]byte
	System{}.Random(a[:])
	System{}.Random(b[:])
	if a == b || a == [32]byte{} {
		t.Errorf("Random gave %x and %x, want two different texts", a, b)
	}
	System{}.Random(nil)
}

func TestSystem_Sleep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := System{}.Now()
		if err := (System{}).Sleep(t.Context(), time.Hour); err != nil {
			t.Errorf("Sleep = %v, want nil", err)
		}
		if got := (System{}).Now().Sub(start); got != time.Hour {
			t.Errorf("slept %v, want 1h", got)
		}
	})
}

func TestSystem_SleepEndsWithTheContext(t *testing.T) {
	t.Parallel()
	killed := errors.New("killed")
	tests := []struct {
		name string
		d    time.Duration
		end  func(context.Context) (context.Context, context.CancelFunc)
		want error
		took time.Duration
	}{
		{"cause", time.Hour, func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeoutCause(ctx, time.Minute, killed)
		}, killed, time.Minute},
		{"deadline", time.Hour, func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		}, context.DeadlineExceeded, time.Second},
		{"no time, context alive", 0, context.WithCancel, nil, 0},
		{"negative time, context alive", -time.Hour, context.WithCancel, nil, 0},
		{"no time, context ended", 0, func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			cancel(killed)
			return ctx, func() {}
		}, killed, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := tt.end(t.Context())
				defer cancel()
				start := System{}.Now()
				if err := (System{}).Sleep(ctx, tt.d); !errors.Is(err, tt.want) {
					t.Errorf("Sleep = %v, want %v", err, tt.want)
				}
				if got := (System{}).Now().Sub(start); got != tt.took {
					t.Errorf("took %v, want %v", got, tt.took)
				}
			})
		})
	}
}

func BenchmarkNewID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if id := (System{}).NewID(); len(id) != 26 {
			b.Fatal(id)
		}
	}
}
