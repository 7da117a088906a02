// Package skills holds the doors of an agent: APIEndpoint, where a request enters a workflow, and APIOutput, which
// shapes what leaves it.
package skills

import "github.com/sre-go/sre/component"

// Definitions returns the component types of this family.
func Definitions() []component.Definition {
	return []component.Definition{endpoint(), output()}
}
