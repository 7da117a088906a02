package agent

import (
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/workflow"
)

// Waits are the components a run was waiting for when it ended.
type Waits []workflow.Wait

// Err explains a run that ended without a result, nil when nothing was waiting.
func (w Waits) Err() error {
	if len(w) == 0 {
		return nil
	}
	parts := make([]string, len(w))
	for i, wait := range w {
		name := wait.ID
		if wait.Title != "" && wait.Title != wait.ID {
			name += " (" + wait.Title + ")"
		}
		parts[i] = name + " waits for " + strings.Join(wait.Missing, ", ")
	}
	err := fault.Newf(fault.Invalid, "the run ended without a result: component %s", strings.Join(parts, "; component "))
	return fault.Hint(err, "send these inputs, or mark them optional in the agent")
}

// Explain says why a run came to nothing: components that wait for inputs, or inputs of the skill that were not sent, so
// that nothing behind them began. It is nil for a run with an answer, and for one that had everything and has nothing to
// say.
func (a *Agent) Explain(req *Request, res Response) error {
	if !res.Data.IsArray() || res.Data.Len() > 0 {
		return nil
	}
	if err := res.Waiting.Err(); err != nil {
		return err
	}
	i, ok := a.program.Endpoint(req.Method, req.Path)
	if !ok {
		return nil
	}
	var missing []string
	for _, in := range a.program.Node(i).Inputs {
		if !in.Optional && in.DefaultVal.IsNil() && req.Body.Get(in.Name).IsNil() && req.Query.Get(in.Name).IsNil() {
			missing = append(missing, in.Name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	err := fault.Newf(fault.Invalid, "the run ended without a result: the request lacks %s", strings.Join(missing, ", "))
	return fault.Hint(err, "send these inputs, or mark them optional in the agent")
}
