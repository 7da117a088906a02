package llms

import (
	"context"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

type classifierSettings struct {
	Model  value.Value `json:"model" sre:"required" doc:"The model to ask: the id of one, or an object {provider, modelId, ...} that describes it."`
	Prompt string      `json:"prompt" sre:"label=Prompt,allowEmpty,max=30000,template" doc:"By what to decide, with {{placeholders}} for inputs and agent variables."`
}

func classifier() component.Definition {
	return component.Define(component.Spec{
		Name:    "Classifier",
		Summary: "Lets a model decide between branches.",
		Doc: "Each output is a category with a description. The model is shown the inputs and the categories, and what follows a category " +
			"runs when the model says that it applies.",
		Category: component.Models,
		Inputs:   []component.Port{{Name: "Input", Doc: "What to decide about; any others may be added."}},
	}, runClassifier)
}

func runClassifier(ctx context.Context, call *component.Call, s *classifierSettings, in component.Input) (value.Value, error) {
	logs := call.Logs()
	a := &asking{call: call, in: in}
	if err := a.choose(ctx, s.Model); err != nil {
		return value.Value{}, err
	}
	prompt, err := expand(s.Prompt, a)
	if err != nil {
		return value.Value{}, err
	}
	if strings.TrimSpace(prompt) == "" {
		return value.Value{}, fault.Newf(fault.Invalid, "Missing information, Cannot run classifier")
	}
	prompt += "\n" + quoted(in.Object()).Indent("  ") + "\n\n---\nCategories: \n" + categories(call.Node.Outputs).Indent("  ")
	req := llm.Request{Model: a.model, Inline: a.inline}
	switch {
	case streamsOnly(a.info):
		req.Format.JSON = true
	case !a.info.Literal:
		prompt = llm.Expect(prompt, expected(call.Node.Outputs), llm.YesOrText)
	}
	if logs {
		call.LogInfo(" Selected model : " + a.model)
		call.LogInfo(" Enhanced prompt \n" + prompt)
	}
	req.Messages = []llm.Message{llm.Say(llm.User, prompt)}
	answer, err := a.ask(ctx, req, false)
	if err != nil {
		if logs {
			call.LogError(err.Error())
		}
		return value.Value{}, err
	}
	reply := parse(answer.Text, a.info.Literal)
	if err := complaint(reply, answer.Finish.Reason); err != nil {
		return value.Value{}, err
	}
	out := decided(reply)
	if logs {
		call.LogDebug("\n Classifier result\n", shown(out))
	}
	return out, nil
}

// categories are the outputs with their descriptions.
func categories(outputs []component.NodePort) value.Value {
	b := value.NewBuilder(len(outputs))
	for _, o := range outputs {
		if o.Name != component.KeyDebug {
			b.Set(o.Name, value.Of(o.Description))
		}
	}
	return b.Build()
}

// Braces and quotes of inputs are written in another way, so that the prompt stays readable for a model that is to answer
// with JSON, and put back in what it repeats.

func hider() *strings.Replacer   { return strings.NewReplacer("{", "<[<(", "}", ")>]>", `"`, "`") }
func unhider() *strings.Replacer { return strings.NewReplacer("<[<(", "{", ")>]>", "}", "`", `"`) }

func quoted(inputs value.Value) value.Value {
	hide := hider()
	b := value.NewBuilder(inputs.Len())
	for _, m := range inputs.Members() {
		v := m.Value
		if text, ok := v.Str(); ok {
			v = value.Of(hide.Replace(text))
		} else if v.IsObject() || v.IsArray() {
			v = value.Of(hide.Replace(v.JSON()))
		}
		b.Set(m.Key, v)
	}
	return b.Build()
}

// decided is what an answer decides: its members that say something.
func decided(reply value.Value) value.Value {
	unhide := unhider()
	b := value.NewBuilder(reply.Len())
	for _, m := range reply.Members() {
		v := m.Value
		if !v.Truthy() {
			continue
		}
		if text, ok := v.Str(); ok {
			text = unhide.Replace(text)
			if v = value.Of(text); strings.ContainsAny(text, "{[") {
				if parsed, err := value.Parse(text); err == nil {
					v = parsed
				}
			}
		}
		key := m.Key
		if key == "error" {
			key = component.KeyError
		}
		b.Set(key, v)
	}
	return b.Build()
}
