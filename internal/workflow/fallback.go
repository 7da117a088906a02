package workflow

import (
	"strings"

	"github.com/sre-go/sre/value"
)

// fallback is the default value of an input.
type fallback struct {
	set   bool
	fixed value.Value
	text  string // an author's text that names variables
}

func newFallback(v value.Value) fallback {
	if !v.Truthy() {
		return fallback{}
	}
	f := fallback{set: true, fixed: v}
	if s, ok := v.Str(); ok && strings.Contains(s, "{{") {
		f.text = s
	}
	return f
}

func (f *fallback) expand(variables value.Value) value.Value { return f.fixed }
