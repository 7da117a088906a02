// Package web holds the components that call services of the web.
//
// An APICall is a request that the author of an agent wrote, with places for
// values. Three rules keep it what the author meant. Text of the author is
// filled once; what is put into it is never read for placeholders again. A key
// of the vault is written as a stand-in, which the door to the network replaces
// after it has checked the host. And what stands in a value cannot end the
// string, header or field that it was put into.
package web

import "github.com/sre-go/sre/component"

// Definitions returns the component types of this family.
func Definitions() []component.Definition {
	return []component.Definition{apiCallType(), huggingFaceType()}
}
