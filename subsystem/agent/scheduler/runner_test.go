package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/agent/scheduler"
	"github.com/sre-go/sre/subsystem/agent/scheduler/localscheduler"
	"github.com/sre-go/sre/value"
)

// rig is a runner over a folder.
type rig struct {
	*testing.T
	service *scheduler.Service
	runner  *scheduler.Runner
	owner   access.Candidate
	work    *work
	log     *strings.Builder
	denials int
	team    string // of the agent
}

// work is what jobs do, and a count of it.
type work struct {
	do    func(ctx context.Context, e scheduler.Entry) error
	knows func(agent string) bool

	mu    sync.Mutex
	now   int            // under way
	most  int            // at once
	count map[string]int // by id
	at    []time.Time    // beginnings
}

func (w *work) Do(ctx context.Context, e scheduler.Entry) (value.Value, error) {
	w.mu.Lock()
	if w.count == nil {
		w.count = map[string]int{}
	}
	w.count[e.ID]++
	w.at = append(w.at, effect.System{}.Now())
	w.now++
	w.most = max(w.most, w.now)
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.now--
		w.mu.Unlock()
	}()
	result := value.Of("done by " + e.Job.Agent)
	if w.do == nil {
		return result, nil
	}
	return result, w.do(ctx, e)
}

// counts returns how often a job ran, and how many ran at once at most.
func (w *work) counts(id string) (runs, most int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count[id], w.most
}

// newRig opens a folder. The runner is not started.
func newRig(t *testing.T, dir string, w *work) *rig {
	t.Helper()
	r := &rig{T: t, work: w, log: &strings.Builder{}, team: "team"}
	env := connector.Env{
		Log: slog.New(slog.NewTextHandler(r.log, nil)), Dir: dir, Effects: effect.System{}, Events: &event.Bus{},
	}
	t.Cleanup(event.On(env.Events, func(context.Context, access.Decision) { r.denials++ }))
	opened, err := localscheduler.Definition().Open(t.Context(), env, value.Obj())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.(connector.Closer).Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	in := connector.Instances[scheduler.Connector]{Default: "it", ByID: map[string]scheduler.Connector{"it": opened.(scheduler.Connector)}, Order: []string{"it"}}
	r.service = scheduler.New(env, in, r)
	if r.owner, err = access.User("ann"); err != nil {
		t.Fatal(err)
	}
	r.runner = scheduler.NewRunner(scheduler.RunnerConfig{
		Service: r.service, Do: w.Do, Effects: env.Effects, Events: env.Events, Log: env.Log,
		Knows: func(_ context.Context, e scheduler.Entry) bool { return w.knows == nil || w.knows(e.Job.Agent) },
	})
	return r
}

// TeamOf puts everybody into one team, and agents where the test says.
func (r *rig) TeamOf(_ context.Context, c access.Candidate) (string, error) {
	if c.Role() == access.RoleAgent {
		return r.team, nil
	}
	return "team", nil
}

// start starts the runner until the test ends, when nothing may be left of it.
func (r *rig) start() {
	r.Helper()
	r.runner.Start(r.Context())
	r.Cleanup(func() {
		if err := r.runner.Close(context.WithoutCancel(r.Context())); err != nil {
			r.Error(err)
		}
	})
}

func (r *rig) add(id string, s scheduler.Schedule, change ...func(*scheduler.Job)) {
	r.Helper()
	job := scheduler.Job{Type: scheduler.SkillJob, Agent: "agent", Skill: "greet"}
	for _, f := range change {
		f(&job)
	}
	if _, err := r.service.For(r.owner).Add(r.Context(), id, job, s); err != nil {
		r.Fatalf("Add(%q): %v", id, err)
	}
}

func (r *rig) get(id string) scheduler.Entry {
	r.Helper()
	e, err := r.service.For(r.owner).Get(r.Context(), id)
	if err != nil {
		r.Fatalf("Get(%q): %v", id, err)
	}
	return e
}

func (r *rig) wait(d time.Duration) {
	r.Helper()
	if err := (effect.System{}).Sleep(r.Context(), d); err != nil {
		r.Fatal(err)
	}
	synctest.Wait()
}

// runs checks how often a job ran.
func (r *rig) runs(id string, want int) {
	r.Helper()
	if got, _ := r.work.counts(id); got != want {
		r.Errorf("the job %q ran %d times, want %d\n%s", id, got, want, r.log)
	}
}

// virtual runs a test with virtual time.
func virtual(t *testing.T, w *work, f func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(newRig(t, t.TempDir(), w)) })
}

func every(d time.Duration) scheduler.Schedule { return scheduler.Schedule{Every: d} }

func TestRunner_Interval(t *testing.T) {
	t.Parallel()
	virtual(t, &work{}, func(r *rig) {
		r.start()
		r.wait(time.Minute)
		r.add("job", every(10*time.Minute)) // noticed at once
		r.wait(10*time.Minute - time.Millisecond)
		r.runs("job", 0)
		r.wait(50*time.Minute + time.Millisecond)
		r.runs("job", 6)
		e := r.get("job")
		if len(e.Progress.History) != 6 || !e.Progress.History[0].Success || !e.Progress.Last.Equal(e.Progress.History[0].At) {
			r.Errorf("the history is %+v", e.Progress)
		}
	})
}

func TestRunner_CronPauseAndEnd(t *testing.T) {
	t.Parallel()
	virtual(t, &work{}, func(r *rig) { // the clock begins at midnight, on Saturday, 1 January 2000
		r.start()
		r.add("night", scheduler.Schedule{Cron: "0 0-5 * * 6"})
		r.add("until", scheduler.Schedule{Every: time.Hour, End: effect.System{}.Now().Add(3*time.Hour + time.Minute)})
		r.add("paused", every(time.Hour))
		if err := r.service.For(r.owner).Pause(r.Context(), "paused"); err != nil {
			r.Fatal(err)
		}
		r.wait(7 * time.Hour)
		r.runs("night", 5)
		r.runs("until", 3)
		r.runs("paused", 0)
		if e := r.get("until"); !e.Progress.Next.IsZero() {
			r.Errorf("after its end the job is due at %v", e.Progress.Next)
		}
	})
}

// What was due several times while nobody ran jobs is run once.
func TestRunner_CatchesUpOnce(t *testing.T) {
	t.Parallel()
	virtual(t, &work{}, func(r *rig) {
		r.add("job", every(time.Hour))
		r.wait(5*time.Hour + 10*time.Minute)
		r.start()
		r.wait(time.Second)
		r.runs("job", 1)
		r.wait(48 * time.Minute)
		r.runs("job", 1)
		r.wait(2 * time.Minute) // the times of before: on the hour
		r.runs("job", 2)
	})
}

func TestRunner_OneRunAtATime(t *testing.T) {
	t.Parallel()
	w := &work{do: func(ctx context.Context, _ scheduler.Entry) error {
		return effect.System{}.Sleep(ctx, 25*time.Minute)
	}}
	virtual(t, w, func(r *rig) {
		r.add("job", every(10*time.Minute))
		r.start()
		r.wait(61 * time.Minute) // begun at 10, 35 and 60
		r.runs("job", 3)
		if _, most := w.counts("job"); most != 1 {
			r.Errorf("%d runs at once, want 1", most)
		}
		if _, err := r.runner.RunNow(r.Context(), r.owner, "job"); !fault.Is(err, fault.Conflict) {
			r.Errorf("RunNow of a job that runs = %v, want CONFLICT", err)
		}
	})
}

// Two processes on one folder run each job once, and one goes on when the other has ended.
func TestRunner_TwoProcesses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w := &work{do: func(ctx context.Context, _ scheduler.Entry) error { return effect.System{}.Sleep(ctx, time.Second) }}
		a, b := newRig(t, dir, w), newRig(t, dir, w)
		for i := range 5 {
			a.add(fmt.Sprint("job-", i), every(time.Minute))
		}
		a.runner.Start(t.Context())
		b.start()
		a.wait(time.Hour + 30*time.Second)
		for i := range 5 {
			a.runs(fmt.Sprint("job-", i), 60)
		}
		if err := a.runner.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.wait(time.Hour)
		for i := range 5 {
			a.runs(fmt.Sprint("job-", i), 120)
		}
	})
}

func TestRunner_Retries(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		job   func(*scheduler.Job)
		fails int // attempts that fail
		want  string
		waits time.Duration
	}{
		"none":      {func(j *scheduler.Job) { j.MaxRetries = 5 }, 9, `{"success":false,"error":"no","executionTime":0,"retries":0}`, 0},
		"in time":   {func(j *scheduler.Job) { j.Retry, j.MaxRetries = true, 5 }, 3, `{"success":true,"executionTime":0,"retries":3}`, 7 * time.Second},
		"exhausted": {func(j *scheduler.Job) { j.Retry, j.MaxRetries = true, 7 }, 99, `{"success":false,"error":"no","executionTime":0,"retries":7}`, 91 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			left := tt.fails
			w := &work{do: func(context.Context, scheduler.Entry) error {
				if left--; left >= 0 {
					return errors.New("no")
				}
				return nil
			}}
			virtual(t, w, func(r *rig) {
				r.add("job", every(time.Hour), tt.job)
				r.start()
				r.wait(time.Hour + 59*time.Minute)
				e := r.get("job")
				if len(e.Progress.History) != 1 {
					r.Fatalf("the history is %+v, want one outcome", e.Progress.History)
				}
				if got := e.Progress.History[0].Value().Without("timestamp").JSON(); got != tt.want {
					r.Errorf("the outcome is %s, want %s", got, tt.want)
				}
				if got := w.at[len(w.at)-1].Sub(w.at[0]); got != tt.waits {
					r.Errorf("the attempts took %v, want %v", got, tt.waits)
				}
			})
		})
	}
}

func TestRunner_Timeout(t *testing.T) {
	t.Parallel()
	w := &work{do: func(ctx context.Context, _ scheduler.Entry) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	virtual(t, w, func(r *rig) {
		r.add("job", every(time.Hour), func(j *scheduler.Job) { j.Timeout = 1500 * time.Millisecond })
		r.start()
		r.wait(61 * time.Minute)
		want := `{"success":false,"error":"Job execution timed out after 1500ms","executionTime":1500,"retries":0}`
		if h := r.get("job").Progress.History; len(h) != 1 || h[0].Value().Without("timestamp").JSON() != want {
			r.Errorf("the history is %+v, want %s", h, want)
		}
	})
}

// A job whose agent is served by another process is left to it.
func TestRunner_UnknownAgent(t *testing.T) {
	t.Parallel()
	var known atomic.Bool
	w := &work{knows: func(string) bool { return known.Load() }}
	virtual(t, w, func(r *rig) {
		r.add("job", every(time.Minute))
		r.start()
		r.wait(time.Hour)
		r.runs("job", 0)
		if got := strings.Count(r.log.String(), "Job execution skipped, agent not found: agent"); got != 1 {
			r.Errorf("the log says %d times that the agent is not there, want once:\n%s", got, r.log)
		}
		if _, err := r.runner.RunNow(r.Context(), r.owner, "job"); !fault.Is(err, fault.NotFound) {
			r.Errorf("RunNow = %v, want NOT_FOUND", err)
		}
		known.Store(true)
		r.wait(6 * time.Second)
		r.runs("job", 1)
	})
}

// An agent that has left the team of the owner is not run for it any more.
func TestRunner_AgentLeavesTheTeam(t *testing.T) {
	t.Parallel()
	virtual(t, &work{}, func(r *rig) {
		r.add("job", every(time.Minute))
		r.team = "other"
		r.start()
		r.wait(10*time.Minute + time.Second)
		r.runs("job", 0)
		if r.denials == 0 || r.denials > 10 {
			r.Errorf("%d denials in nine minutes, want some and not more than one a minute", r.denials)
		}
	})
}

func TestRunner_Parallel(t *testing.T) {
	t.Parallel()
	w := &work{do: func(ctx context.Context, _ scheduler.Entry) error { return effect.System{}.Sleep(ctx, time.Second) }}
	virtual(t, w, func(r *rig) {
		for i := range 20 {
			r.add(fmt.Sprint("job-", i), every(time.Hour))
		}
		r.start()
		r.wait(time.Hour + 3*time.Second)
		for i := range 20 {
			r.runs(fmt.Sprint("job-", i), 1)
		}
		if _, most := w.counts(""); most != scheduler.DefaultParallel {
			r.Errorf("%d runs at once, want %d", most, scheduler.DefaultParallel)
		}
	})
}

// A job that is deleted while it runs comes to its end, and nothing of it comes back.
func TestRunner_DeletedWhileItRuns(t *testing.T) {
	t.Parallel()
	w := &work{do: func(ctx context.Context, _ scheduler.Entry) error { return effect.System{}.Sleep(ctx, time.Minute) }}
	virtual(t, w, func(r *rig) {
		r.add("job", every(time.Hour))
		r.start()
		r.wait(time.Hour + time.Second)
		if err := r.service.For(r.owner).Delete(r.Context(), "job"); err != nil {
			r.Fatal(err)
		}
		r.wait(3 * time.Hour)
		r.runs("job", 1)
		if _, err := r.service.For(r.owner).Get(r.Context(), "job"); !fault.Is(err, fault.NotFound) {
			r.Errorf("Get = %v, want NOT_FOUND", err)
		}
	})
}

func TestRunner_Close(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		patience time.Duration
		want     string
		fails    bool
	}{
		"waits for runs": {time.Hour, `{"success":true,"executionTime":60000,"retries":0}`, false},
		"ends runs":      {time.Second, `{"success":false,"error":"the runtime was stopped","executionTime":2000,"retries":0}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &work{do: func(ctx context.Context, _ scheduler.Entry) error { return effect.System{}.Sleep(ctx, time.Minute) }}
			virtual(t, w, func(r *rig) {
				r.add("job", every(time.Hour))
				r.runner.Start(r.Context())
				r.wait(time.Hour + time.Second)
				ctx, cancel := context.WithTimeout(r.Context(), tt.patience)
				defer cancel()
				if err := r.runner.Close(ctx); (err != nil) != tt.fails {
					r.Errorf("Close = %v", err)
				}
				h := r.get("job").Progress.History
				if len(h) != 1 || h[0].Value().Without("timestamp").JSON() != tt.want {
					r.Errorf("the history is %+v, want %s", h, tt.want)
				}
				r.wait(5 * time.Hour)
				r.runs("job", 1)
			})
		})
	}
}

func TestRunner_RunNow(t *testing.T) {
	t.Parallel()
	virtual(t, &work{}, func(r *rig) {
		r.add("job", every(time.Hour))
		if err := r.service.For(r.owner).Pause(r.Context(), "job"); err != nil {
			r.Fatal(err)
		}
		due := r.get("job").Progress.Next
		o, err := r.runner.RunNow(r.Context(), r.owner, "job")
		if err != nil || !o.Success || o.Result.Plain() != "done by agent" {
			r.Errorf("RunNow = %+v, %v", o, err)
		}
		e := r.get("job")
		if len(e.Progress.History) != 1 || !e.Progress.Next.Equal(due) || !e.Paused {
			r.Errorf("after RunNow the job is %+v, want it paused and due as before", e)
		}
		if _, err := r.runner.RunNow(r.Context(), r.owner, "other"); !fault.Is(err, fault.NotFound) {
			r.Errorf("RunNow of no job = %v, want NOT_FOUND", err)
		}
	})
}
