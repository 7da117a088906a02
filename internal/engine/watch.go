package engine

import (
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/workflow"
	"github.com/sre-go/sre/value"
)

// Watcher receives the monitor events of a run. It is called from several goroutines at once, in the order of events
// for each component, and must be quick: a slow watcher slows the run.
type Watcher interface {
	// Watch receives an event: its name, such as "component", and its payload.
	Watch(name string, payload value.Value)
}

// event is a monitor event between its start and its stop.
type event struct {
	payload value.Value
	start   int64 // in ms
}

func (r *run) watchStart(a *workflow.Activation, inv *Invocation) event {
	start := r.job.Effects.Now().UnixMilli()
	id := value.Of("e-" + r.job.Effects.NewID())
	inv.Sink = r.watchLog(inv.Node, id)
	source := value.NullValue()
	if from, ok := r.program.Source(r.state, a.Node); ok {
		source = value.Of(from)
	}
	e := event{start: start, payload: value.Obj(
		value.M("eventId", id),
		value.M("action", value.Of("callStart")),
		value.M("sourceId", source),
		value.M("id", value.Of(inv.Node.ID)),
		value.M("name", value.Of(inv.Node.DisplayName)),
		value.M("title", value.Of(inv.Node.Title)),
		value.M("startTime", value.OfNumber(float64(start))),
	)}
	r.job.Watcher.Watch("component", e.payload)
	return e
}

func (r *run) watchStop(e event, output value.Value) {
	r.job.Watcher.Watch("component", StopEvent(e.payload, e.start, r.job.Effects.Now().UnixMilli()).With("output", output))
}

// StopEvent turns the payload of a start into that of the stop, times in ms.
func StopEvent(started value.Value, start, end int64) value.Value {
	return started.With("action", value.Of("callStop")).
		With("endTime", value.OfNumber(float64(end))).
		With("duration", value.OfNumber(float64(end-start)))
}

// watchLog returns a sink for the log lines of one component.
func (r *run) watchLog(n *component.Node, id value.Value) func(level, message string) {
	w := r.job.Watcher
	return func(level, message string) {
		w.Watch("component", value.Obj(
			value.M("eventId", id),
			value.M("action", value.Of("log")),
			value.M("name", value.Of(n.Type)),
			value.M("title", value.Of(n.Title)),
			value.M("logs", value.List(value.Obj(value.M("level", value.Of(level)), value.M("message", value.Of(message))))),
		))
	}
}
