package data

import (
	"context"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

type filterSettings struct {
	Fields string `json:"fields" label:"Fields" sre:"allowEmpty,null,max=30000" doc:"Names of the members to keep, separated by commas."`
}

func filterType() component.Definition {
	return component.Define(component.Spec{
		Name:    "JSONFilter",
		Summary: "Keeps the named members of an object.",
		Doc: "Keeps members with one of the names and leaves out all others, at every level: a nested member stays when its " +
			"own name and the names of all objects around it are listed. The items of arrays are filtered one by one, and " +
			"everything else passes as it is.",
		Category: component.Functions,
		Inputs:   []component.Port{{Name: "Input", Doc: "Object or array to filter."}},
		Outputs:  []component.Port{{Name: "Output", Doc: "The filtered input."}},
		Traits:   component.Traits{Cheap: true},
	}, runFilter)
}

func runFilter(_ context.Context, call *component.Call, s *filterSettings, in component.Input) (value.Value, error) {
	call.LogDebug("=== JSONFilter Log ===")
	out := filter(in.Lookup("Input"), names(s.Fields))
	call.LogDebug("Output filtered")
	return value.Obj(value.M("Output", out), value.M(component.KeyError, value.NullValue())), nil
}

// names splits the list of fields. Spaces around a name do not belong to it.
func names(fields string) map[string]bool {
	keep := make(map[string]bool, 1+strings.Count(fields, ","))
	for name := range strings.SplitSeq(fields, ",") {
		keep[strings.TrimSpace(name)] = true
	}
	return keep
}

func filter(v value.Value, keep map[string]bool) value.Value {
	switch v.Kind() {
	case value.Array:
		items := make([]value.Value, v.Len())
		for i, it := range v.Items() {
			items[i] = filter(it, keep)
		}
		return value.OfItems(items)
	case value.Object:
		kept := value.NewBuilder(min(v.Len(), len(keep)))
		for _, m := range v.Members() {
			if keep[m.Key] {
				kept.Add(m.Key, filter(m.Value, keep))
			}
		}
		return kept.Build()
	}
	return v
}
