package component

import "github.com/sre-go/sre/value"

// Input is the input of one call: a value for each declared input, absent where none arrived, and below them the
// variables of the agent. It must not be changed.
type Input struct {
	Ports     []NodePort
	Values    []value.Value // by index of Ports
	Extra     value.Value   // members that no port declares, from debug sessions; usually absent
	Variables value.Value   // of the agent
}

// Get returns the value of an input by name, absent when none arrived.
func (in Input) Get(name string) value.Value {
	for i := range in.Ports {
		if in.Ports[i].Name == name {
			return in.Values[i]
		}
	}
	return in.Extra.Get(name)
}

// Lookup is Get, falling back to the agent's variable of that name: the scope that templates see.
func (in Input) Lookup(name string) value.Value {
	if v := in.Get(name); !v.IsAbsent() {
		return v
	}
	return in.Variables.Get(name)
}

// Object returns the inputs that arrived as one object, without the variables.
func (in Input) Object() value.Value {
	b := value.NewBuilder(len(in.Ports))
	for i := range in.Ports {
		if !in.Values[i].IsAbsent() {
			b.Set(in.Ports[i].Name, in.Values[i])
		}
	}
	for _, m := range in.Extra.Members() {
		b.Set(m.Key, m.Value)
	}
	return b.Build()
}
