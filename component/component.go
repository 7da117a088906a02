// Package component says what a component of an agent is and what one call of it may touch.
//
// A component is a typed settings struct and a function. From the struct come
// validation, JSON Schema and the reference page; the function receives the
// inputs, already converted to their declared types, and a [Call] with
// everything else it may use. It returns its outputs as one object.
package component

import (
	"context"

	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/value"
)

// Names of output members that the engine gives a meaning to.
const (
	KeyError      = "_error"       // soft error: reported, and may be wired to another component
	KeyHardError  = "error"        // hard error: the branch stops here
	KeyDebug      = "_debug"       // log lines of the call, in debug sessions
	KeyDebugTime  = "_debug_time"  // milliseconds the call took, for components that report it
	KeyInProgress = "_in_progress" // a loop has more iterations
)

// Category groups components in listings and on reference pages.
type Category string

// The categories.
const (
	Skills    Category = "Skills"
	Logic     Category = "Logic"
	Flow      Category = "Flow"
	Functions Category = "Functions"
	Models    Category = "Models"
	Memory    Category = "Memory"
	Agents    Category = "Agents"
	Notes     Category = "Notes"
)

// Port documents an input or output that a component type has by itself; agents add their own.
type Port struct {
	Name     string
	Type     string // name of the input type, "Any" when empty
	Doc      string
	Optional bool
}

// Traits tell the engine how to treat a component type.
type Traits struct {
	// Cheap components do a little pure work: they never block and never call a service.
	// They run on the goroutine of the run; all others of a superstep run concurrently.
	Cheap bool
	// Endpoint components start a run: requests are routed to them by method and name.
	Endpoint bool
	// Loop components are called once an item and once more at the end; see [Loop].
	Loop bool
	// Fork components start what follows them as a job in the background.
	Fork bool
	// Quiet components keep no log; their outputs carry no log text in debug sessions.
	Quiet bool
}

// Spec describes a component type.
type Spec struct {
	Name     string // as agent files name it
	Alias    string // a second name that older files use, "" for none
	Summary  string // one sentence
	Doc      string // Markdown, for the reference page
	Category Category
	Inputs   []Port
	Outputs  []Port
	Traits   Traits
}

// Run does the work of one call. It returns the outputs as an object; an absent member is an output that does not
// fire. An error becomes the soft error "_error" of the result. Run may be called concurrently, for different calls.
type Run[S any] func(ctx context.Context, call *Call, settings *S, in Input) (value.Value, error)

// Finish turns the entry of a finished component into what the caller of the agent sees.
type Finish[S any] func(settings *S, e Entry, info FinishInfo) value.Value

// Definition is one component type that agents can use.
type Definition struct {
	Spec
	Settings schema.Object
	check    func(settings value.Value) []schema.Violation
	compile  func(settings value.Value) (func(context.Context, *Call, Input) (value.Value, error), func(Entry, FinishInfo) value.Value)
}

// Define describes a component type with settings of type S.
func Define[S any](spec Spec, run Run[S]) Definition { return DefineWithFinish(spec, run, nil) }

// DefineWithFinish is Define for types with their own shape of final result.
func DefineWithFinish[S any](spec Spec, run Run[S], finish Finish[S]) Definition {
	settings := schema.For[S]()
	return Definition{
		Spec: spec, Settings: settings,
		compile: func(raw value.Value) (func(context.Context, *Call, Input) (value.Value, error), func(Entry, FinishInfo) value.Value) {
			s, _ := schema.Decode[S](settings, raw) // the type matches: settings is the schema of S
			r := func(ctx context.Context, call *Call, in Input) (value.Value, error) { return run(ctx, call, &s, in) }
			if finish == nil {
				return r, nil
			}
			return r, func(e Entry, info FinishInfo) value.Value { return finish(&s, e, info) }
		},
	}
}

// WithCheck returns the definition with rules that no tag can express. check receives raw settings in which the schema
// found nothing wrong, and returns what it finds. It may be called concurrently.
func (d Definition) WithCheck(check func(settings value.Value) []schema.Violation) Definition {
	d.check = check
	return d
}

// Violations returns what is wrong with settings, by the schema first and then by the rules of WithCheck.
func (d Definition) Violations(settings value.Value) []schema.Violation {
	found := d.Settings.Check(settings)
	if len(found) == 0 && d.check != nil {
		found = d.check(settings)
	}
	return found
}

// Instance is a component with its settings decoded, ready to be called any number of times at once.
type Instance struct {
	Traits     Traits
	Violations []schema.Violation // of the settings; a call with any fails
	run        func(context.Context, *Call, Input) (value.Value, error)
	finish     func(Entry, FinishInfo) value.Value
}

// Compile decodes and checks settings. Wrong settings do not fail here: the component answers with the first
// violation when it is called, as agents expect, and validation reports them all.
func (d Definition) Compile(settings value.Value) Instance {
	run, finish := d.compile(settings)
	return Instance{Traits: d.Spec.Traits, Violations: d.Violations(settings), run: run, finish: finish}
}

// Run calls the component.
func (i *Instance) Run(ctx context.Context, call *Call, in Input) (value.Value, error) {
	return i.run(ctx, call, in)
}

// Finish shapes an entry for the caller of the agent.
func (i *Instance) Finish(e Entry, info FinishInfo) value.Value {
	e.Result = Clean(e.Result, info.Debug)
	if i.finish == nil {
		return e.Value()
	}
	return i.finish(e, info)
}

// Clean removes from a result what only debug sessions see, and an error member that says there was none.
func Clean(result value.Value, debug bool) value.Value {
	if !debug {
		result = result.Without(KeyDebug, KeyDebugTime)
	}
	if e := result.Get(KeyError); !e.IsAbsent() && !e.Truthy() {
		result = result.Without(KeyError)
	}
	return result
}

// Entry is the result of one component as it goes into the answer of a run.
type Entry struct {
	ID     string
	Name   string
	Result value.Value
}

// Value returns the entry as agents see it: {id, name, result}.
func (e Entry) Value() value.Value {
	return value.Obj(value.M("id", value.Of(e.ID)), value.M("name", value.Of(e.Name)), value.M("result", e.Result))
}

// FinishInfo is what a Finish may know of the run.
type FinishInfo struct {
	Debug     bool
	Variables []string // names of the agent's variables
	Inputs    []string // names of the component's declared inputs
}
