package workflow

import (
	"slices"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

// NewLane returns a state in which only one iteration of a loop runs, beside others of the same loop. output is what
// the loop component answered for the item. Inputs that reached the components of the loop from outside are copied.
func (p *Plan) NewLane(s *State, loop int, output value.Value) *State {
	lane := p.NewState()
	copy(lane.inputs, s.inputs)
	lane.job = s.job
	ns := &lane.nodes[loop]
	ns.active, ns.running, ns.status = true, true, statusInProgress
	ns.loop = &component.Loop{Started: true, Items: []value.Value{{}}, Index: 1}
	ns.laps = s.nodes[loop].laps
	o := outcome{node: loop, output: output, source: none, parent: int(s.nodes[loop].parent), laps: ns.laps, running: true}
	p.propagate(lane, &o)
	p.turnLoops(lane)
	return lane
}

// LaneDone reports whether the iteration of a lane has come to rest.
func (s *State) LaneDone(loop int) bool {
	return s.Closed || s.Limit != "" || s.nodes[loop].status == statusNone
}

// LaneResults returns what the iteration of a lane left, in order.
func (s *State) LaneResults(loop int) []value.Value {
	if l := s.nodes[loop].loop; l != nil {
		return l.Results
	}
	return nil
}

// JoinLane counts the calls of a lane in the run around it and passes on a limit that it reached.
func (p *Plan) JoinLane(s, lane *State) {
	s.calls += lane.calls
	if s.Limit == "" {
		s.Limit, s.LimitName = lane.Limit, lane.LimitName
	}
}

// LanesReady reports whether iterations of a loop can run beside each other: what its components need from outside the
// loop has arrived. When it has not, the iterations follow each other and the first waits for it.
func (p *Plan) LanesReady(s *State, loop int) bool {
	for n := range p.nodes {
		inputs, held := p.nodes[n].inputs, p.portsOf(s, n)
		inside := slices.ContainsFunc(inputs, func(in port) bool { return slices.Contains(in.loops, loop) })
		for _, i := range p.nodes[n].required {
			if inside && held[i].IsAbsent() && !slices.Contains(inputs[i].loops, loop) {
				return false
			}
		}
	}
	return true
}
