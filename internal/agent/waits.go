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
