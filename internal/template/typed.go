package template

import (
	"regexp"

	"github.com/sre-go/sre/value"
)

// typedVariable is the placeholder of a templated component, such as {{VARINPUT:My label:["x"]}}.
var typedVariable = regexp.MustCompile(`\{\{([A-Z]+):([\w\s]+):[\[{](.*?)[\]}]\}\}`)

// ResolveTyped replaces the placeholders of a templated component by {{id}} of the setting with that label. A label
// that no setting has leaves the word before it.
func ResolveTyped(text string, settings value.Value) string {
	return typedVariable.ReplaceAllStringFunc(text, func(found string) string {
		m := typedVariable.FindStringSubmatch(found)
		for _, s := range settings.Members() {
			if s.Value.GetString("label") == m[2] {
				return "{{" + s.Value.GetString("id") + "}}"
			}
		}
		return m[1]
	})
}
