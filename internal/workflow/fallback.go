package workflow

import (
	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/value"
)

// fallback is the default value of an input.
type fallback struct {
	set   bool
	fixed value.Value
	text  *template.Template // an author's text that names variables, nil for any other default
}

func newFallback(v value.Value) fallback {
	if !v.Truthy() {
		return fallback{}
	}
	f := fallback{set: true, fixed: v}
	if s, ok := v.Str(); ok {
		if t := template.Compile(s); t.HasPlaceholders() {
			f.text = t
		}
	}
	return f
}

// expand returns the default with the agent's variables filled in. A default that grows over the limit of templates
// stays as written.
func (f *fallback) expand(variables value.Value) value.Value {
	if f.text == nil {
		return f.fixed
	}
	s, err := f.text.Expand(variables.Get, template.Options{})
	if err != nil {
		return f.fixed
	}
	return value.Of(s)
}
