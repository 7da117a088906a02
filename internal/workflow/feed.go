package workflow

import (
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/value"
)

// propagate sends the output of a call along its connections.
func (p *Plan) propagate(s *State, o *outcome) {
	if o.hard || o.missing {
		return
	}
	n := &p.nodes[o.node]
	parent := o.parent
	if o.running {
		parent = o.node
	}
	delivered := false
	for i := range n.targets {
		t := &n.targets[i]
		to := &p.nodes[t.node]
		if to.async && s.job == none && !to.inst.Traits.Fork {
			continue
		}
		if !p.deliver(s, o, t, parent) {
			continue
		}
		delivered = true
		if !to.known {
			o.failed = "Component " + to.info.Type + " not found"
			p.reset(s, t.node)
			return
		}
	}
	o.leaf = !delivered
	if o.leaf && o.running {
		p.endLoop(s, o.node)
	}
}

// deliver sends what one connection group carries, and reports whether it carried anything.
func (p *Plan) deliver(s *State, o *outcome, t *target, parent int) bool {
	arrived, handler := false, false
	held := p.portsOf(s, t.node)
	var fed value.Value // by name, for debuggers
	if s.Debug {
		fed = value.Obj()
	}
	for i := range t.edges {
		e := &t.edges[i]
		if s.job == o.node && e.name == jobOutput && !p.nodes[t.node].async {
			continue
		}
		handler = handler || e.handler
		v := e.value(o.output)
		if v.IsAbsent() {
			continue
		}
		arrived = true
		if e.input == agentfile.Whole {
			p.spread(s, t.node, v)
			continue
		}
		if at := &held[e.input]; at.IsAbsent() {
			*at = v
		} else {
			*at = merge(*at, v)
		}
		if s.Debug {
			name := p.nodes[t.node].info.Inputs[e.input].Name
			fed = fed.With(name, merge(fed.Get(name), v))
		}
	}
	if !arrived {
		return false
	}
	o.handled = o.handled || handler
	ns := &s.nodes[t.node]
	laps := o.laps
	if t.back {
		laps++
	}
	ns.active, ns.idle, ns.running = true, false, false
	if ns.loop != nil {
		ns.loop = nil
	}
	ns.laps = max(ns.laps, laps)
	ns.source, ns.parent, ns.step = int32(o.node), int32(parent), int32(s.Step)
	ns.status = statusNone
	if len(held) > 1 && p.lacks(s, t.node) {
		ns.status = statusWaiting
	}
	if s.Debug {
		s.watch(t.node).fed = fed
		o.sent = append(o.sent, sent{node: t.node, inputs: fed})
	}
	return true
}

// value takes the value of a connection out of an output.
func (e *edge) value(output value.Value) value.Value {
	switch e.kind {
	case fromMember:
		return output.Get(e.name)
	case fromDefault:
		if v := memberOf(output.Get(e.base), e.name); !v.IsAbsent() {
			return v
		}
	}
	return e.path.Walk(output)
}

// spread gives a whole endpoint the members of an object, by the names of its inputs.
func (p *Plan) spread(s *State, n int, v value.Value) {
	held := p.portsOf(s, n)
	for i := range held {
		if m := v.Get(p.nodes[n].info.Inputs[i].Name); !m.IsAbsent() {
			held[i] = merge(held[i], m)
		}
	}
}

// lacks reports whether a component cannot be called yet.
func (p *Plan) lacks(s *State, n int) bool {
	held := p.portsOf(s, n)
	for _, i := range p.nodes[n].required {
		if held[i].IsAbsent() {
			return true
		}
	}
	return false
}
