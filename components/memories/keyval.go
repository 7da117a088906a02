package memories

import (
	"context"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

type writeSettings struct {
	MemoryName string  `json:"memoryName" label:"Memory Name" sre:"required,max=255,template" doc:"Name of the memory."`
	Key        string  `json:"key" label:"Key" sre:"required,max=255,template" doc:"Key of the text; a template over the inputs."`
	Value      string  `json:"value" label:"Value" sre:"max=100000,allowEmpty,template" doc:"The text; a template over the inputs."`
	Scope      string  `json:"scope" label:"Scope" sre:"max=20,allowEmpty" doc:"Who sees it: request, session, ttl (every run until ttl has passed), agent (every run), team (every agent of the team) or nothing (every run for three hours)."`
	TTL        float64 `json:"ttl" label:"TTL" sre:"min=300,max=604800" doc:"Seconds that a text of the scopes ttl, agent and team is remembered."`
}

func writeKey() component.Definition {
	return component.Define(component.Spec{
		Name: "MemoryWriteKeyVal", Summary: "Remembers a text under a key.", Category: component.Memory,
		Outputs: []component.Port{{Name: "Key", Type: "Text", Doc: "The key."}},
	}, func(ctx context.Context, c *component.Call, s *writeSettings, in component.Input) (value.Value, error) {
		key, err := fill(s.Key, in)
		if err != nil {
			return value.Value{}, err
		}
		text, err := fill(s.Value, in)
		if err != nil {
			return value.Value{}, err
		}
		if err := remember(ctx, c, s.MemoryName, s.Scope, key, text, time.Duration(s.TTL*float64(time.Second))); err != nil {
			return value.Value{}, err
		}
		return value.Obj(value.M("Key", value.Of(key))), nil
	})
}

type keySettings struct {
	MemoryName string `json:"memoryName" label:"Memory Name" sre:"required,max=255,template" doc:"Name of the memory."`
	Key        string `json:"key" label:"Key" sre:"required,max=255,template" doc:"Key of the text; a template over the inputs."`
}

func readKey() component.Definition {
	return component.Define(component.Spec{
		Name: "MemoryReadKeyVal", Summary: "Recalls the text of a key.", Category: component.Memory,
		Outputs: []component.Port{{Name: "Value", Type: "Text", Doc: "The text."}, {Name: "_warning", Type: "Text", Doc: "Says that there is no such key.", Optional: true}},
	}, func(ctx context.Context, c *component.Call, s *keySettings, in component.Input) (value.Value, error) {
		key, err := fill(s.Key, in)
		if err != nil {
			return value.Value{}, err
		}
		_, text, err := recall(ctx, c, s.MemoryName, key)
		if err != nil || text.IsAbsent() {
			return notFound(), err
		}
		return value.Obj(value.M("Value", text)), nil
	})
}

func deleteKey() component.Definition {
	return component.Define(component.Spec{
		Name: "MemoryDeleteKeyVal", Summary: "Forgets the text of a key.", Category: component.Memory,
		Outputs: []component.Port{
			{Name: "Key", Type: "Text", Doc: "The key."}, {Name: "deleted", Type: "Boolean", Doc: "Set when there was a text."},
			{Name: "_warning", Type: "Text", Doc: "Says that there is no such key.", Optional: true},
		},
	}, func(ctx context.Context, c *component.Call, s *keySettings, in component.Input) (value.Value, error) {
		key, err := fill(s.Key, in)
		if err != nil {
			return value.Value{}, err
		}
		entry, text, err := recall(ctx, c, s.MemoryName, key)
		if err != nil || text.IsAbsent() {
			return notFound(), err
		}
		if err := c.Cache().Delete(ctx, entry); err != nil {
			return value.Value{}, err
		}
		return value.Obj(value.M("Key", value.Of(key)), value.M("deleted", value.OfBool(true))), nil
	})
}
