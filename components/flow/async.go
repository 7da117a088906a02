package flow

import (
	"context"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

// noSettings is for components that have none.
type noSettings struct{}

func async() component.Definition {
	return component.Define(component.Spec{
		Name:    "Async",
		Summary: "Runs what follows in the background.",
		Doc: "The workflow goes on at once with the id of the job on JobID, which Await takes. Whatever is wired to the other " +
			"outputs, one for each input, runs as the job.",
		Category: component.Flow,
		Outputs:  []component.Port{{Name: "JobID", Type: "Text", Doc: "Id of the job."}},
		Traits:   component.Traits{Fork: true},
	}, runAsync)
}

func runAsync(ctx context.Context, call *component.Call, _ *noSettings, in component.Input) (value.Value, error) {
	job, err := call.Host.Fork(ctx, call, in)
	if err != nil {
		return value.Value{}, err
	}
	if call.Logs() {
		call.LogDebug("Started job " + job)
	}
	return value.Obj(value.M("JobID", value.Of(job))), nil
}
