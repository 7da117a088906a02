package workflow

import (
	"slices"

	"github.com/sre-go/sre/internal/agentfile"
)

// This file holds what the compiler learns from the shape of the graph.

// markBack finds the connections that close a cycle: those that lead to a component on the path that led to them.
// The search keeps its own stack, so that a file of any depth cannot exhaust the goroutine's.
func (p *Plan) markBack() {
	const (
		unseen = iota
		open
		closed
	)
	type frame struct{ node, next int }
	state := make([]uint8, len(p.nodes))
	for root := range p.nodes {
		if state[root] != unseen {
			continue
		}
		state[root] = open
		stack := []frame{{node: root}}
		for len(stack) > 0 {
			f := &stack[len(stack)-1]
			targets := p.nodes[f.node].targets
			if f.next == len(targets) {
				state[f.node] = closed
				stack = stack[:len(stack)-1]
				continue
			}
			t := &targets[f.next]
			f.next++
			switch state[t.node] {
			case open:
				t.back = true
			case unseen:
				state[t.node] = open
				stack = append(stack, frame{node: t.node})
			}
		}
	}
}

// reach returns which components can be reached from some, along connections that keep passes. The starts themselves
// are reached only when a connection leads back to them.
func (p *Plan) reach(start int, keep func(from int, t *target) bool) []bool {
	seen := make([]bool, len(p.nodes))
	queue := []int{start}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for i := range p.nodes[n].targets {
			t := &p.nodes[n].targets[i]
			if keep(n, t) && !seen[t.node] {
				seen[t.node] = true
				queue = append(queue, t.node)
			}
		}
	}
	return seen
}

// markLoops notes for each input which loop components lie above it.
func (p *Plan) markLoops() {
	for l := range p.nodes {
		if !p.nodes[l].inst.Traits.Loop {
			continue
		}
		below := p.reach(l, func(int, *target) bool { return true })
		below[l] = true
		for n := range p.nodes {
			if !below[n] {
				continue
			}
			for i := range p.nodes[n].targets {
				t := &p.nodes[n].targets[i]
				for _, e := range t.edges {
					if e.input == agentfile.Whole {
						continue
					}
					in := &p.nodes[t.node].inputs[e.input]
					if !slices.Contains(in.loops, l) {
						in.loops = append(in.loops, l)
					}
				}
			}
		}
	}
}

// jobOutput is the output of an Async that goes on in the foreground.
const jobOutput = "JobID"

// markAsync marks what lies behind an Async: everything reachable from its outputs but the id of the job.
func (p *Plan) markAsync() {
	for a := range p.nodes {
		if !p.nodes[a].inst.Traits.Fork {
			continue
		}
		behind := p.reach(a, func(from int, t *target) bool {
			return from != a || slices.ContainsFunc(t.edges, func(e edge) bool { return e.name != jobOutput })
		})
		for n := range behind {
			p.nodes[n].async = p.nodes[n].async || behind[n]
		}
		p.nodes[a].async = true
	}
}
