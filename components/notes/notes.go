// Package notes holds component types that do nothing when they run: the notes of an editor and the bare component.
package notes

import (
	"context"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

// Definitions returns the component types of this family.
func Definitions() []component.Definition {
	return []component.Definition{
		inert("Note", "A note on the canvas; it does nothing."),
		inert("Component", "A component without a function; it gives no outputs."),
	}
}

// noSettings is for components that have none: what an editor stores with a note is not read.
type noSettings struct{}

func inert(name, summary string) component.Definition {
	return component.Define(component.Spec{
		Name:     name,
		Summary:  summary,
		Category: component.Notes,
		Traits:   component.Traits{Cheap: true, Quiet: true},
	}, func(context.Context, *component.Call, *noSettings, component.Input) (value.Value, error) {
		return value.Obj(), nil
	})
}
