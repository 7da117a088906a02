package agent

import (
	"context"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/internal/workflow"
	"github.com/sre-go/sre/value"
)

// debugging is what the debug headers of a request ask for.
type debugging struct {
	on     bool
	id     string // of the session
	run    value.Value
	inject value.Value // calls that the debugger describes, absent for none
	mock   value.Value // outputs that replace calls, absent for none
}

// debugging reads the debug headers. A request of another agent, or of a caller that may not debug, has none.
func (a *Agent) debugging(req *Request, x *execution) debugging {
	h := x.request.Headers
	if _, nested := header(h, "x-request-tag"); !req.Debugger || nested || req.caller != nil {
		return debugging{}
	}
	run, hasRun := header(h, "x-debug-run")
	inj, hasInj := header(h, "x-debug-inj")
	read, _ := header(h, "x-debug-read")
	stop, _ := header(h, "x-debug-stop")
	var d debugging
	d.id = firstOf(stop, run, read)
	if run != "" {
		d.run = value.Of(run)
	}
	if d.id == "" && x.request.Body.Truthy() {
		switch {
		case hasInj:
			d.id = inj
			if inj == "" {
				d.id = "inj-" + a.manager.cfg.Effects.NewID()
			}
			d.inject = x.request.Body
		case hasRun:
			d.id = "dbg-" + a.manager.cfg.Effects.NewID()
		}
		d.run = value.Of(d.id)
	}
	if _, mock := header(h, "x-mock-data-inj"); mock {
		d.mock = x.request.Body
	}
	d.on = d.id != ""
	return d
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// runDebug does one superstep of a debug session and returns what it came to.
func (a *Agent) runDebug(ctx context.Context, x *execution, path string, d debugging) (Response, error) {
	unlock := a.sessions.lock(d.id)
	defer unlock()
	state, err := a.sessions.load(ctx, d.id)
	if err != nil {
		return Response{}, err
	}
	entry, found := a.program.Endpoint(x.request.Method, path)
	if !found && path != "/api/" {
		return Response{}, x.notFound(path)
	}
	if found && strings.HasPrefix(d.id, "dbg-") {
		a.program.Begin(state, entry)
		state.Closed = false
	}
	watch := x.watchRun(path)
	res, err := x.step(ctx, state, d)
	if err == nil {
		err = a.sessions.save(ctx, d.id, state)
	}
	watch.stop(res, err)
	return Response{Data: res}, err
}

// step runs the next superstep of a session and describes it.
func (x *execution) step(ctx context.Context, state *workflow.State, d debugging) (value.Value, error) {
	ctx = x.acting(ctx)
	p := x.agent.program
	vars, err := x.agent.variables.resolve(ctx, x.agent)
	if err != nil {
		return value.Value{}, err
	}
	x.job.Variables, x.info.Variables = vars, vars
	step := engine.Step{Inject: d.inject, Mock: d.mock}
	did, err := engine.RunStep(ctx, &x.job, state, step)
	if err != nil {
		return value.Value{}, runError(err)
	}
	b := value.NewBuilder(7)
	if !did {
		b.Set("state", value.Obj(value.M("sessionClosed", value.OfBool(true)))).Set("dbgSession", value.NullValue())
		b.Set("expiredDbgSession", value.Of(d.id)).Set("sessionClosed", value.OfBool(true))
		return b.Set("finalResult", p.Result(state)).Build(), nil
	}
	r := p.Report(state)
	b.Set("state", r.State)
	if !d.run.IsAbsent() {
		b.Set("dbgSession", d.run)
	}
	if r.Settled {
		b.Set("sessionResult", value.OfBool(true))
	}
	b.Set("sessionResults", r.Session).Set("errorResults", r.Errors).Set("sessionClosed", value.OfBool(r.Finished))
	if state.Limit != "" {
		return value.Value{}, fault.Limitf(state.LimitName, "%s", state.Limit)
	}
	if r.Finished {
		b.Set("finalResult", p.Result(state))
	}
	return b.Build(), nil
}

// ReadDebug returns what a debug session knows of every component: those that changed in the last superstep. The
// error is [fault.NotFound] when the session does not exist.
func (a *Agent) ReadDebug(ctx context.Context, id string) (value.Value, error) {
	unlock := a.sessions.lock(id)
	defer unlock()
	state, err := a.sessions.existing(ctx, id)
	if err != nil {
		return value.Value{}, err
	}
	b := value.NewBuilder(4)
	b.Set("state", a.program.Inspect(state, true))
	active := state.Active()
	if active {
		b.Set("dbgSession", value.Of(id))
	} else {
		b.Set("dbgSession", value.NullValue())
	}
	b.Set("sessionClosed", value.OfBool(!active)).Set("step", value.OfInt(max(state.Step-1, 0)))
	return b.Build(), nil
}
