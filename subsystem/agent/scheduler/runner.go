package scheduler

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// RunnerConfig is what a [Runner] works with.
type RunnerConfig struct {
	Service *Service
	// Knows reports whether this process can run jobs of an agent. Jobs of others are left alone: another process may.
	Knows func(ctx context.Context, e Entry) bool
	// Do does a job once and returns what it came to. It ends soon after ctx.
	Do       func(ctx context.Context, e Entry) (value.Value, error)
	Effects  effect.Source
	Events   *event.Bus
	Log      *slog.Logger
	Parallel int // jobs at once, 0 for [DefaultParallel]
}

// DefaultParallel is how many jobs run at once unless it is configured.
const DefaultParallel = 8

// Times of a runner.
const (
	lookAgain = 5 * time.Second // how soon changes of other processes are seen
	heldOff   = time.Minute     // how long a job is let be that could not even be begun
)

// Runner runs jobs when they are due. A job has one run at a time, whoever begins it. What was due while nobody ran jobs
// is run once, and not more often. Before a run begins it is written down when the job is due next: a run that a crash
// cuts short is not begun again.
//
// A runner is used once: Start it, then Close it.
type Runner struct {
	cfg    RunnerConfig
	slots  chan struct{}
	ctx    context.Context // of the runs
	cancel context.CancelCauseFunc

	quit context.CancelFunc // ends the loop
	stop func()             // ends the subscription
	loop sync.WaitGroup
	runs sync.WaitGroup

	mu      sync.Mutex
	changed bool               // something may be due
	wake    context.CancelFunc // ends the wait of the loop, nil when it does not wait
	running map[string]bool    // by the text of the address
	held    map[string]time.Time
	told    map[string]bool // unknown agents that the log has heard of
}

// NewRunner returns a runner, which does nothing before Start.
func NewRunner(cfg RunnerConfig) *Runner {
	if cfg.Parallel <= 0 {
		cfg.Parallel = DefaultParallel
	}
	return &Runner{
		cfg: cfg, slots: make(chan struct{}, cfg.Parallel), running: map[string]bool{}, held: map[string]time.Time{}, told: map[string]bool{},
	}
}

// Start begins to run jobs. They get the values of ctx, but do not end with it: Close ends them.
func (r *Runner) Start(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	loop, quit := context.WithCancel(ctx)
	r.quit = quit
	r.stop = event.On(r.cfg.Events, func(context.Context, Changed) { r.nudge() })
	r.loop.Go(func() { r.follow(loop) })
}

// errStopped is why runs end that are cut short by Close.
var errStopped = fault.Newf(fault.Canceled, "the runtime was stopped")

// Close begins no more jobs and waits for those that run. When ctx ends they are cancelled, and waited for. A runner that
// was not started has nothing to close.
func (r *Runner) Close(ctx context.Context) error {
	if r.quit == nil {
		return nil
	}
	r.quit()
	r.stop()
	r.loop.Wait()
	done := make(chan struct{})
	go func() { // ends when the runs have, which this function waits for
		r.runs.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		r.cancel(errStopped)
		<-done
		return context.Cause(ctx)
	}
	r.cancel(nil)
	return nil
}

// follow begins what is due, and waits for what is due next, until ctx ends.
func (r *Runner) follow(ctx context.Context) {
	for ctx.Err() == nil {
		now := r.cfg.Effects.Now()
		next, err := r.begin(ctx, now)
		if err != nil {
			r.cfg.Log.ErrorContext(ctx, "the jobs cannot be listed", "error", err)
		}
		r.wait(ctx, next.Sub(now))
	}
}

// begin begins the jobs that are due and returns when to look again.
func (r *Runner) begin(ctx context.Context, now time.Time) (time.Time, error) {
	again := now.Add(lookAgain)
	for e, err := range r.cfg.Service.All(ctx) {
		if err != nil {
			return again, err
		}
		if e.Paused {
			continue
		}
		switch next := e.Progress.Next; {
		case next.IsZero():
			if first := e.Schedule.First(now); !first.IsZero() {
				r.launch(ctx, e, func(ctx context.Context) { r.reckon(ctx, e) })
			}
		case next.After(now):
			if next.Before(again) {
				again = next
			}
		default:
			r.launch(ctx, e, func(ctx context.Context) { r.due(ctx, e) })
		}
	}
	return again, nil
}

// launch does something with a job in a goroutine of its own, unless something is being done with it, it is let be for
// now, its agent is not known here, or as much as may be is running.
func (r *Runner) launch(ctx context.Context, e Entry, do func(context.Context)) {
	key := e.Address().String()
	r.mu.Lock()
	busy := r.running[key] || r.cfg.Effects.Now().Before(r.held[key])
	r.mu.Unlock()
	if busy || !r.knows(ctx, e) {
		return
	}
	select {
	case r.slots <- struct{}{}:
	default:
		return // who ends nudges
	}
	r.mu.Lock()
	r.running[key] = true
	delete(r.held, key)
	r.mu.Unlock()
	r.runs.Go(func() {
		defer func() {
			r.mu.Lock()
			delete(r.running, key)
			r.mu.Unlock()
			<-r.slots
			r.nudge()
		}()
		do(r.ctx)
	})
}

// knows asks whether a job can be run here, and says once in the log when not.
func (r *Runner) knows(ctx context.Context, e Entry) bool {
	known := r.cfg.Knows(ctx, e)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !known && !r.told[e.Job.Agent] {
		r.cfg.Log.WarnContext(ctx, "Job execution skipped, agent not found: "+e.Job.Agent, "job", e.ID, "owner", e.Owner.String())
	}
	r.told[e.Job.Agent] = !known
	return known
}

// hold lets a job be for a while that could not be begun.
func (r *Runner) hold(e Entry, d time.Duration) {
	now := r.cfg.Effects.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.held, func(_ string, until time.Time) bool { return !now.Before(until) })
	r.held[e.Address().String()] = now.Add(d)
}

// nudge lets the loop look again at once.
func (r *Runner) nudge() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed = true; r.wake != nil {
		r.wake()
	}
}

// wait waits for d, for a nudge or until ctx ends.
func (r *Runner) wait(ctx context.Context, d time.Duration) {
	ctx, wake := context.WithCancel(ctx)
	defer wake()
	r.mu.Lock()
	if r.changed {
		wake()
	}
	r.wake = wake
	r.mu.Unlock()
	_ = r.cfg.Effects.Sleep(ctx, d) // its end is all that is waited for, for whichever reason
	r.mu.Lock()
	r.wake, r.changed = nil, false
	r.mu.Unlock()
}
