package agent

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/internal/hop"
	"github.com/sre-go/sre/internal/workflow"
	"github.com/sre-go/sre/value"
)

// execution is one run of an agent: what the engine is given, and the host of its components.
type execution struct {
	agent   *Agent
	request component.Request
	info    component.Agent
	watcher engine.Watcher
	deltas  func(component.Delta)
	path    *callPath
	job     engine.Job
	meter   engine.Meter
	waiting Waits
}

// Run answers a request. A run that could not give an answer ends with an error whose kind says why:
// [fault.NotFound] without such an endpoint, [fault.Limit], [fault.Canceled] when ctx ended or the run was killed
// (the cause of ctx is an [engine.KilledError] then).
func (a *Agent) Run(ctx context.Context, req Request) (Response, error) {
	path, ok := workflow.SplitPath(req.Path)
	if !ok {
		return Response{Status: 404, Data: value.Obj(value.M("error", value.Of("Endpoint not found")))}, nil
	}
	x, err := a.newExecution(&req, path)
	if err != nil {
		return Response{}, err
	}
	if d := a.debugging(&req, x); d.on {
		return a.runDebug(ctx, x, path, d)
	}
	entry, found := a.program.Endpoint(x.request.Method, path)
	if !found {
		return Response{}, x.notFound(path)
	}
	watch := x.watchRun(path)
	x.job.Begin = func(s *workflow.State) { a.program.Begin(s, entry) }
	res, err := x.run(ctx)
	watch.stop(res.Data, err)
	return res, err
}

// newExecution prepares a run without starting it.
func (a *Agent) newExecution(req *Request, path string) (*execution, error) {
	cfg := &a.manager.cfg
	x := &execution{agent: a, watcher: a.screened(req.Watcher), deltas: req.Deltas}
	x.request = component.Request{
		Method: strings.ToUpper(req.Method), Path: path, Headers: req.headers(), Body: req.Body,
		Query: object(req.Query), Params: object(req.Params), Files: req.Files,
	}
	if x.request.Method == "" {
		x.request.Method = "GET"
	}
	var err error
	calls := int64(cfg.Limits.Steps) * 100
	if x.path, err = req.above(calls).enter(a.id, cfg.Limits.Depth, calls); err != nil {
		return nil, err
	}
	x.info = component.Agent{
		ID: a.id, Team: a.team, Name: a.doc.Name, Version: a.doc.AgentVersion, Behavior: a.doc.Behavior,
		Session: a.session(req.SessionID), Settings: a.doc.Settings,
	}
	x.info.Workflow = x.path.workflow
	if x.info.Workflow == "" {
		x.info.Workflow = x.info.Session // made for this request, unless the caller named it
		if req.SessionID != "" {
			x.info.Workflow = "xTAG-" + cfg.Effects.NewID()
		}
		x.path.workflow = x.info.Workflow
	}
	x.job = engine.Job{
		Program: a.program, Scope: a.scope, Agent: &x.info, Request: &x.request, Effects: cfg.Effects, Host: x, HTTP: cfg.HTTP,
		Use: x.use(), Watcher: x.watcher, KeepLog: cfg.ComponentLogs, Gate: req.Gate, Budget: &x.path.root.budget,
	}
	return x, nil
}

// session names the session of a run.
func (a *Agent) session(given string) string {
	if given != "" {
		return "rt-" + given
	}
	e := a.manager.cfg.Effects
	return "rt-" + e.Now().Format("2006-01-02-15-04-05") + "." + e.NewID()
}

// run gives the prepared run to the engine.
func (x *execution) run(ctx context.Context) (Response, error) {
	ctx = x.acting(ctx)
	if bound := x.agent.manager.cfg.Bound; bound != nil {
		var end context.CancelFunc
		ctx, end = bound(ctx, x.agent.id, x.agent.team)
		defer end()
	}
	vars, err := x.agent.variables.resolve(ctx, x.agent)
	if err != nil {
		return Response{}, err
	}
	x.job.Variables, x.info.Variables = vars, vars
	x.job.Ended = x.ended
	x.job.Meter = &x.meter
	if trace := x.agent.manager.cfg.Trace; trace != nil {
		trace(&x.job)
	}
	began := x.job.Effects.Now()
	data, err := engine.Run(ctx, &x.job)
	used := x.meter.Usage()
	x.agent.usage.add(used, x.job.Effects.Now().Sub(began))
	if err != nil {
		return Response{Usage: used}, runError(err)
	}
	return Response{Data: data, Waiting: x.waiting, Usage: used}, nil
}

// acting tells everything that is done for the run whose run it is.
func (x *execution) acting(ctx context.Context) context.Context {
	ctx = hop.With(ctx, hop.Hop{Depth: x.path.depth, Run: x.info.Session})
	return access.WithActing(ctx, access.Acting{Candidate: x.agent.scope.Candidate(), Team: x.agent.team, Run: x.info.Session})
}

// ended keeps what the answer does not say: who was still waiting.
func (x *execution) ended(s *workflow.State) {
	x.waiting = x.agent.program.Waiting(s)
}

// runError classifies the error that ended a run.
func runError(err error) error {
	var killed *engine.KilledError
	if errors.As(err, &killed) {
		return fault.New(fault.Canceled, err)
	}
	return err
}

func (x *execution) notFound(path string) error {
	watch := x.watchRun(path)
	err := fault.Newf(fault.NotFound, "Endpoint %s %s Not Found", x.request.Method, path)
	watch.stop(value.Value{}, err)
	return err
}

// input is what monitors are shown as the input of the run.
func (x *execution) input() value.Value {
	if x.request.Method == "GET" {
		return x.request.Query
	}
	return x.request.Body
}

// ErrorData is the answer of a run that ended with an error, in the form that agents and their callers know.
func ErrorData(err error) value.Value {
	var killed *engine.KilledError
	if errors.As(err, &killed) {
		return value.Obj(value.M("error", value.Of("AGENT_KILLED")), value.M("reason", value.Of(killed.Reason)))
	}
	return value.Obj(value.M("error", value.Of(err.Error())))
}

// callPath is the chain of agents that called each other to come to a run.
type callPath struct {
	above    *callPath
	root     *rootCall
	agent    string
	depth    int
	workflow string
}

// rootCall is shared by all runs below one request.
type rootCall struct {
	budget atomic.Int64 // component calls that are left
}

// above returns the runs above a request: those of this process, or as many as it says that it came back from.
func (r *Request) above(calls int64) *callPath {
	if r.caller != nil || r.Depth <= 0 {
		return r.caller
	}
	p := &callPath{agent: "…", depth: r.Depth, root: &rootCall{}}
	p.root.budget.Store(calls)
	return p
}

// enter adds an agent to the path.
func (p *callPath) enter(agent string, depth int, calls int64) (*callPath, error) {
	next := &callPath{above: p, agent: agent, depth: 1}
	if p == nil {
		next.root = &rootCall{}
		next.root.budget.Store(calls)
		return next, nil
	}
	next.depth, next.root, next.workflow = p.depth+1, p.root, p.workflow
	if next.depth > depth {
		return nil, fault.Limitf("depth", "LIMIT_EXCEEDED(depth): agents call each other more than %d deep: %s", depth, next.names())
	}
	return next, nil
}

func (p *callPath) names() string {
	names := []string{p.agent}
	for up := p.above; up != nil; up = up.above {
		names = append([]string{up.agent}, names...)
	}
	return strings.Join(names, "→")
}
