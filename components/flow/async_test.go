package flow

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// fakeHost keeps jobs that tests end by hand or by time.
type fakeHost struct {
	component.Host // everything else is not to be called
	mu             sync.Mutex
	jobs           map[string]*fakeJob
	forked         []string
	err            error
}

type fakeJob struct {
	state component.JobState
	done  chan struct{}
}

func newHost(ids ...string) *fakeHost {
	h := &fakeHost{jobs: map[string]*fakeJob{}}
	for _, id := range ids {
		h.jobs[id] = &fakeJob{component.JobState{Status: "pending"}, make(chan struct{})}
	}
	return h
}

func (h *fakeHost) end(id, status string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.jobs[id].state = component.JobState{Status: status, Output: value.Of("answer of " + id)}
	close(h.jobs[id].done)
}

func (h *fakeHost) Job(id string) (component.JobState, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	j, ok := h.jobs[id]
	if !ok {
		return component.JobState{Status: "unknown_job"}, nil
	}
	return j.state, j.done
}

func (h *fakeHost) Fork(_ context.Context, call *component.Call, in component.Input) (string, error) {
	h.forked = append(h.forked, call.Node.ID+in.Object().JSON())
	return call.Node.ID + "-1", h.err
}

func TestAsync(t *testing.T) {
	t.Parallel()
	inst := async().Compile(parse(t, `{"anything":1}`))
	host := newHost()
	call := &component.Call{Host: host, Node: &component.Node{ID: "A"}}
	got, err := inst.Run(t.Context(), call, port("x", value.OfInt(5)))
	if err != nil || got.JSON() != `{"JobID":"A-1"}` {
		t.Errorf("Run() = %s, %v; want the id of the job", got.JSON(), err)
	}
	if len(host.forked) != 1 || host.forked[0] != `A{"x":5}` {
		t.Errorf("forked %q, want one job with the input", host.forked)
	}
	host.err = fault.Limitf("jobs", "too many")
	if got, err := inst.Run(t.Context(), call, port("x", value.OfInt(5))); !fault.Is(err, fault.Limit) {
		t.Errorf("Run() = %s, %v; want the error of the host", got.JSON(), err)
	}
}

func TestAwait(t *testing.T) {
	t.Parallel()
	type ending struct {
		id, status string
		after      time.Duration
	}
	tests := []struct {
		name, settings, jobs string
		ends                 []ending
		want                 string
		took                 time.Duration
	}{
		{"one job", `{"jobs_count":"1","max_time":"30"}`, `"a"`, []ending{{"a", "done", 2 * time.Second}},
			`{"a":{"output":"answer of a","status":"done"}}`, 2 * time.Second},
		{"a job that failed", `{"max_time":30}`, `["a"]`, []ending{{"a", "failed", time.Second}},
			`{"a":{"output":"answer of a","status":"failed"}}`, time.Second},
		{"a job that had ended", `{}`, `["a"]`, []ending{{"a", "done", 0}}, `{"a":{"output":"answer of a","status":"done"}}`, 0},
		{"time over", `{"max_time":3}`, `["a"]`, nil, `{"a":{"status":"pending"}}`, 3 * time.Second},
		{"default of a second", `{}`, `["a"]`, nil, `{"a":{"status":"pending"}}`, time.Second},
		{"unknown job", `{"max_time":30}`, `"nope"`, nil, `{"nope":{"status":"unknown_job"}}`, 0},
		{"the second ends first", `{"jobs_count":1,"max_time":30}`, `["a","b"]`, []ending{{"b", "done", time.Second}, {"a", "done", 9 * time.Second}},
			`{"a":{"status":"pending"},"b":{"output":"answer of b","status":"done"}}`, time.Second},
		{"two of three", `{"jobs_count":2,"max_time":30}`, `["a","b","c"]`, []ending{{"c", "done", time.Second}, {"a", "done", 4 * time.Second}, {"b", "done", 9 * time.Second}},
			`{"a":{"output":"answer of a","status":"done"},"b":{"status":"pending"},"c":{"output":"answer of c","status":"done"}}`, 4 * time.Second},
		{"more than there are", `{"jobs_count":9,"max_time":30}`, `["a","b"]`, []ending{{"a", "done", time.Second}, {"b", "done", 2 * time.Second}},
			`{"a":{"output":"answer of a","status":"done"},"b":{"output":"answer of b","status":"done"}}`, 2 * time.Second},
		{"an unknown job counts", `{"jobs_count":1,"max_time":30}`, `["a","nope"]`, nil, `{"a":{"status":"pending"},"nope":{"status":"unknown_job"}}`, 0},
		{"the same job twice", `{"jobs_count":2,"max_time":30}`, `["a","a"]`, []ending{{"a", "done", time.Second}}, `{"a":{"output":"answer of a","status":"done"}}`, time.Second},
		{"no jobs", `{"max_time":30}`, `[]`, nil, `{}`, 0},
		{"null", `{"max_time":30}`, `null`, nil, `{}`, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			jobs := parse(t, test.jobs)
			inst := await().Compile(parse(t, test.settings))
			if len(inst.Violations) > 0 {
				t.Fatalf("Compile(%s) has the violation %q", test.settings, inst.Violations[0].Message)
			}
			synctest.Test(t, func(t *testing.T) {
				var ender sync.WaitGroup
				host := newHost("a", "b", "c")
				for _, e := range test.ends {
					if e.after == 0 {
						host.end(e.id, e.status)
						continue
					}
					ender.Go(func() {
						_ = effect.System{}.Sleep(context.Background(), e.after)
						host.end(e.id, e.status)
					})
				}
				call := &component.Call{Host: host, Effects: effect.System{}, Debug: true}
				start := call.Effects.Now()
				got, err := inst.Run(t.Context(), call, port("Jobs", jobs))
				took := call.Effects.Now().Sub(start)
				if err != nil || got.Get("Results").JSON() != test.want {
					t.Errorf("Run() = %s, %v; want the results %s", got.JSON(), err, test.want)
				}
				if took != test.took {
					t.Errorf("Run() took %v, want %v", took, test.took)
				}
				if ms, _ := got.Get(component.KeyDebugTime).Num(); ms != float64(test.took.Milliseconds()) {
					t.Errorf("%s = %v, want %v", component.KeyDebugTime, ms, test.took.Milliseconds())
				}
				ender.Wait()
			})
		})
	}
}

func TestAwaitIsCanceled(t *testing.T) {
	t.Parallel()
	inst := await().Compile(parse(t, `{"max_time":21600}`))
	synctest.Test(t, func(t *testing.T) {
		killed := errors.New("killed")
		ctx, cancel := context.WithCancelCause(t.Context())
		var killer sync.WaitGroup
		killer.Go(func() {
			_ = effect.System{}.Sleep(context.Background(), time.Minute)
			cancel(killed)
		})
		call := &component.Call{Host: newHost("a"), Effects: effect.System{}}
		if got, err := inst.Run(ctx, call, port("Jobs", value.Of("a"))); !errors.Is(err, killed) {
			t.Errorf("Run() = %s, %v; want the cause of the context", got.JSON(), err)
		}
		killer.Wait()
	})
}

func TestAwaitViolations(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, settings, want string }{
		{"recorded", `{"jobs_count":"0","max_time":"1"}`, `"Jobs Count" must be greater than or equal to 1`},
		{"too many jobs", `{"jobs_count":101}`, `"Jobs Count" must be less than or equal to 100`},
		{"no number", `{"jobs_count":"x"}`, `"Jobs Count" must be a number`},
		{"too long", `{"max_time":21601}`, `"Max Time" must be less than or equal to 21600`},
		{"too short", `{"max_time":0}`, `"Max Time" must be greater than or equal to 1`},
		{"fine", `{"jobs_count":100,"max_time":"21600"}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if found := await().Violations(parse(t, test.settings)); len(found) > 0 {
				got = found[0].Message
			}
			if got != test.want {
				t.Errorf("Violations(%s) = %q, want %q", test.settings, got, test.want)
			}
		})
	}
}

func TestTraits(t *testing.T) {
	t.Parallel()
	want := map[string]component.Traits{"ForEach": {Cheap: true, Loop: true}, "Async": {Fork: true}, "Await": {}}
	for _, d := range Definitions() {
		if d.Traits != want[d.Name] {
			t.Errorf("%s has the traits %+v, want %+v", d.Name, d.Traits, want[d.Name])
		}
	}
}
