package memories

import (
	"context"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

type objectSettings struct {
	MemoryName string  `json:"memoryName" label:"Memory Name" sre:"required,max=255,template" doc:"Name of the memory."`
	Scope      string  `json:"scope" label:"Scope" sre:"max=20,allowEmpty" doc:"Who sees it: request, session, ttl (every run until ttl has passed), agent (every run), team (every agent of the team) or nothing (every run for three hours)."`
	TTL        float64 `json:"ttl" label:"TTL" sre:"min=300,max=604800" doc:"Seconds that a text of the scopes ttl, agent and team is remembered."`
}

func writeObject() component.Definition {
	return component.Define(component.Spec{
		Name: "MemoryWriteObject", Summary: "Remembers each member of an object as a text.", Category: component.Memory,
		Inputs: []component.Port{{Name: "Data", Type: "Object", Doc: "The object, or its JSON."}},
		Outputs: []component.Port{
			{Name: "Keys", Type: "Array", Doc: "The keys, in order."}, {Name: "Count", Type: "Integer", Doc: "How many there are."},
		},
	}, runWriteObject)
}

func runWriteObject(ctx context.Context, c *component.Call, s *objectSettings, in component.Input) (value.Value, error) {
	data := in.Get("Data")
	if text, ok := data.Str(); ok {
		parsed, err := value.Parse(text)
		if err != nil {
			return value.Value{}, fault.Newf(fault.Invalid, "Invalid JSON data provided")
		}
		data = parsed
	}
	if !data.IsObject() {
		return value.Value{}, fault.Newf(fault.Invalid, "Data must be a valid JSON object")
	}
	keys := make([]string, 0, len(data.Members()))
	for _, m := range data.Members() {
		if err := remember(ctx, c, s.MemoryName, s.Scope, m.Key, m.Value.Text(), time.Duration(s.TTL*float64(time.Second))); err != nil {
			return value.Value{}, err
		}
		keys = append(keys, m.Key)
	}
	return value.Obj(value.M("Keys", value.Strings(keys)), value.M("Count", value.OfInt(len(keys)))), nil
}
