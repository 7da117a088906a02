package llms

import (
	"context"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

type promptSettings struct {
	Model            string      `json:"model" sre:"required,max=200" doc:"Id of the model to ask."`
	Prompt           string      `json:"prompt" sre:"required,label=Prompt,max=8000000,template" doc:"What to ask, with {{placeholders}} for inputs and agent variables."`
	Temperature      *float64    `json:"temperature" sre:"label=Temperature,min=0,max=5" doc:"How freely the model chooses its words; used with passthrough."`
	MaxTokens        *float64    `json:"maxTokens" sre:"label=Maximum Tokens,min=1" doc:"Longest answer, in tokens; used with passthrough, otherwise the answer is as long as the model can give."`
	StopSequences    string      `json:"stopSequences" sre:"label=Stop Sequences,allowEmpty,null,max=400" doc:"Texts that end the answer, with commas or line ends between them; used with passthrough."`
	TopP             *float64    `json:"topP" sre:"label=Top P,min=0,max=1" doc:"Share of the likeliest words to choose from; used with passthrough."`
	TopK             *float64    `json:"topK" sre:"label=Top K,min=0,max=500" doc:"Number of the likeliest words to choose from; used with passthrough."`
	FrequencyPenalty *float64    `json:"frequencyPenalty" sre:"label=Frequency Penalty,min=0,max=2" doc:"How much words are avoided the more often they were used; used with passthrough."`
	PresencePenalty  *float64    `json:"presencePenalty" sre:"label=Presence Penalty,min=0,max=2" doc:"How much words are avoided that were used at all; used with passthrough."`
	ResponseFormat   string      `json:"responseFormat" sre:"label=Response Format,allowEmpty,enum=json|text" doc:"Kept for older agents. Answers that hold JSON are read as such in any case."`
	Passthrough      value.Value `json:"passthrough" doc:"Show the answer as it comes to whoever watches the run."`
}

func promptGenerator() component.Definition {
	return component.Define(component.Spec{
		Name:    "PromptGenerator",
		Alias:   "LLMPrompt",
		Summary: "Asks a model.",
		Doc: "Outputs besides `Reply` are members that the answer is to have: the model is told their names and descriptions. " +
			"An answer that holds a JSON object is read as one, with what is around it left out.",
		Category: component.Models,
		Inputs:   []component.Port{{Name: "Input", Doc: "For the prompt; any others may be added."}},
		Outputs:  []component.Port{{Name: "Reply", Doc: "The answer: text, or what its JSON holds."}},
	}, runPrompt)
}

func runPrompt(ctx context.Context, call *component.Call, s *promptSettings, in component.Input) (value.Value, error) {
	logs := call.Logs()
	if logs {
		call.LogDebug("=== LLM Prompt Log ===")
		call.LogDebug(" Model : " + s.Model)
	}
	reply, err := askPrompt(ctx, call, s, in)
	if err != nil {
		if logs {
			call.LogError(err.Error())
		}
		return value.Value{}, err
	}
	if logs {
		call.LogDebug(" Response \n", shown(reply))
	}
	return value.Obj(value.M("Reply", reply)), nil
}

func askPrompt(ctx context.Context, call *component.Call, s *promptSettings, in component.Input) (value.Value, error) {
	prompt, err := template.Compile(s.Prompt).Expand(in.Lookup, template.Options{})
	if err != nil {
		return value.Value{}, err
	}
	info, err := call.LLM().Describe(ctx, s.Model)
	if err != nil {
		return value.Value{}, failed(err)
	}
	if !info.Literal {
		prompt = llm.Expect(prompt, expected(call.Node.Outputs), llm.AnyValue)
	}
	if call.Logs() {
		call.LogDebug(" Prompt\n", prompt, "\n")
	}
	req := llm.Request{Model: s.Model, Messages: []llm.Message{llm.Say(llm.User, prompt)}}
	var answer *llm.Response
	if s.Passthrough.Truthy() {
		s.sampling(&req)
		answer, err = llm.Collect(passing(call, call.LLM().Stream(ctx, req)))
	} else {
		answer, err = call.LLM().Generate(ctx, req)
	}
	if err != nil {
		return value.Value{}, failed(err)
	}
	if answer.Text == "" {
		return value.Value{}, fault.Newf(fault.Unavailable, " LLM Error = Empty Response!")
	}
	reply := parse(answer.Text, info.Literal)
	return reply, complaint(reply, answer.Finish.Reason)
}

// sampling puts the settings into a request. Only answers that are shown as they come use them, as recorded.
func (s *promptSettings) sampling(req *llm.Request) {
	req.Temperature, req.TopP = s.Temperature, s.TopP
	req.FrequencyPenalty, req.PresencePenalty = s.FrequencyPenalty, s.PresencePenalty
	req.Stop = llm.StopTexts(value.Of(s.StopSequences))
	if s.MaxTokens != nil {
		req.MaxTokens = int(min(*s.MaxTokens, 1<<30))
	}
	if s.TopK != nil {
		n := int(*s.TopK)
		req.TopK = &n
	}
}

// expected returns the outputs that the author added.
func expected(outputs []component.NodePort) []llm.Expected {
	var list []llm.Expected
	for _, o := range outputs {
		if !o.Default && o.Name != component.KeyError && o.Name != component.KeyDebug {
			list = append(list, llm.Expected{Name: o.Name, Description: o.Description})
		}
	}
	return list
}
