package llms

import (
	"context"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

type lookingSettings struct {
	Model       value.Value `json:"model" sre:"required" doc:"The model to ask: the id of one, or an object {provider, modelId, ...} that describes it."`
	Prompt      string      `json:"prompt" sre:"required,label=Prompt,template" doc:"What to ask about the files, with {{placeholders}} for inputs and agent variables."`
	MaxTokens   *float64    `json:"maxTokens" sre:"label=Maximum Tokens,min=1" doc:"Longest answer, in tokens; used with passthrough, otherwise the answer is as long as the model can give."`
	Passthrough value.Value `json:"passthrough" doc:"Show the answer as it comes to whoever watches the run."`
}

func multimodal() component.Definition {
	return component.Define(component.Spec{
		Name:     "MultimodalLLM",
		Summary:  "Asks a model about files.",
		Doc:      "An older form of GenAILLM. Outputs besides `Reply` are members that the answer is to have.",
		Category: component.Models,
		Inputs:   []component.Port{{Name: "Input", Type: "Binary", Doc: "A file, or a list of files."}},
		Outputs:  []component.Port{{Name: "Reply", Doc: "The answer: text, or what its JSON holds."}},
	}, looking("Input"))
}

func vision() component.Definition {
	return component.Define(component.Spec{
		Name:     "VisionLLM",
		Summary:  "Asks a model about images.",
		Doc:      "An older form of GenAILLM. Outputs besides `Reply` are members of the answer.",
		Category: component.Models,
		Inputs:   []component.Port{{Name: "Images", Type: "Binary", Doc: "An image, or a list of images."}},
		Outputs:  []component.Port{{Name: "Reply", Doc: "The answer: text, or what its JSON holds."}},
	}, looking("Images"))
}

// looking asks about the files of an input.
func looking(input string) func(context.Context, *component.Call, *lookingSettings, component.Input) (value.Value, error) {
	return func(ctx context.Context, call *component.Call, s *lookingSettings, in component.Input) (value.Value, error) {
		a := &asking{call: call, in: in}
		if err := a.choose(ctx, s.Model); err != nil {
			return value.Value{}, err
		}
		prompt, err := expand(s.Prompt, a)
		if err != nil {
			return value.Value{}, err
		}
		var files []llm.File
		if !a.info.Literal {
			given, err := readFiles(ctx, a, in.Get(input), input)
			if err != nil {
				return value.Value{}, err
			}
			if files, err = a.fitting(given); err != nil {
				return value.Value{}, err
			}
			prompt = llm.Expect(prompt, expected(call.Node.Outputs), llm.AnyValue)
		}
		req := llm.Request{Model: a.model, Inline: a.inline, Messages: withPrompt(nil, prompt, files)}
		if s.Passthrough.Truthy() {
			req.MaxTokens = whole(s.MaxTokens)
		}
		if call.Logs() {
			call.LogDebug("=== " + call.Node.Type + " Log ===")
			call.LogDebug(" Prompt\n", prompt, "\n")
		}
		answer, err := a.ask(ctx, req, s.Passthrough.Truthy())
		if err != nil {
			return value.Value{}, err
		}
		reply := parse(answer.Text, a.info.Literal)
		if err := complaint(reply, answer.Finish.Reason); err != nil {
			return value.Value{}, err
		}
		if call.Logs() {
			call.LogDebug(" Reply \n", shown(reply))
		}
		return value.Obj(value.M("Reply", reply)), nil
	}
}
