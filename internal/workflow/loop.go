package workflow

import (
	"strconv"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

// moreToCome reports whether a component inside that loop will be wanted for another item.
func (p *Plan) moreToCome(s *State, loop int) bool {
	if loop == none {
		return false
	}
	l := &s.nodes[loop]
	return l.running && l.loop != nil && l.loop.Index < len(l.loop.Items)
}

// keepOutside leaves a component of a loop ready for the next item: what came from outside the loop stays, what came
// from a loop goes.
func (p *Plan) keepOutside(s *State, n int) {
	ns := &s.nodes[n]
	held := p.portsOf(s, n)
	for i := range held {
		for _, l := range p.nodes[n].inputs[i].loops {
			if s.nodes[l].loop != nil {
				held[i] = value.Value{}
				break
			}
		}
	}
	ns.active, ns.status, ns.idle = true, statusWaiting, true
	ns.loop, ns.running = nil, false
	ns.step = int32(s.Step)
}

// loopResult adds a result to the loop that a component ran in.
func (p *Plan) loopResult(s *State, loop int, result value.Value) {
	if l := s.nodes[loop].loop; l != nil {
		l.Results = append(l.Results, result)
	}
}

// endLoop makes a loop that nothing follows end at its next call.
func (p *Plan) endLoop(s *State, n int) {
	if ns := &s.nodes[n]; ns.loop != nil {
		ns.loop.Index = len(ns.loop.Items)
	}
}

// dismiss takes the components of a finished loop out of the run when they only waited for its next item.
func (p *Plan) dismiss(s *State, loop int) {
	for i := range s.nodes {
		if ns := &s.nodes[i]; ns.parent == int32(loop) && ns.idle {
			p.reset(s, i)
			ns.status = statusNone
		}
	}
}

// turnLoops calls each loop again whose iteration has come to rest.
func (p *Plan) turnLoops(s *State) {
	runnable := false
	for i := range s.nodes {
		runnable = runnable || s.nodes[i].active && s.nodes[i].status == statusNone
	}
	for i := range s.nodes {
		l := &s.nodes[i]
		if !l.running || l.status != statusInProgress || p.busy(s, i, runnable) {
			continue
		}
		for c := range s.nodes {
			if child := &s.nodes[c]; child.parent == int32(i) && child.status == statusWaiting && !child.idle {
				p.keepOutside(s, c) // its inputs never came together in this iteration
			}
		}
		l.active, l.status = true, statusNone
		l.step = int32(s.Step)
	}
}

// busy reports whether an iteration of a loop still goes on. A component of the loop that waits for inputs holds it up
// as long as something else runs that may bring them.
func (p *Plan) busy(s *State, loop int, runnable bool) bool {
	for i := range s.nodes {
		ns := &s.nodes[i]
		if ns.parent != int32(loop) || !ns.active || ns.idle {
			continue
		}
		if ns.status != statusWaiting || runnable {
			return true
		}
	}
	return false
}

// overItems ends a run whose loop has more items than allowed.
func (p *Plan) overItems(s *State, l *component.Loop) bool {
	if l == nil || len(l.Items) <= p.limits.Items {
		return false
	}
	if s.Limit == "" {
		s.LimitName = limits.Items
		s.Limit = "LIMIT_EXCEEDED(items): a loop has " + strconv.Itoa(len(l.Items)) + " items, the limit is " + strconv.Itoa(p.limits.Items)
	}
	return true
}
