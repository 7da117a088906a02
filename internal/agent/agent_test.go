package agent_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/components/flow"
	"github.com/sre-go/sre/components/functions"
	"github.com/sre-go/sre/components/skills"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/agent"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// directory puts agents into the team that their id begins with: "red-one" is of team "red".
type directory struct{}

func (directory) TeamOf(_ context.Context, c access.Candidate) (string, error) {
	team, _, ok := strings.Cut(c.ID(), "-")
	if !ok {
		return "", fault.Newf(fault.NotFound, "no team")
	}
	return team, nil
}

type callSettings struct {
	Agent string `json:"agent"`
	Skill string `json:"skill"`
	Times int    `json:"times"`
}

// caller is a component type that calls a skill of another agent, several times when told to.
func caller(calls *atomic.Int64) component.Definition {
	return component.Define(component.Spec{Name: "Call"}, func(ctx context.Context, c *component.Call, s *callSettings, in component.Input) (value.Value, error) {
		var last value.Value
		for range max(1, s.Times) {
			calls.Add(1)
			v, err := c.Host.Invoke(ctx, c, s.Agent, "", s.Skill, value.Obj(value.M("in", in.Get("in"))))
			if err != nil {
				return value.Value{}, err
			}
			last = v
		}
		return value.Obj(value.M("Output", last)), nil
	})
}

func manager(t *testing.T, more ...component.Definition) *agent.Manager {
	t.Helper()
	return managerWith(t, limits.Default(), more...)
}

func managerWith(t *testing.T, l limits.Limits, more ...component.Definition) *agent.Manager {
	t.Helper()
	defs := append(skills.Definitions(), more...)
	defs = append(defs, flow.Definitions()...)
	defs = append(defs, functions.Definitions()...)
	m := agent.NewManager(agent.Config{Components: defs, Effects: effect.System{}, Limits: l, Teams: directory{}})
	t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return m
}

// load loads an agent whose skill "go" sends its input through one component to the answer.
func load(t *testing.T, m *agent.Manager, id, typ, settings string) *agent.Agent {
	t.Helper()
	text := `{"id":"` + id + `","name":"` + id + `","components":[
		{"id":"EP","name":"APIEndpoint","data":{"endpoint":"go"},"inputs":[{"name":"in","type":"Any"}],"outputs":[{"name":"body.in"},{"name":"headers","default":true}]},
		{"id":"X","name":"` + typ + `","data":` + settings + `,"inputs":[{"name":"in","type":"Any"},{"name":"Input","type":"Any","optional":true},{"name":"Data","type":"Any","optional":true}],"outputs":[{"name":"Output","default":true}]},
		{"id":"OUT","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"out","type":"Any"},{"name":"headers","type":"Any","optional":true}],"outputs":[{"name":"Output","default":true}]}],
		"connections":[{"sourceId":"EP","sourceIndex":0,"targetId":"X","targetIndex":0},{"sourceId":"EP","sourceIndex":0,"targetId":"X","targetIndex":1},{"sourceId":"EP","sourceIndex":0,"targetId":"X","targetIndex":2},
		{"sourceId":"X","sourceIndex":0,"targetId":"OUT","targetIndex":0},{"sourceId":"EP","sourceIndex":1,"targetId":"OUT","targetIndex":1}]}`
	doc, err := agentfile.Parse([]byte(text), m.Bounds())
	if err != nil {
		t.Fatal(err)
	}
	a, err := m.Load(t.Context(), doc, agent.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func request(in string) agent.Request {
	return agent.Request{Method: "POST", Path: "/api/go", Body: value.Obj(value.M("in", value.Of(in)))}
}

// TestT24_ConfusedDeputy: an agent calls only agents of its own team, and what it may not call looks like what does not
// exist.
func TestT24_ConfusedDeputy(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	m := manager(t, caller(&calls))
	load(t, m, "blue-target", "FEncDec", `{"action":"Encode","encoding":"hex"}`)
	load(t, m, "red-target", "FEncDec", `{"action":"Encode","encoding":"hex"}`)
	answer := func(from, to string) string {
		a := load(t, m, from, "Call", `{"agent":"`+to+`","skill":"go"}`)
		res, err := a.Run(t.Context(), request("x"))
		if err != nil {
			t.Fatal(err)
		}
		return res.Data.JSON()
	}
	foreign := answer("red-one", "blue-target")
	missing := answer("red-two", "blue-tarjet")
	if !strings.Contains(foreign, "there is no agent") || foreign != strings.ReplaceAll(missing, "tarjet", "target") {
		t.Errorf("an agent of another team: %s\nan agent that does not exist: %s\nwant the same", foreign, missing)
	}
	if own := answer("red-three", "red-target"); strings.Contains(own, "_error") {
		t.Errorf("an agent of the same team: %s, want its answer", own)
	}
}

// TestT51_CircularAgents: agents that call each other end at the limit of depth, and the error names the path.
func TestT51_CircularAgents(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	m := manager(t, caller(&calls))
	a := load(t, m, "red-a", "Call", `{"agent":"red-b","skill":"go"}`)
	load(t, m, "red-b", "Call", `{"agent":"red-a","skill":"go"}`)
	res, err := a.Run(t.Context(), request("x"))
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Data.JSON(); !strings.Contains(got, "LIMIT_EXCEEDED(depth)") || !strings.Contains(got, "red-a→red-b→red-a") {
		t.Errorf("Run() = %s, want the limit of depth with the path", got)
	}
	if n := calls.Load(); n != int64(limits.Default().Depth) {
		t.Errorf("%d calls, want %d", n, limits.Default().Depth)
	}
}

// TestT51_FanOut: eight calls on each of eight levels stay within the budget of one request.
func TestT51_FanOut(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	few := limits.Default()
	few.Steps = 50
	m := managerWith(t, few, caller(&calls))
	a := load(t, m, "red-a", "Call", `{"agent":"red-a","skill":"go","times":8}`)
	if _, err := a.Run(t.Context(), request("x")); err != nil {
		t.Fatal(err)
	}
	if n, most := calls.Load(), int64(few.Steps)*100; n > most {
		t.Errorf("%d calls, want at most %d", n, most)
	}
}

// TestT17_HeaderSpoofing: headers that steer a run change nothing for a caller that may not debug.
func TestT17_HeaderSpoofing(t *testing.T) {
	t.Parallel()
	a := load(t, manager(t), "red-a", "FEncDec", `{"action":"Encode","encoding":"hex"}`)
	plain, err := a.Run(t.Context(), request("x"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"X-AGENT-ID", "X-AGENT-VERSION", "x-smyth-team-id", "X-REQUEST-TAG", "X-CONVERSATION-ID", "X-MONITOR-ID", "X-CACHE-ID",
		"X-MOCK-DATA-INJ", "X-DEBUG-RUN", "X-DEBUG-READ", "X-DEBUG-INJ", "X-DEBUG-STOP", "X-DEBUG-SKIP", "X-FORCE-DEBUGGER", "X-ROUTING-MODE", "X-AGENT-REMOTE-CALL",
	} {
		for _, v := range []string{"", "dbg-1", "victim"} {
			req := request("x")
			req.Headers = value.Obj(value.M(name, value.Of(v)))
			got, err := a.Run(t.Context(), req)
			if err != nil || !value.Equal(got.Data, plain.Data) {
				t.Errorf("%s: %q gave %s, %v; want %s", name, v, got.Data.JSON(), err, plain.Data.JSON())
			}
		}
	}
}

// TestT45_Paths: only the exact paths of an agent reach it.
func TestT45_Paths(t *testing.T) {
	t.Parallel()
	a := load(t, manager(t), "red-a", "FEncDec", `{"action":"Encode","encoding":"hex"}`)
	for path, want := range map[string]int{"/foo/api/go": 404, "/API/go": 404, "/apigo": 404, "": 404, "/v1.0/api/go": 0, "/v2/api/go": 0, "/v/api/go": 404, "/v1x/api/go": 404} {
		req := request("x")
		req.Path = path
		res, err := a.Run(t.Context(), req)
		if err != nil || res.Status != want {
			t.Errorf("%q: status %d, %v; want %d", path, res.Status, err, want)
		}
	}
	for _, path := range []string{"/api/", "/api/go/", "/api/../api/go", "/api/g", "/trigger/go"} {
		req := request("x")
		req.Path = path
		if _, err := a.Run(t.Context(), req); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q: error = %v, want not found", path, err)
		}
	}
}

func TestRun_SaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	a := load(t, manager(t), "red-a", "FEncDec", `{"action":"Encode","encoding":"hex"}`)
	req := request("x")
	req.Body = value.Obj()
	res, err := a.Run(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Waiting.Err(); err == nil || !strings.Contains(err.Error(), "waits for") {
		t.Errorf("Waiting.Err() = %v, want the components and their inputs", err)
	}
}

func TestLoad_Conflict(t *testing.T) {
	t.Parallel()
	m := manager(t)
	a := load(t, m, "red-a", "FEncDec", `{"action":"Encode","encoding":"hex"}`)
	if _, err := m.Load(t.Context(), a.Document(), agent.Options{}); !fault.Is(err, fault.Conflict) {
		t.Errorf("loading the same id again: error = %v, want a conflict", err)
	}
	if _, err := m.Load(t.Context(), a.Document(), agent.Options{ID: "../x"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("loading under a bad id: error = %v, want invalid", err)
	}
	if got := m.Agents(); len(got) != 1 || got[0] != a {
		t.Errorf("Agents() = %d agents, want the one", len(got))
	}
}

// TestPause holds a run between two supersteps and lets it go on.
func TestPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := load(t, manager(t), "red-a", "FSleep", `{"delay":1}`)
		p := a.Start(t.Context(), request("x"))
		time.Sleep(500 * time.Millisecond)
		p.Pause()
		time.Sleep(time.Hour)
		if p.State() != agent.Paused {
			t.Errorf("State() = %v after Pause, want paused", p.State())
		}
		p.Resume()
		res, err := p.Wait()
		if err != nil || res.Data.GetString("out") != "x" {
			t.Errorf("Wait() = %s, %v; want the answer", res.Data.JSON(), err)
		}
		if p.State() != agent.Ended {
			t.Errorf("State() = %v at the end, want ended", p.State())
		}
	})
}

func TestKill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := load(t, manager(t), "red-a", "FSleep", `{"delay":60}`)
		p := a.Start(t.Context(), request("x"))
		if got := a.Processes(); len(got) != 1 || got[0].ID() != p.ID() {
			t.Errorf("Processes() = %d, want the one that runs", len(got))
		}
		time.Sleep(time.Second)
		start := time.Now()
		p.Kill("stop it")
		_, err := p.Wait()
		if got := agent.ErrorData(err).JSON(); got != `{"error":"AGENT_KILLED","reason":"stop it"}` || time.Since(start) != 0 {
			t.Errorf("Wait() gave %s after %v, want the reason at once", got, time.Since(start))
		}
		if got := a.Processes(); len(got) != 0 {
			t.Errorf("Processes() = %d after the end, want none", len(got))
		}
	})
}

// TestClose_EndsJobs: the background jobs of an agent end with it.
func TestClose_EndsJobs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := manager(t)
		doc, err := agentfile.Parse([]byte(`{"id":"red-a","components":[
			{"id":"EP","name":"APIEndpoint","data":{"endpoint":"go"},"inputs":[{"name":"in","type":"Any"}],"outputs":[{"name":"body.in"}]},
			{"id":"A","name":"Async","data":{},"inputs":[{"name":"in","type":"Any"}],"outputs":[{"name":"JobID","default":true},{"name":"in"}]},
			{"id":"S","name":"FSleep","data":{"delay":3600},"inputs":[{"name":"Input","type":"Any"}],"outputs":[{"name":"Output","default":true}]},
			{"id":"OUT","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"job","type":"Any"}],"outputs":[{"name":"Output","default":true}]}],
			"connections":[{"sourceId":"EP","sourceIndex":0,"targetId":"A","targetIndex":0},{"sourceId":"A","sourceIndex":1,"targetId":"S","targetIndex":0},{"sourceId":"A","sourceIndex":0,"targetId":"OUT","targetIndex":0}]}`), m.Bounds())
		if err != nil {
			t.Fatal(err)
		}
		a, err := m.Load(t.Context(), doc, agent.Options{})
		if err != nil {
			t.Fatal(err)
		}
		res, err := a.Run(t.Context(), request("x"))
		if err != nil || !strings.HasPrefix(res.Data.GetString("job"), "A-") {
			t.Fatalf("Run() = %s, %v; want the id of a job", res.Data.JSON(), err)
		}
		start := time.Now()
		if err := a.Close(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("Close() = %v after %v, want it at once", err, time.Since(start))
		}
		if _, err := a.Run(t.Context(), request("x")); err != nil {
			t.Errorf("a run after Close: %v", err)
		}
	})
}

// TestPanic: a component with a bug fails its run, tells nothing of its data, and harms nobody else.
func TestPanic(t *testing.T) {
	t.Parallel()
	bug := component.Define(component.Spec{Name: "Bug"}, func(context.Context, *component.Call, *struct{}, component.Input) (value.Value, error) {
		panic("secret-canary")
	})
	m := manager(t, bug)
	a, b := load(t, m, "red-a", "Bug", `{}`), load(t, m, "red-b", "FEncDec", `{"action":"Encode","encoding":"hex"}`)
	_, err := a.Run(t.Context(), request("x"))
	if !fault.Is(err, fault.Internal) || strings.Contains(agent.ErrorData(err).JSON(), "canary") {
		t.Errorf("Run() error = %v, want an internal error that tells nothing", err)
	}
	if _, err := b.Run(t.Context(), request("x")); err != nil {
		t.Errorf("another agent: %v", err)
	}
}

// large is a component type that answers with a text of n bytes.
func large() component.Definition {
	type settings struct {
		Bytes int `json:"bytes"`
	}
	return component.Define(component.Spec{Name: "Large"}, func(_ context.Context, _ *component.Call, s *settings, _ component.Input) (value.Value, error) {
		return value.Obj(value.M("Output", value.Of(strings.Repeat("x", s.Bytes)))), nil
	})
}

func TestUsage(t *testing.T) {
	t.Parallel()
	a := load(t, manager(t, large()), "red-a", "Large", `{"bytes":1000000}`)
	res, err := a.Run(t.Context(), request("x"))
	if err != nil {
		t.Fatal(err)
	}
	if u := res.Usage; u.Calls != 3 || u.Peak < 1_000_000 || u.Peak > 1_100_000 || u.Bytes < u.Peak {
		t.Errorf("the run used %+v, want 3 calls and a peak of a million bytes", u)
	}
	if _, err := a.Run(t.Context(), request("x")); err != nil {
		t.Fatal(err)
	}
	if u := a.Usage(); u.Runs != 2 || u.Calls != 6 || u.Peak != res.Usage.Peak || u.Wall <= 0 {
		t.Errorf("the agent used %+v, want that of two runs", u)
	}
}

func TestT30_BoundKeyInAVariable(t *testing.T) {
	t.Parallel()
	key := secret.New("sk-canary").For("api.test")
	m := agent.NewManager(agent.Config{
		Components: skills.Definitions(), Effects: effect.System{}, Limits: limits.Default(), Teams: directory{},
		Secret: func(context.Context, scope.Scope, string) (secret.Value, error) { return key, nil },
	})
	doc, err := agentfile.Parse([]byte(`{"id":"red-a","name":"A","variables":{"k":"{{KEY(x)}}"},"components":[
		{"id":"EP","name":"APIEndpoint","data":{"endpoint":"go"},"inputs":[{"name":"in","type":"Any"}],"outputs":[{"name":"body.in"}]}],"connections":[]}`), m.Bounds())
	if err != nil {
		t.Fatal(err)
	}
	a, err := m.Load(t.Context(), doc, agent.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Run(t.Context(), request("x"))
	if !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "api.test") || strings.Contains(err.Error(), "canary") {
		t.Errorf("a key that is bound to a host in a variable = %v, want a refusal that names the host", err)
	}
}
