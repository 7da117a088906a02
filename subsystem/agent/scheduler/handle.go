package scheduler

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Handle is the jobs of one candidate. It is safe for concurrent use. Two processes that change one job at the same
// moment leave the change of one of them.
//
// Errors: who belongs to no team, and a job for an agent of another team, is [fault.Denied]; an id, a job or a schedule
// that cannot be one is [fault.Invalid]; a job that is not there is [fault.NotFound].
type Handle struct {
	service   *Service
	candidate access.Candidate
}

// LimitJobs is the name of the limit on the jobs of one candidate, MaxJobs its value.
const (
	LimitJobs = "scheduler_jobs"
	MaxJobs   = 1000
)

// MaxBytes bounds the stored form of a job.
const MaxBytes = 1 << 20

// LimitBytes is the name of the limit on the stored form of a job.
const LimitBytes = "scheduler_job_bytes"

// MaxPage is the largest number of jobs in one page of a listing.
const MaxPage = 100

// Listing is one page.
type Listing struct {
	Entries []Entry
	Next    string // pass it as after for the next page, "" when this is the last
}

// Candidate returns who the handle acts for.
func (h *Handle) Candidate() access.Candidate { return h.candidate }

// Add schedules a job. A job with that id is replaced: who may use it and its history stay, and it is active again. It
// is first due an interval from now, or at the next time of its cron expression, not before its start.
func (h *Handle) Add(ctx context.Context, id string, job Job, s Schedule) (Entry, error) {
	const op = "scheduler.add"
	if err := check(job, s); err != nil {
		return Entry{}, h.wrap(op, id, err)
	}
	g, there, err := authorize[access.Write](ctx, h, op, id, job.Agent)
	if err != nil {
		return Entry{}, err
	}
	h.service.changing.Lock()
	defer h.service.changing.Unlock()
	e := Entry{ID: id, Owner: h.candidate, Job: job, Schedule: s, ACL: there.acl}
	switch {
	case there.damaged: // nobody knows what became of it
	case there.found:
		e.Progress, err = h.progress(ctx, op, id)
	default:
		err = h.room(ctx)
	}
	if err != nil {
		return Entry{}, h.wrap(op, id, err)
	}
	if e.Progress.Next = s.First(h.service.env.Effects.Now()); e.Progress.Next.IsZero() {
		return Entry{}, h.wrap(op, id, fault.Newf(fault.Invalid, "the job would never be due: endDate is before its first time"))
	}
	if err := h.service.conn.Put(ctx, g, e); err != nil {
		return Entry{}, h.wrap(op, id, err)
	}
	return e, h.keep(ctx, op, g, e.Progress)
}

// check refuses what cannot be scheduled.
func check(job Job, s Schedule) error {
	if err := s.Check(); err != nil {
		return err
	}
	if err := job.Check(); err != nil {
		return err
	}
	text, err := value.Encode(job.Value(), value.Limits{Bytes: MaxBytes / 2})
	if err != nil || len(text) > MaxBytes/2 {
		return fault.Limitf(LimitBytes, "the job takes more than %d bytes", MaxBytes/2)
	}
	return nil
}

// progress returns what became of a job that is there, unless it was deleted meanwhile.
func (h *Handle) progress(ctx context.Context, op, id string) (Progress, error) {
	g, _, err := authorize[access.Read](ctx, h, op, id, "")
	if err != nil {
		return Progress{}, err
	}
	e, err := h.service.conn.Get(ctx, g)
	if fault.Is(err, fault.NotFound) {
		return Progress{}, nil
	}
	return e.Progress, err
}

// room refuses one job more than a candidate may have.
func (h *Handle) room(ctx context.Context) error {
	n := 0
	for _, err := range h.service.conn.All(ctx, h.candidate, "") {
		if err != nil {
			return err
		}
		if n++; n >= MaxJobs {
			return fault.Hint(fault.Limitf(LimitJobs, "%s has %d jobs already, which is the most", h.candidate, MaxJobs), "delete jobs that are no longer needed")
		}
	}
	return nil
}

// keep stores the progress of a job that was changed, and tells who runs jobs.
func (h *Handle) keep(ctx context.Context, op string, g access.Grant[access.Write], p Progress) error {
	if err := h.service.conn.Keep(ctx, g, p); err != nil {
		return h.wrap(op, At(g).ID, err)
	}
	event.Publish(ctx, h.service.env.Events, Changed{At(g)})
	return nil
}

// Get returns a job with its progress.
func (h *Handle) Get(ctx context.Context, id string) (Entry, error) {
	const op = "scheduler.get"
	g, _, err := authorize[access.Read](ctx, h, op, id, "")
	if err != nil {
		return Entry{}, err
	}
	e, err := h.service.conn.Get(ctx, g)
	return e, h.wrap(op, id, err)
}

// Pause keeps a job from running until it is resumed. A run under way comes to its end.
func (h *Handle) Pause(ctx context.Context, id string) error {
	return h.turn(ctx, "scheduler.pause", id, true)
}

// Resume lets a paused job run again. It is next due as if it were added now: what it missed is not made up for.
func (h *Handle) Resume(ctx context.Context, id string) error {
	return h.turn(ctx, "scheduler.resume", id, false)
}

func (h *Handle) turn(ctx context.Context, op, id string, paused bool) error {
	g, _, err := authorize[access.Write](ctx, h, op, id, "")
	if err != nil {
		return err
	}
	read, _, err := authorize[access.Read](ctx, h, op, id, "")
	if err != nil {
		return err
	}
	h.service.changing.Lock()
	defer h.service.changing.Unlock()
	e, err := h.service.conn.Get(ctx, read)
	if err != nil || e.Paused == paused {
		return h.wrap(op, id, err)
	}
	if e.Paused = paused; !paused {
		e.Progress.Next = e.Schedule.First(h.service.env.Effects.Now())
	}
	if err := h.service.conn.Put(ctx, g, e); err != nil {
		return h.wrap(op, id, err)
	}
	return h.keep(ctx, op, g, e.Progress)
}

// Delete removes a job and its history. A run under way comes to its end.
func (h *Handle) Delete(ctx context.Context, id string) error {
	const op = "scheduler.delete"
	g, _, err := authorize[access.Write](ctx, h, op, id, "")
	if err != nil {
		return err
	}
	h.service.changing.Lock()
	defer h.service.changing.Unlock()
	if err := h.service.conn.Delete(ctx, g); err != nil {
		return h.wrap(op, id, err)
	}
	event.Publish(ctx, h.service.env.Events, Changed{At(g)})
	return nil
}

// List returns the jobs of the candidate after the id after ("" for the first), sorted by id, at most limit of them.
func (h *Handle) List(ctx context.Context, after string, limit int) (Listing, error) {
	const op = "scheduler.list"
	if limit <= 0 || limit > MaxPage {
		limit = MaxPage
	}
	if after != "" {
		if err := ValidID(after); err != nil {
			return Listing{}, h.wrap(op, "", err)
		}
	}
	team, err := h.team(ctx, op, "")
	if err != nil {
		return Listing{}, err
	}
	var out Listing
	for e, err := range h.service.conn.All(ctx, h.candidate, after) {
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return Listing{}, h.wrap(op, "", err)
		}
		if !h.service.sameTeam(ctx, e.Job.Agent, team) {
			continue
		}
		if _, err := access.Authorize[access.Read](ctx, h.service.quiet, op, h.candidate, e.Address().String(), e.ACL); err != nil {
			continue
		}
		if len(out.Entries) == limit {
			out.Next = out.Entries[limit-1].ID
			return out, nil
		}
		out.Entries = append(out.Entries, e)
	}
	return out, nil
}

// wrap says where an error arose, once. No error stays none.
func (h *Handle) wrap(op, id string, err error) error {
	if of, ok := err.(*fault.Error); err == nil || ok && of.Op == op {
		return err
	}
	e := &fault.Error{Op: op, Resource: id[:min(len(id), 64)], Kind: fault.KindOf(err), Err: err}
	if h.service != nil {
		e.Connector = h.service.id
	}
	return e
}
