package workflow

import (
	"strconv"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

// Ready returns the component calls of the next superstep in the order of the file, and none when the run is over.
// They are valid until Complete. variables are the agent's variables, for default values that name them.
func (p *Plan) Ready(s *State, variables value.Value) []Activation {
	s.ready = s.ready[:0]
	s.scratch = s.scratch[:0]
	if s.Closed {
		return nil
	}
	for i := range s.nodes {
		ns := &s.nodes[i]
		if ns.active && ns.status == statusNone {
			s.ready = append(s.ready, Activation{Node: i})
		}
	}
	for k := range s.ready {
		p.prepare(s, &s.ready[k], variables)
	}
	if len(s.ready) == 0 || s.Limit != "" {
		s.Closed = true
		return nil
	}
	return s.ready
}

// prepare counts the call, fills defaults and copies the inputs, so that values that arrive during this superstep
// belong to the next.
func (p *Plan) prepare(s *State, a *Activation, variables value.Value) {
	n, ns := &p.nodes[a.Node], &s.nodes[a.Node]
	ns.step = int32(s.Step)
	if p.overLimit(s, a.Node) {
		a.Given = value.Obj(value.M(component.KeyHardError, value.Of("Circular Calls Reached")))
		return
	}
	held := p.portsOf(s, a.Node)
	for i := 0; n.fallback && i < len(held); i++ {
		if held[i].IsAbsent() && n.inputs[i].def.set {
			held[i] = n.inputs[i].def.expand(variables)
		}
	}
	from := len(s.scratch)
	s.scratch = append(s.scratch, held...)
	a.Input = component.Input{
		Ports: n.info.Inputs, Values: s.scratch[from:len(s.scratch):len(s.scratch)],
		Extra: s.extra(a.Node), Variables: variables,
	}
	if n.inst.Traits.Loop {
		if ns.loop == nil {
			ns.loop = &component.Loop{}
		}
		a.Loop = ns.loop
	}
	if p.lacks(s, a.Node) {
		a.Given = missingOutput(p.missing(s, a.Node))
	}
}

// overLimit counts a call and reports whether the run must end because of it.
func (p *Plan) overLimit(s *State, n int) bool {
	ns := &s.nodes[n]
	s.calls++
	ns.calls++
	if ns.parent == none && !ns.running {
		s.outside++
	}
	reached := int(ns.laps) >= p.limits.Circular
	if p.old {
		reached = int(ns.calls) > p.limits.Circular
	}
	id := p.nodes[n].info.ID
	switch {
	case s.Limit != "":
	case reached:
		s.LimitName = limits.Circular
		s.Limit = "Circular Calls Limit Reached on " + id + ". Current circular limit is " + strconv.Itoa(p.limits.Circular)
	case s.outside > p.limits.Steps:
		s.LimitName = limits.Steps
		s.Limit = "LIMIT_EXCEEDED(steps): the run made more than " + strconv.Itoa(p.limits.Steps) + " component calls; the last was " + id
	case s.calls > p.limits.Calls:
		s.LimitName = "calls"
		s.Limit = "LIMIT_EXCEEDED(calls): the run made more than " + strconv.Itoa(p.limits.Calls) + " component calls, loops included; the last was " + id
	}
	return s.Limit != ""
}

// missing returns the names of the inputs without which a component cannot be called.
func (p *Plan) missing(s *State, n int) []string {
	var names []string
	held := p.portsOf(s, n)
	for _, i := range p.nodes[n].required {
		if held[i].IsAbsent() {
			names = append(names, p.nodes[n].info.Inputs[i].Name)
		}
	}
	return names
}

// keyMissing is the member of an output that says which inputs were missing.
const keyMissing = "_missing_inputs"

func missingOutput(names []string) value.Value {
	list := value.Strings(names)
	return value.Obj(
		value.M(component.KeyError, value.Of("Missing inputs : "+list.JSON())),
		value.M(keyMissing, list),
	)
}

// Wait is a component that waits for inputs.
type Wait struct {
	ID, Title string
	Missing   []string // names of inputs
}

// Waiting returns the components that wait for inputs that have not arrived.
func (p *Plan) Waiting(s *State) []Wait {
	var waits []Wait
	for i := range s.nodes {
		if s.nodes[i].active && s.nodes[i].status == statusWaiting && !s.nodes[i].idle {
			info := p.nodes[i].info
			waits = append(waits, Wait{ID: info.ID, Title: info.Title, Missing: p.missing(s, i)})
		}
	}
	return waits
}
