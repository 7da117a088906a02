// Package logic holds the gates of an agent: components that let a branch go on or not by how many of their inputs
// are set.
//
// A gate answers by which of its outputs exist: Verified and Output, or
// Unverified. An output that does not exist activates nothing, so exactly one
// branch goes on. An input is set when JavaScript would take its value as true.
package logic

import (
	"context"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

// Definitions returns the component types of this family.
func Definitions() []component.Definition {
	return []component.Definition{
		gate("LogicAND", "Verified when all inputs are set.", func(set, inputs int) bool { return set == inputs }),
		gate("LogicOR", "Verified when at least one input is set.", func(set, _ int) bool { return set > 0 }),
		gate("LogicXOR", "Verified when exactly one input is set.", func(set, _ int) bool { return set == 1 }),
		atLeast(),
		atMost(),
	}
}

// noSettings is for components that have none.
type noSettings struct{}

func gate(name, summary string, verified func(set, inputs int) bool) component.Definition {
	return component.Define(spec(name, summary),
		func(_ context.Context, _ *component.Call, _ *noSettings, in component.Input) (value.Value, error) {
			return answer(verified(countSet(in), len(in.Ports))), nil
		})
}

func spec(name, summary string) component.Spec {
	return component.Spec{
		Name:    name,
		Summary: summary,
		Doc: "Set is every value but false, 0, an empty text and null. A branch that shall tolerate a missing input " +
			"needs that input to be optional, because the component waits for the others.",
		Category: component.Logic,
		Outputs: []component.Port{
			{Name: "Output", Type: "Boolean", Optional: true, Doc: "true, when verified."},
			{Name: "Verified", Type: "Boolean", Optional: true, Doc: "true, when verified."},
			{Name: "Unverified", Type: "Boolean", Optional: true, Doc: "true, when not verified."},
		},
		Traits: component.Traits{Cheap: true, Quiet: true},
	}
}

// countSet returns how many of the declared inputs are set.
func countSet(in component.Input) int {
	set := 0
	for i := range in.Ports {
		v := in.Values[i]
		if v.IsAbsent() {
			v = in.Variables.Get(in.Ports[i].Name)
		}
		if v.Truthy() {
			set++
		}
	}
	return set
}

func answer(verified bool) value.Value {
	yes := value.OfBool(true)
	if verified {
		return value.Obj(value.M("Output", yes), value.M("Verified", yes))
	}
	return value.Obj(value.M("Unverified", yes))
}
