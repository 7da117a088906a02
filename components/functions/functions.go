// Package functions holds the small functions of an agent: hash, encode, sign, timestamp and sleep.
//
// Agents written for the reference rely on how Node.js treats bytes: which
// names an encoding has, what a lenient decoder skips, which texts its errors
// have. The files bytes, encoding and utf8 keep these rules in one place, so
// that the components themselves are short.
package functions

import "github.com/sre-go/sre/component"

// Definitions returns the component types of this family.
func Definitions() []component.Definition {
	return []component.Definition{hashType(), encodeType(), signType(), timestampType(), sleepType()}
}
