// Package data holds components that change the shape of data.
package data

import "github.com/sre-go/sre/component"

// Definitions returns the component types of this family.
func Definitions() []component.Definition {
	return []component.Definition{filterType()}
}
