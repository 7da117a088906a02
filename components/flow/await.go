package flow

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

// statusPending is the state of a job that has not ended.
const statusPending = "pending"

type awaitSettings struct {
	Count   int           `json:"jobs_count" label:"Jobs Count" sre:"min=1,max=100,default=1" doc:"How many of the jobs to wait for."`
	MaxTime time.Duration `json:"max_time" label:"Max Time" sre:"min=1,max=21600,default=1" doc:"Seconds to wait at most."`
}

func await() component.Definition {
	return component.Define(component.Spec{
		Name:    "Await",
		Summary: "Waits for jobs that Async started.",
		Doc: "Waits until so many of the jobs have ended, whichever these are, or the time is over. A job that does not exist " +
			"counts as ended. Results tells of every job: status is pending, done, failed or unknown_job, and output is what " +
			"a job that ended has answered.",
		Category: component.Flow,
		Inputs:   []component.Port{{Name: "Jobs", Doc: "Id of a job, or an array of ids."}},
		Outputs:  []component.Port{{Name: "Results", Type: "Object", Doc: "{status, output} of each job, by id."}},
	}, runAwait)
}

func runAwait(ctx context.Context, call *component.Call, s *awaitSettings, in component.Input) (value.Value, error) {
	var start time.Time
	if call.Debug {
		start = call.Effects.Now()
	}
	ids := jobIDs(in.Lookup("Jobs"))
	if call.Logs() {
		call.LogDebug("Waiting for " + strconv.Itoa(min(s.Count, len(ids))) + " of " + strconv.Itoa(len(ids)) + " jobs")
	}
	if err := waitJobs(ctx, call, ids, s); err != nil {
		return value.Value{}, err
	}
	results := value.NewBuilder(len(ids))
	for _, id := range ids {
		state, _ := call.Host.Job(id)
		results.Add(id, jobValue(state))
	}
	out := value.NewBuilder(2).Set("Results", results.Build())
	if call.Debug {
		out.Set(component.KeyDebugTime, value.OfNumber(float64(call.Effects.Now().Sub(start).Milliseconds())))
	}
	return out.Build(), nil
}

// jobIDs reads an id or a list of ids, each once.
func jobIDs(v value.Value) []string {
	items := []value.Value{v}
	if v.IsArray() {
		items = v.Items()
	}
	seen := make(map[string]bool, len(items))
	ids := make([]string, 0, len(items))
	for _, it := range items {
		if id := it.Text(); !it.IsNil() && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

func jobValue(state component.JobState) value.Value {
	v := value.NewBuilder(2)
	if !state.Output.IsAbsent() {
		v.Set("output", state.Output)
	}
	return v.Set("status", value.Of(state.Status)).Build()
}

// waitJobs returns when enough of the jobs have ended or the time is over; both give nil. The error is the cause of
// ctx. Its goroutines end before it returns.
func waitJobs(ctx context.Context, call *component.Call, ids []string, s *awaitSettings) error {
	ended := 0
	var pending []<-chan struct{}
	for _, id := range ids {
		state, done := call.Host.Job(id)
		if state.Status == statusPending && done != nil {
			pending = append(pending, done)
		} else {
			ended++
		}
	}
	need := min(s.Count, len(ids)) - ended
	if need <= 0 {
		return nil
	}
	waiting, stop := context.WithCancel(ctx)
	var watchers sync.WaitGroup
	defer watchers.Wait()
	defer stop()
	over := make(chan struct{})
	watchers.Go(func() {
		defer close(over)
		_ = call.Effects.Sleep(waiting, s.MaxTime) // ends with the time or with the wait
	})
	one := make(chan struct{}, len(pending))
	for _, done := range pending {
		watchers.Go(func() {
			select {
			case <-done:
				one <- struct{}{}
			case <-waiting.Done():
			}
		})
	}
	for ; need > 0; need-- {
		select {
		case <-one:
		case <-over:
			return context.Cause(ctx)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
