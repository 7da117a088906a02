package workflow

import (
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

// State is everything a run is made of between two supersteps. It is plain data, belongs to one run and is not safe
// for concurrent use. A State is reused for other runs of the same plan with [Plan.Begin].
type State struct {
	Step      int    // supersteps so far
	Closed    bool   // the run is over
	Limit     string // why the run was ended early, "" when it was not
	LimitName string // name of that limit
	Debug     bool   // keep what a debugger wants to see

	job     int  // the Async component whose background job this is, none for others
	settled bool // all that is left waits for inputs
	calls   int  // component calls so far
	outside int  // component calls outside loops so far
	nodes   []nodeState
	seen    []seen        // by component, in debug sessions
	inputs  []value.Value // of all nodes, see node.first
	session []entry       // results of leaves, in the order they came
	errors  []entry
	ready   []Activation  // of the superstep under way
	scratch []value.Value // inputs of the activations
	done    []outcome     // of the superstep just completed
}

type status uint8

const (
	statusNone status = iota
	statusWaiting
	statusInProgress
)

func (s status) String() string { return [...]string{"", "waiting", "in_progress"}[s] }

// none marks a nodeState without a source or a parent.
const none = -1

// nodeState is what a run knows of one component. It is small: every superstep looks at all of them.
type nodeState struct {
	active  bool
	idle    bool // a child of a loop that has done its part of the iteration
	running bool // a loop with more iterations
	status  status
	laps    int32
	calls   int32
	source  int32 // who fed it last
	parent  int32 // the loop it runs in
	step    int32
	loop    *component.Loop
}

// seen is what only debuggers look at.
type seen struct {
	extra  value.Value // inputs that no port declares
	fed    value.Value // what it was fed last
	output value.Value
}

// Activation is one component call of a superstep.
type Activation struct {
	Node  int
	Input component.Input // valid until Complete
	// Given is the output when the component need not be called: its inputs are missing, or a debugger gave one.
	Given value.Value
	Loop  *component.Loop // of a loop component
	// Output is what the component answered; the caller sets it before Complete.
	Output value.Value
}

// NewState returns a state for the plan in which nothing is active.
func (p *Plan) NewState() *State {
	s := &State{nodes: make([]nodeState, len(p.nodes)), inputs: make([]value.Value, p.ports)}
	p.Clear(s)
	return s
}

// Clear makes a state of this plan as good as new.
func (p *Plan) Clear(s *State) {
	clear(s.inputs)
	for i := range s.nodes {
		s.nodes[i] = nodeState{source: none, parent: none}
	}
	clear(s.session)
	clear(s.errors)
	clear(s.scratch)
	clear(s.ready)
	clear(s.done)
	*s = State{
		job: none, nodes: s.nodes, inputs: s.inputs, session: s.session[:0], errors: s.errors[:0],
		ready: s.ready[:0], scratch: s.scratch[:0], done: s.done[:0],
	}
}

// Begin activates the component that a request enters through.
func (p *Plan) Begin(s *State, entry int) {
	ns := &s.nodes[entry]
	ns.active, ns.status, ns.source, ns.step = true, statusNone, none, int32(s.Step)
}

// BeginJob starts the background job of an Async component: what it was given goes to the components behind it.
func (p *Plan) BeginJob(s *State, async int, jobID string, in component.Input) {
	s.job = async
	output := value.Obj(value.M(jobOutput, value.Of(jobID)))
	for _, m := range in.Object().Members() {
		output = output.With(m.Key, m.Value)
	}
	o := outcome{node: async, output: output, source: none, parent: none}
	p.propagate(s, &o)
	p.report(s, &o)
}

// portsOf returns the inputs of a node in the state.
func (p *Plan) portsOf(s *State, n int) []value.Value {
	first := p.nodes[n].first
	return s.inputs[first : first+len(p.nodes[n].inputs) : first+len(p.nodes[n].inputs)]
}

// reset forgets the inputs and the loop of a component and takes it out of the run.
func (p *Plan) reset(s *State, n int) {
	ns := &s.nodes[n]
	clear(p.portsOf(s, n))
	ns.active, ns.idle, ns.running = false, false, false
	ns.parent, ns.laps, ns.step = none, 0, int32(s.Step)
	if ns.loop != nil {
		ns.loop = nil
	}
	if s.seen != nil {
		s.seen[n].extra = value.Value{}
	}
}

// watch returns what debuggers see of a component.
func (s *State) watch(n int) *seen {
	if s.seen == nil {
		s.seen = make([]seen, len(s.nodes))
	}
	return &s.seen[n]
}

// extra returns the inputs of a component that no port declares; usually there are none.
func (s *State) extra(n int) value.Value {
	if s.seen == nil {
		return value.Value{}
	}
	return s.seen[n].extra
}
