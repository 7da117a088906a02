// Package hosted holds components that let one agent use another agent of the same runtime.
package hosted

import "github.com/sre-go/sre/component"

// Definitions returns the component types of this family.
func Definitions() []component.Definition {
	return []component.Definition{agentPlugin()}
}
