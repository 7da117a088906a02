// Package workflow is the meaning of an agent's program, without its effects.
//
// An agent file is compiled once into a [Plan]: names resolved to indexes,
// settings decoded, expressions split, connections in slices. A [State] is what a
// run is made of between two supersteps, and it is plain data. Stepping a state
// is pure: no clock, no goroutine, no randomness, no I/O. The same state and the
// same outputs give the same next state, whoever called the components and in
// whatever order they answered. Everything that touches the world is the work of
// package engine.
//
// One superstep is: [Plan.Ready] names the components to call and their inputs;
// somebody calls them; [Plan.Complete] applies all outputs in a fixed order.
package workflow

import (
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/value"
)

// Plan is a compiled agent. It is immutable and serves any number of runs at once.
type Plan struct {
	doc       *agentfile.Document
	nodes     []node
	byID      map[string]int
	routes    map[string][]route // endpoints by path, such as "/api/greet"
	triggers  map[string]int     // by path, such as "/trigger/mail"
	ports     int                // inputs of all nodes together
	loops     bool               // some component is a loop
	variables []string           // names of the agent's variables
	digest    string             // of the program; states belong to one program
	old       bool               // count calls as the reference did
	limits    Limits
}

// Limits bound the runs of a plan.
type Limits struct {
	Circular int // times a run may come back to one component along one path
	Steps    int // component calls outside loops
	Calls    int // component calls in all
	Items    int // items of one loop
}

// Options change how a plan is compiled.
type Options struct {
	Limits Limits
	// PerComponent counts the calls of each component of a run against Limits.Circular, as the reference does,
	// instead of the times a path comes back. Loops of a hundred items end there.
	PerComponent bool
}

// node is one component of the plan.
type node struct {
	info     *component.Node
	known    bool
	inst     component.Instance
	inputs   []port
	names    []string // of the inputs
	fallback bool     // some input has a default
	required []int    // inputs without which it cannot be called: connected, not optional, without a default
	first    int      // index of the first input in the inputs of a state
	targets  []target
	outgoing bool // some connection leaves it
	trigger  bool
	async    bool // reached through an Async: only its job runs it
	parallel int  // iterations of a loop that may run at once
}

// port is one input of a node.
type port struct {
	loops []int // loop components above it
	def   fallback
}

// target is everything that one component sends to another.
type target struct {
	node  int
	back  bool // the connection closes a cycle
	edges []edge
}

// edge is one connection.
type edge struct {
	kind    edgeKind
	name    string     // of the output
	base    string     // of the first default output, for fromDefault
	path    value.Path // of the value in the output
	input   int        // agentfile.Whole for all inputs by name
	handler bool       // it carries the error of its source
}

type edgeKind uint8

const (
	fromMember  edgeKind = iota // output[name]
	fromDefault                 // output[base][name], else the path
	fromPath                    // the path
)

type route struct {
	method string
	node   int
}

// Document returns the agent the plan was compiled from.
func (p *Plan) Document() *agentfile.Document { return p.doc }

// Len returns how many components the plan has. They are numbered from 0 in the order of the file.
func (p *Plan) Len() int { return len(p.nodes) }

// Node returns what the file says of a component.
func (p *Plan) Node(i int) *component.Node { return p.nodes[i].info }

// Instance returns the implementation of a component, nil when its type is unknown.
func (p *Plan) Instance(i int) *component.Instance {
	if !p.nodes[i].known {
		return nil
	}
	return &p.nodes[i].inst
}

// Parallel returns how many iterations of a loop component may run at once, at least 1.
func (p *Plan) Parallel(i int) int { return max(1, p.nodes[i].parallel) }

// Index returns the number of a component by its id.
func (p *Plan) Index(id string) (int, bool) {
	i, ok := p.byID[id]
	return i, ok
}

// Endpoint finds the component that answers a path such as "/api/greet", or a trigger. Methods are compared in
// upper case; a trigger answers any.
func (p *Plan) Endpoint(method, path string) (int, bool) {
	for _, r := range p.routes[path] {
		if strings.EqualFold(r.method, method) {
			return r.node, true
		}
	}
	i, ok := p.triggers[path]
	return i, ok
}

// Digest names the program: two plans with the same digest can continue each other's states.
func (p *Plan) Digest() string { return p.digest }
