package workflow

import (
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

// outcome is what one call of a superstep came to.
type outcome struct {
	node    int
	output  value.Value
	source  int // who had fed the component
	parent  int // the loop it ran in when it was called
	laps    int32
	running bool // a loop with more iterations
	hard    bool // stopped by a hard error
	soft    bool // has a soft error
	missing bool
	leaf    bool // nothing was sent on
	sent    []sent
	failed  string // a message when a connection leads to a component of unknown type
	handled bool   // the soft error was sent to a component
	looped  bool   // the leaf went into the results of its loop
}

// sent is what went to one component, kept in debug sessions.
type sent struct {
	node   int
	inputs value.Value
}

// Complete applies the outputs of the activations that Ready returned, all at once and in their order, and ends the
// superstep. First every component that was called gives up its inputs, then every output travels on; so a value that
// reaches a component which is just being called waits for its next call, whatever the timing.
func (p *Plan) Complete(s *State, activations []Activation) {
	s.done = s.done[:0]
	for i := range activations {
		s.done = append(s.done, outcome{})
		p.settle(s, &activations[i], &s.done[i])
	}
	for i := range s.done {
		p.propagate(s, &s.done[i])
		p.report(s, &s.done[i])
	}
	if p.loops {
		p.turnLoops(s)
	}
	s.Step++
	left, waiting := 0, 0
	for i := range s.nodes {
		if s.nodes[i].active {
			left++
			if s.nodes[i].status != statusNone {
				waiting++
			}
		}
	}
	s.settled = left == waiting
	if left == 0 {
		s.Closed = true
	}
}

// settle takes the output of one call and decides whether its component stays in the run.
func (p *Plan) settle(s *State, a *Activation, o *outcome) {
	ns := &s.nodes[a.Node]
	o.node, o.source, o.parent, o.laps = a.Node, int(ns.source), int(ns.parent), ns.laps
	o.output = a.Output
	if !a.Given.IsAbsent() {
		o.output = a.Given
	}
	o.classify()
	if s.Debug {
		s.watch(a.Node).output = o.output
	}
	switch {
	case o.missing:
		p.reset(s, a.Node)
		ns.status = statusWaiting
	case o.running && !o.hard:
		ns.status, ns.running = statusInProgress, true
		if p.overItems(s, ns.loop) {
			o.hard = true
		}
	case p.moreToCome(s, o.parent):
		p.keepOutside(s, a.Node)
	default:
		if ns.loop != nil {
			p.dismiss(s, a.Node)
		}
		p.reset(s, a.Node)
		ns.status = statusNone
	}
}

// classify reads the members of an output that mean something to the workflow.
func (o *outcome) classify() {
	for _, m := range o.output.Members() {
		if m.Key == "" || m.Key[0] != '_' && m.Key[0] != 'e' {
			continue
		}
		switch m.Key {
		case component.KeyInProgress:
			o.running = m.Value.Truthy()
		case component.KeyHardError:
			o.hard = m.Value.Truthy()
		case component.KeyError:
			o.soft = m.Value.Truthy()
		case keyMissing:
			o.missing = true
		}
	}
}

// report puts what a call came to into the results of the run or of the loop around it.
func (p *Plan) report(s *State, o *outcome) {
	info := p.nodes[o.node].info
	switch {
	case o.failed != "":
		s.errors = append(s.errors, entry{node: o.node, err: value.Of(o.failed), form: formFailed})
	case o.hard:
		e := entry{node: o.node, result: value.NullValue(), err: o.output.Get(component.KeyHardError), form: formStopped}
		if o.parent != none {
			p.loopResult(s, o.parent, p.entryValue(e, s.Debug))
			return
		}
		s.errors = append(s.errors, e)
	case o.parent != none:
		if o.leaf && !o.running {
			o.looped = true
			p.loopResult(s, o.parent, p.finish(component.Entry{ID: info.ID, Name: info.Type, Result: o.output}, o.node, s.Debug))
		}
	default:
		e := entry{node: o.node, result: o.output, form: formOwn, handled: o.handled}
		if o.leaf {
			e.form = formLeaf
		}
		n := &p.nodes[o.node]
		if !o.missing && (!n.outgoing && o.leaf || n.trigger && !o.running) && o.output.Truthy() {
			s.session = append(s.session, e)
		}
		if o.soft {
			s.errors = append(s.errors, e)
		}
	}
}
