package skills

import (
	"context"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

type outputSettings struct {
	Format      string `json:"format" label:"Output Format" sre:"required,enum=full|minimal|raw" doc:"full wraps the outputs with the id and name of the component, minimal gives the outputs alone, raw joins them to one text."`
	ContentType string `json:"contentType" label:"Content Type" sre:"enum=application/json|text/plain|text/html|application/xml|,allowEmpty" doc:"Kind of content for the reader; anything but JSON gives the outputs alone."`
}

func output() component.Definition {
	return component.DefineWithFinish(component.Spec{
		Name:     "APIOutput",
		Summary:  "Shapes what a workflow answers.",
		Category: component.Skills,
		Outputs:  []component.Port{{Name: "Output", Doc: "The inputs that arrived, by name; one text in raw format."}},
		Traits:   component.Traits{Cheap: true},
	}, runOutput, finishOutput)
}

func runOutput(_ context.Context, call *component.Call, s *outputSettings, in component.Input) (value.Value, error) {
	call.LogDebug(" Processing outputs ")
	if s.Format == "raw" {
		var text strings.Builder
		for i := range in.Ports {
			if v := in.Values[i]; !v.IsAbsent() {
				text.WriteString(v.Text())
			}
		}
		return value.Obj(value.M("Output", value.Of(text.String()))), nil
	}
	return value.Obj(value.M("Output", in.Object())), nil
}

// finishOutput leaves away the wrapping in the formats that want the outputs alone.
func finishOutput(s *outputSettings, e component.Entry, _ component.FinishInfo) value.Value {
	if s.Format != "minimal" && (s.ContentType == "" || s.ContentType == "application/json") {
		return e.Value()
	}
	if out := e.Result.Get("Output"); out.Truthy() {
		return out
	}
	if err := e.Result.Get(component.KeyError); err.Truthy() {
		return err
	}
	return value.Obj(value.M("result", e.Result))
}
