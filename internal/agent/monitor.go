package agent

import (
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/value"
)

// watch is the pair of events around a run.
type watch struct {
	x       *execution
	payload value.Value
	start   int64
}

// watchRun tells the watcher that the run starts.
func (x *execution) watchRun(path string) watch {
	if x.watcher == nil {
		return watch{}
	}
	e := x.agent.manager.cfg.Effects
	start := e.Now().UnixMilli()
	w := watch{x: x, start: start, payload: value.Obj(
		value.M("eventId", value.Of("e-"+e.NewID())),
		value.M("action", value.Of("callStart")),
		value.M("endpointPath", value.Of(path)),
		value.M("id", value.Of(x.agent.id)),
		value.M("name", value.Of(x.agent.doc.Name)),
		value.M("startTime", value.OfNumber(float64(start))),
		value.M("input", x.input()),
	)}
	x.watcher.Watch("agent", w.payload)
	return w
}

// stop tells the watcher how the run ended.
func (w watch) stop(result value.Value, err error) {
	if w.x == nil {
		return
	}
	p := engine.StopEvent(w.payload, w.start, w.x.agent.manager.cfg.Effects.Now().UnixMilli())
	if err != nil {
		p = p.With("error", value.Of(err.Error()))
	} else {
		p = p.With("result", result)
	}
	w.x.watcher.Watch("agent", p)
}

// Emit passes partial output to whoever watches the run.
func (x *execution) Emit(call *component.Call, d component.Delta) {
	if x.deltas != nil {
		x.deltas(d)
	}
	if x.watcher == nil {
		return
	}
	if s, ok := x.watcher.(*screen); ok {
		s.say(call, d)
		return
	}
	tell(x.watcher, d)
}

// CountTokens implements [component.Host].
func (x *execution) CountTokens(text string) int {
	if count := x.agent.manager.cfg.Tokens; count != nil {
		return count(text)
	}
	const bytesPerToken = 4
	return (len(text) + bytesPerToken - 1) / bytesPerToken
}
