// Package flow holds the components that drive other components: ForEach, Async and Await.
//
// They start no work themselves. ForEach keeps its place in the [component.Loop]
// of its call and the engine runs what follows; Async and Await ask the
// [component.Host] of their call for background jobs.
package flow

import "github.com/sre-go/sre/component"

// Definitions returns the component types of this family.
func Definitions() []component.Definition {
	return []component.Definition{forEach(), async(), await()}
}
