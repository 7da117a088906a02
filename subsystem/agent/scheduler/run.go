package scheduler

import (
	"context"
	"strings"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Executing is published before a job runs.
type Executing struct{ Entry Entry }

// Executed is published after a job has run, with the outcome as the last of its history.
type Executed struct {
	Entry   Entry
	Outcome Outcome
}

// reckon writes down when a job is due that nobody has reckoned: one of a folder of the reference.
func (r *Runner) reckon(ctx context.Context, e Entry) {
	err := r.leased(ctx, e, func(g access.Grant[access.Write], now Entry) error {
		if now.Progress.Next.IsZero() {
			now.Progress.Next = now.Schedule.First(r.cfg.Effects.Now())
			return r.cfg.Service.conn.Keep(ctx, g, now.Progress)
		}
		return nil
	})
	r.failed(ctx, e, err)
}

// due runs a job, unless somebody else has done so since it was listed.
func (r *Runner) due(ctx context.Context, e Entry) {
	err := r.leased(ctx, e, func(g access.Grant[access.Write], now Entry) error {
		start := r.cfg.Effects.Now()
		next := now.Progress.Next
		if now.Paused || next.IsZero() || next.After(start) {
			return nil
		}
		p := now.Progress
		p.Next, p.Last = now.Schedule.Next(next, start), start
		if err := r.cfg.Service.conn.Keep(ctx, g, p); err != nil {
			return err // it must not be run for ever and ever
		}
		_, err := r.run(ctx, g, now, start)
		return err
	})
	r.failed(ctx, e, err)
}

// failed lets a job be for a while that could not be run at all. That another process has it is no failure.
func (r *Runner) failed(ctx context.Context, e Entry, err error) {
	if err == nil {
		return
	}
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) {
		r.hold(e, lookAgain) // somebody else runs it, or it was deleted
		return
	}
	r.hold(e, heldOff)
	if ctx.Err() == nil {
		r.cfg.Log.ErrorContext(ctx, "a job cannot be run", "job", e.ID, "owner", e.Owner.String(), "error", err)
	}
}

// RunNow runs a job at once, whether it is due or paused or not, and returns how that went. When it is due stays as it
// was. A job that runs already, here or in another process, is [fault.Conflict]. It needs no Start.
func (r *Runner) RunNow(ctx context.Context, owner access.Candidate, id string) (o Outcome, err error) {
	e := Entry{Owner: owner, ID: id}
	err = r.leased(ctx, e, func(g access.Grant[access.Write], now Entry) error {
		if !r.cfg.Knows(ctx, now) {
			return fault.Newf(fault.NotFound, "Job execution skipped, agent not found: %s", now.Job.Agent)
		}
		o, err = r.run(ctx, g, now, r.cfg.Effects.Now())
		return err
	})
	return o, err
}

// leased does something with a job as its owner while nobody else can run it, with the entry as it is then.
func (r *Runner) leased(ctx context.Context, e Entry, do func(access.Grant[access.Write], Entry) error) (err error) {
	const op = "scheduler.run"
	h := r.cfg.Service.For(e.Owner)
	g, _, err := authorize[access.Write](ctx, h, op, e.ID, e.Job.Agent)
	if err != nil {
		return err
	}
	release, err := r.cfg.Service.conn.Lease(ctx, g)
	if err != nil {
		return h.wrap(op, e.ID, err)
	}
	defer func() {
		if failed := release(); err == nil {
			err = h.wrap(op, e.ID, failed)
		}
	}()
	read, _, err := authorize[access.Read](ctx, h, op, e.ID, "")
	if err != nil {
		return err
	}
	now, err := r.cfg.Service.conn.Get(ctx, read)
	if err != nil {
		return h.wrap(op, e.ID, err)
	}
	return h.wrap(op, e.ID, do(g, now))
}

// run does a job, with its retries, and writes the outcome into its history.
func (r *Runner) run(ctx context.Context, g access.Grant[access.Write], e Entry, start time.Time) (Outcome, error) {
	event.Publish(ctx, r.cfg.Events, Executing{e})
	o := r.attempts(ctx, e, start)
	level := r.cfg.Log.InfoContext
	if !o.Success {
		level = r.cfg.Log.WarnContext
	}
	level(ctx, "job "+e.ID, "owner", e.Owner.String(), "does", string(e.Job.Type)+" of "+e.Job.Agent, "success", o.Success, "took", o.Took, "retries", o.Retries, "error", o.Error)
	kept := r.remember(context.WithoutCancel(ctx), g, o)
	event.Publish(ctx, r.cfg.Events, Executed{e, o})
	return o, kept
}

// remember puts an outcome into the history of a job, unless the job was deleted meanwhile.
func (r *Runner) remember(ctx context.Context, g access.Grant[access.Write], o Outcome) error {
	s := r.cfg.Service
	s.changing.Lock()
	defer s.changing.Unlock()
	read, _, err := authorize[access.Read](ctx, s.For(g.Candidate()), "scheduler.run", At(g).ID, "")
	if err != nil {
		return err
	}
	e, err := s.conn.Get(ctx, read)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	p := e.Progress
	p.Last = o.At
	p.History = append([]Outcome{o}, p.History...)
	return s.conn.Keep(ctx, g, p)
}

// attempts does a job until it succeeds, or may not be tried again.
func (r *Runner) attempts(ctx context.Context, e Entry, start time.Time) Outcome {
	o := Outcome{At: start}
	for {
		began := r.cfg.Effects.Now()
		result, err := r.attempt(ctx, e)
		o.Took += r.cfg.Effects.Now().Sub(began)
		if err == nil {
			o.Success, o.Error, o.Result = true, "", result
			return o
		}
		o.Error = clip(err.Error())
		if !e.Job.Retry || o.Retries >= e.Job.MaxRetries || ctx.Err() != nil {
			return o
		}
		if r.cfg.Effects.Sleep(ctx, backoff(o.Retries)) != nil {
			return o
		}
		o.Retries++
	}
}

// attempt does a job once, within its time.
func (r *Runner) attempt(ctx context.Context, e Entry) (value.Value, error) {
	late := fault.Newf(fault.Timeout, "Job execution timed out after %dms", e.Job.Timeout.Milliseconds())
	if e.Job.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, e.Job.Timeout, late)
		defer cancel()
	}
	result, err := r.cfg.Do(ctx, e)
	if err != nil && e.Job.Timeout > 0 && context.Cause(ctx) == late {
		err = late
	}
	return result, err
}

// backoff is how long the attempt after n retries waits: 1 s, then twice as long each time, at most 30 s.
func backoff(n int) time.Duration {
	const most = 30 * time.Second
	return min(most, time.Second<<min(n, 5))
}

// maxError bounds the text of an error in the history, in bytes.
const maxError = 2000

func clip(text string) string {
	if len(text) <= maxError {
		return text
	}
	return strings.ToValidUTF8(text[:maxError], "") + "…"
}
