package llm

import (
	"strings"

	"github.com/sre-go/sre/value"
)

// Expected is an output that an answer is to have as a member.
type Expected struct {
	Name        string
	Description string // "" for none
}

// Placeholders that stand for the value of an output in the form that a model is shown.
const (
	AnyValue  = "<value>"
	YesOrText = "<Boolean|String>" // for choices among outputs
)

// Expect asks at the end of a prompt for an answer that is one JSON object with the outputs as members. Without outputs,
// and for an empty prompt, the prompt is returned as it is.
func Expect(prompt string, outputs []Expected, placeholder string) string {
	if prompt == "" || len(outputs) == 0 {
		return prompt
	}
	form := value.NewBuilder(len(outputs))
	for _, o := range outputs {
		text := placeholder
		if o.Description != "" {
			text += " (" + o.Description + ")"
		}
		form.Set(o.Name, value.Of(text))
	}
	return strings.Join([]string{
		prompt, "##", "Expected output format = " + form.Build().JSON(), "The output JSON should only use the entries from the output format.",
	}, "\n")
}
