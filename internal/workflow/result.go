package workflow

import (
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

// entry is one result of a run before it is shaped for the caller.
type entry struct {
	node    int
	form    form
	result  value.Value
	err     value.Value
	handled bool // its error was sent to a component
}

// form is the shape of an entry.
type form uint8

const (
	formLeaf    form = iota // {id, name: type, result}
	formOwn                 // {id, name: display name, result}
	formStopped             // {id, name: display name, result: null, error}
	formFailed              // {error, id, name: display name}
)

// entryValue returns an entry as a debugger sees it.
func (p *Plan) entryValue(e entry, debug bool) value.Value {
	info := p.nodes[e.node].info
	id, name := value.M("id", value.Of(info.ID)), value.M("name", value.Of(info.DisplayName))
	switch e.form {
	case formLeaf:
		return value.Obj(id, value.M("name", value.Of(info.Type)), value.M("result", e.result))
	case formStopped:
		v := value.Obj(id, name, value.M("result", value.NullValue()), value.M(component.KeyHardError, e.err))
		if debug {
			v = v.With(component.KeyDebug, e.err)
		}
		return v
	case formFailed:
		return value.Obj(value.M(component.KeyHardError, e.err), id, name)
	}
	return value.Obj(id, name, value.M("result", e.result))
}

// finish shapes a result as its component type wants it.
func (p *Plan) finish(e component.Entry, n int, debug bool) value.Value {
	node := &p.nodes[n]
	if !node.known {
		return e.Value()
	}
	return node.inst.Finish(e, component.FinishInfo{Debug: debug, Variables: p.variables, Inputs: node.names})
}

// Result returns the answer of a run that has come to its end: the only entry as it is, several as a list, an empty
// list when there is none. It takes the entries out of the state.
func (p *Plan) Result(s *State) value.Value {
	if s.Limit != "" {
		return value.Obj(value.M(component.KeyHardError, value.Of(s.Limit)))
	}
	var out []value.Value
	seen := make([]bool, len(p.nodes))
	for _, list := range [][]entry{s.session, s.errors} {
		for i := range list {
			e := &list[i]
			if seen[e.node] {
				continue
			}
			seen[e.node] = true
			if e.handled && e.result.Get(component.KeyError).Truthy() {
				continue
			}
			out = append(out, p.shape(e, s.Debug))
		}
	}
	clear(s.session)
	clear(s.errors)
	s.session, s.errors = s.session[:0], s.errors[:0]
	if len(out) == 1 {
		return out[0]
	}
	return value.OfItems(out)
}

// shape turns an entry into what the caller of the agent sees.
func (p *Plan) shape(e *entry, debug bool) value.Value {
	if e.form == formStopped || e.form == formFailed {
		return p.entryValue(*e, debug)
	}
	info := p.nodes[e.node].info
	name := info.DisplayName
	if e.form == formLeaf {
		name = info.Type
	}
	return p.finish(component.Entry{ID: info.ID, Name: name, Result: e.result}, e.node, debug)
}
