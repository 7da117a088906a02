// Package llms holds the components that ask a model.
//
// What an author wrote into a prompt is a template over the inputs; what the inputs and the model say is data and is
// never read for placeholders again.
package llms

import "github.com/sre-go/sre/component"

// Definitions returns the component types of this family.
func Definitions() []component.Definition {
	return []component.Definition{genAI(), promptGenerator(), assistant(), classifier(), multimodal(), vision(), imageGenerator()}
}
