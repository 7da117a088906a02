package rag

import (
	"context"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

type cleanerSettings struct {
	Namespace string `json:"namespaceId" label:"Namespace" sre:"required,max=80" doc:"Namespace of the team, with the team and a _ before it or without."`
	ID        string `json:"id" label:"Id" sre:"max=1000,allowEmpty,template" doc:"Id of the text; a template over the inputs."`
	Version   string `json:"version" sre:"allowEmpty,advanced" doc:"Kept for editors."`
}

func cleaner() component.Definition {
	return component.Define(component.Spec{
		Name: "DataSourceCleaner", Summary: "Removes a text of the team.", Category: component.Memory,
		Outputs: []component.Port{{Name: "Success", Type: "Boolean", Doc: "Set when the text is not there any more."}},
	}, runCleaner)
}

func runCleaner(ctx context.Context, c *component.Call, s *cleanerSettings, in component.Input) (value.Value, error) {
	name := cleanerNamespace(s.Namespace)
	h, err := room(ctx, c, name)
	if err != nil {
		return value.Value{}, err
	}
	id, err := sourceID(s.ID, in)
	if err != nil {
		return value.Value{}, err
	}
	if err := h.Delete(ctx, name, id); err != nil {
		return value.Value{}, err
	}
	if c.Logs() {
		c.LogDebug("removed", id, "from", name)
	}
	return success(value.OfBool(true)), nil
}

// teamLength is how long the ids of teams are that editors write before the names of namespaces.
const teamLength = 25

// cleanerNamespace returns the name in the setting, without the team before it. Only what looks like one is taken for a team:
// the setting also holds plain names with a _ in them.
func cleanerNamespace(setting string) string {
	team, name, ok := strings.Cut(setting, "_")
	if ok && len(team) == teamLength && team[0] == 'c' {
		return name
	}
	return setting
}
