package workflow

import (
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

// This file holds what a debugger sees and does: steps, injected inputs and outputs, the state of every component.

// StepReport is what one superstep came to, for a debug session.
type StepReport struct {
	State    value.Value // what each call returned; that of the only call as it is
	Settled  bool        // all that is left waits for inputs
	Session  value.Value // results of leaves
	Errors   value.Value
	Finished bool // nothing is left to do
}

// keyExclude marks a result that went to a loop instead of the answer.
const keyExclude = "_exclude"

// Report describes the superstep that Complete has just ended.
func (p *Plan) Report(s *State) StepReport {
	var returned, session, errors []value.Value
	for i := range s.done {
		o := &s.done[i]
		if o.looped {
			o.output = o.output.With(keyExclude, value.OfBool(true))
		}
		sends, own := p.returned(o), p.own(o)
		if own.IsAbsent() {
			returned = append(returned, sends)
		} else {
			returned = append(returned, value.List(sends, own))
		}
		for _, e := range [...]value.Value{sends, own} {
			if p.isSession(o, e) {
				session = append(session, e)
			}
			if o.parent == none && e.IsObject() && (e.Get(component.KeyHardError).Truthy() || e.Get("result").Get(component.KeyError).Truthy()) {
				errors = append(errors, e)
			}
		}
	}
	r := StepReport{Settled: s.settled, Session: value.OfItems(session), Errors: value.OfItems(errors), Finished: s.Closed}
	if len(returned) == 1 {
		r.State = returned[0]
	} else {
		r.State = value.OfItems(returned)
	}
	return r
}

// returned is what a call sent on, or its result when it sent nothing.
func (p *Plan) returned(o *outcome) value.Value {
	switch {
	case o.failed != "":
		return p.entryValue(entry{node: o.node, err: value.Of(o.failed), form: formFailed}, true)
	case o.hard:
		return p.entryValue(entry{node: o.node, err: o.output.Get(component.KeyHardError), form: formStopped}, true)
	case o.missing:
		return value.Value{}
	case o.leaf:
		return p.entryValue(entry{node: o.node, result: o.output, form: formLeaf}, true)
	case len(o.sent) == 1:
		to := p.nodes[o.sent[0].node].info
		return value.Obj(value.M("id", value.Of(to.ID)), value.M("name", value.Of(to.Type)), value.M("inputs", o.sent[0].inputs))
	}
	return value.List() // of several, only those with a result would stay, and none has one yet
}

// own is the result of a call under the name of its component; absent when a hard error stopped it.
func (p *Plan) own(o *outcome) value.Value {
	if o.hard {
		return value.Value{}
	}
	return p.entryValue(entry{node: o.node, result: o.output, form: formOwn}, true)
}

func (p *Plan) isSession(o *outcome, e value.Value) bool {
	n := &p.nodes[o.node]
	return e.IsObject() && e.Get("result").Truthy() && !o.missing && (o.parent == none || o.looped) && !n.outgoing
}

// Inject returns the calls of a superstep that a debugger describes: a list of {id, ctx: {active, input, output}}.
// Components without active are left out; an output that says something replaces the call.
func (p *Plan) Inject(s *State, list value.Value, variables value.Value) []Activation {
	s.ready, s.scratch = s.ready[:0], s.scratch[:0]
	for _, it := range list.Items() {
		n, ok := p.byID[it.GetString("id")]
		ctx := it.Get("ctx")
		if !ok || !ctx.Get("active").Truthy() || ctx.Get("status").Truthy() {
			continue
		}
		p.inject(s, n, ctx)
		s.ready = append(s.ready, Activation{Node: n})
	}
	for k := range s.ready {
		p.prepare(s, &s.ready[k], variables)
		if out := Mocked(list, p.nodes[s.ready[k].Node].info.ID); !out.IsAbsent() {
			s.ready[k].Given = out
		}
	}
	if len(s.ready) == 0 {
		s.Closed = true
	}
	return s.ready
}

func (p *Plan) inject(s *State, n int, ctx value.Value) {
	ns := &s.nodes[n]
	held := p.portsOf(s, n)
	for _, m := range ctx.Get("input").Members() {
		known := false
		for i := range held {
			if p.nodes[n].info.Inputs[i].Name == m.Key {
				held[i], known = merge(held[i], m.Value), true
			}
		}
		if !known {
			w := s.watch(n)
			if !w.extra.IsObject() {
				w.extra = value.Obj()
			}
			w.extra = w.extra.With(m.Key, m.Value)
		}
	}
	ns.active, ns.status = true, statusNone
	if source, ok := p.byID[ctx.GetString("sourceId")]; ok {
		ns.source = int32(source)
	}
}

// Mocked returns the output that a debugger gives for a component in a list of {id, ctx: {output}}; absent when there
// is none, or when all of it is empty text.
func Mocked(list value.Value, id string) value.Value {
	for _, it := range list.Items() {
		if it.GetString("id") != id {
			continue
		}
		out := it.Get("ctx").Get("output")
		for _, m := range out.Members() {
			if s, text := m.Value.Str(); !text || s != "" {
				return out
			}
		}
		return value.Value{}
	}
	return value.Value{}
}

// Inspect returns what a debugger sees of every component: {id: ctx}. Only those touched in the last superstep or
// later are given when delta is set.
func (p *Plan) Inspect(s *State, delta bool) value.Value {
	last := max(s.Step-1, 0)
	b := value.NewBuilder(len(p.nodes))
	for i := range s.nodes {
		ns := &s.nodes[i]
		if delta && int(ns.step) < last {
			continue
		}
		b.Set(p.nodes[i].info.ID, p.inspect(s, i))
	}
	return b.Build()
}

func (p *Plan) inspect(s *State, i int) value.Value {
	ns, w := &s.nodes[i], s.watch(i)
	ctx := value.NewBuilder(7)
	ctx.Set("active", value.OfBool(ns.active)).Set("name", value.Of(p.nodes[i].info.Type))
	if ns.status != statusNone {
		ctx.Set("status", value.Of(ns.status.String()))
	}
	if !w.fed.IsAbsent() {
		ctx.Set("input", w.fed)
	}
	if !w.output.IsAbsent() {
		ctx.Set("output", w.output)
	}
	if ns.source != none {
		ctx.Set("sourceId", value.Of(p.nodes[ns.source].info.ID))
	}
	return ctx.Set("step", value.OfInt(int(ns.step))).Build()
}

// Active reports whether anything of the run is left.
func (s *State) Active() bool {
	for i := range s.nodes {
		if s.nodes[i].active {
			return true
		}
	}
	return false
}

// Source returns the id of the component that fed another last; ok is false when none did.
func (p *Plan) Source(s *State, n int) (id string, ok bool) {
	if from := s.nodes[n].source; from != none {
		return p.nodes[from].info.ID, true
	}
	return "", false
}
