package agent

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/workflow"
	"github.com/sre-go/sre/value"
)

const (
	// jobTTL is how long the answer of a background job can be asked for after its end.
	jobTTL = time.Hour
	// maxJobs bounds the background jobs of one agent that run at once.
	maxJobs = 1000
)

// jobs are the background jobs of an agent. They outlive the runs that started them and end with the agent.
type jobs struct {
	agent  *Agent
	ctx    context.Context // ends with the agent
	cancel context.CancelCauseFunc
	group  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	byID   map[string]*job
	active int
}

// job is one background job.
type job struct {
	state component.JobState
	ended time.Time
	done  chan struct{}
}

func newJobs(a *Agent) *jobs {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &jobs{agent: a, ctx: ctx, cancel: cancel, byID: map[string]*job{}}
}

// start registers a job and runs work in the background.
func (j *jobs) start(id string, work func(context.Context) (value.Value, error)) error {
	now := j.agent.manager.cfg.Effects.Now()
	entry := &job{state: component.JobState{Status: "pending"}, done: make(chan struct{})}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return fault.Newf(fault.Unavailable, "the agent is shutting down")
	}
	if j.active >= maxJobs {
		return fault.Limitf("jobs", "LIMIT_EXCEEDED(jobs): the agent has %d background jobs running", maxJobs)
	}
	for old, e := range j.byID {
		if !e.ended.IsZero() && now.Sub(e.ended) > jobTTL {
			delete(j.byID, old)
		}
	}
	j.byID[id] = entry
	j.active++
	j.group.Go(func() {
		out, err := work(j.ctx)
		j.end(entry, out, err)
	})
	return nil
}

func (j *jobs) end(e *job, out value.Value, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e.state = component.JobState{Status: "done", Output: out}
	if err != nil {
		e.state = component.JobState{Status: "failed", Output: ErrorData(err)}
	}
	e.ended = j.agent.manager.cfg.Effects.Now()
	j.active--
	close(e.done)
}

func (j *jobs) get(id string) (component.JobState, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e, ok := j.byID[id]
	if !ok {
		return component.JobState{Status: "unknown_job"}, nil
	}
	return e.state, e.done
}

// close cancels the jobs and waits for them.
func (j *jobs) close(ctx context.Context) error {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	j.cancel(fault.Newf(fault.Canceled, "the agent is shutting down"))
	return j.wait(ctx)
}

// wait waits until no job runs, at most until ctx ends.
func (j *jobs) wait(ctx context.Context) error {
	ended := make(chan struct{})
	go func() {
		j.group.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return errors.Join(fault.Newf(fault.Timeout, "background jobs of agent %q did not end in time", j.agent.id), context.Cause(ctx))
	}
}

// WaitJobs waits until no background job of the agent runs, at most until ctx ends.
func (a *Agent) WaitJobs(ctx context.Context) error { return a.jobs.wait(ctx) }

// Fork starts what follows an Async component as a background job. It may use what its run may, and outlives it.
func (x *execution) Fork(ctx context.Context, call *component.Call, in component.Input) (string, error) {
	a := x.agent
	node, ok := a.program.Index(call.Node.ID)
	if !ok {
		return "", fault.Newf(fault.Internal, "agent %q has no component %q", a.id, call.Node.ID)
	}
	id := call.Node.ID + "-" + a.manager.cfg.Effects.NewID()
	given := component.Input{Ports: in.Ports, Values: append([]value.Value(nil), in.Values...), Extra: in.Extra}
	of := context.WithoutCancel(ctx)
	err := a.jobs.start(id, func(agent context.Context) (value.Value, error) {
		ctx, cancel := context.WithCancelCause(of)
		defer cancel(nil)
		defer context.AfterFunc(agent, func() { cancel(context.Cause(agent)) })()
		return x.fork(ctx, node, id, given)
	})
	return id, err
}

// fork is the run of a background job: the same agent and request without its headers, from the Async component on.
func (x *execution) fork(ctx context.Context, node int, id string, in component.Input) (value.Value, error) {
	f := &execution{agent: x.agent, request: x.request, info: x.info, path: x.path}
	f.request.Headers = value.Obj()
	f.job = x.job
	f.job.Agent, f.job.Request, f.job.Host = &f.info, &f.request, f
	f.job.Watcher, f.job.Checkpoint, f.job.Gate = nil, nil, nil
	f.job.Begin = func(s *workflow.State) { x.agent.program.BeginJob(s, node, id, in) }
	res, err := f.run(ctx)
	return res.Data, err
}

// Job returns the state of a background job of this agent.
func (x *execution) Job(id string) (component.JobState, <-chan struct{}) { return x.agent.jobs.get(id) }
