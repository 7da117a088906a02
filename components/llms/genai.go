package llms

import (
	"context"
	"slices"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/value"
)

type genAISettings struct {
	Model            value.Value `json:"model" sre:"required" doc:"The model to ask: the id of one, or an object {provider, modelId, ...} that describes it."`
	Prompt           string      `json:"prompt" sre:"required,label=Prompt,max=8000000,template" doc:"What to ask, with {{placeholders}} for inputs and agent variables."`
	Temperature      *float64    `json:"temperature" sre:"label=Temperature,min=0,max=5" doc:"How freely the model chooses its words."`
	MaxTokens        *float64    `json:"maxTokens" sre:"label=Maximum Tokens,min=1" doc:"Longest answer, in tokens; without it as long as the model can give."`
	StopSequences    string      `json:"stopSequences" sre:"label=Stop Sequences,allowEmpty,null,max=400" doc:"Texts that end the answer, with commas or line ends between them."`
	TopP             *float64    `json:"topP" sre:"label=Top P,min=0,max=1" doc:"Share of the likeliest words to choose from."`
	TopK             *float64    `json:"topK" sre:"label=Top K,min=0,max=500" doc:"Number of the likeliest words to choose from."`
	FrequencyPenalty *float64    `json:"frequencyPenalty" sre:"label=Frequency Penalty,min=0,max=2" doc:"How much words are avoided the more often they were used."`
	PresencePenalty  *float64    `json:"presencePenalty" sre:"label=Presence Penalty,min=0,max=2" doc:"How much words are avoided that were used at all."`
	ResponseFormat   string      `json:"responseFormat" sre:"label=Response Format,allowEmpty,null,enum=json|text" doc:"Whether the answer is to be JSON; it is when there are outputs besides Reply."`
	Passthrough      value.Value `json:"passthrough" doc:"Show the answer as it comes to whoever watches the run."`
	UseSystemPrompt  value.Value `json:"useSystemPrompt" doc:"Tell the model what the agent is told about itself: in the conversation that the run belongs to, or in the agent's file."`
	UseContext       value.Value `json:"useContextWindow" doc:"Show the model the conversation that the run belongs to."`
	MaxContext       *float64    `json:"maxContextWindowLength" sre:"min=0" default:"1024" doc:"Tokens of that conversation that the model is shown."`
	Verbosity        string      `json:"verbosity" sre:"allowEmpty,null,enum=low|medium|high" doc:"How long answers are, for models that can choose."`

	webSearch
	xSearch

	UseReasoning      value.Value `json:"useReasoning" doc:"Let the model think first."`
	ReasoningEffort   string      `json:"reasoningEffort" sre:"allowEmpty,null,enum=none|default|minimal|low|medium|high|xhigh" doc:"How much it thinks."`
	MaxThinkingTokens *float64    `json:"maxThinkingTokens" sre:"min=1" doc:"Tokens that it thinks at most."`
}

func genAI() component.Definition {
	return component.Define(component.Spec{
		Name:    "GenAILLM",
		Summary: "Asks a model.",
		Doc: "Outputs besides `Reply` are members that the answer is to have: the model is told their names and descriptions. " +
			"An answer that holds a JSON object is read as one, with what is around it left out. Inputs of the types Image, Audio, Video and " +
			"Binary are files that the model is shown, as far as it can look at such files.",
		Category: component.Models,
		Inputs:   []component.Port{{Name: "Input", Doc: "For the prompt; any others may be added."}, {Name: "Attachment", Type: "Binary", Optional: true, Doc: "A file that the model is shown."}},
		Outputs:  []component.Port{{Name: "Reply", Doc: "The answer: text, or what its JSON holds."}},
	}, runGenAI)
}

func runGenAI(ctx context.Context, call *component.Call, s *genAISettings, in component.Input) (value.Value, error) {
	a := &asking{call: call, in: in}
	req, err := a.question(ctx, s)
	if err != nil {
		return value.Value{}, err
	}
	return a.answer(ctx, req, s.Passthrough.Truthy())
}

// question makes the request. Its frame is large, and gone when the answer is waited for.
func (a *asking) question(ctx context.Context, s *genAISettings) (*llm.Request, error) {
	call, in, logs := a.call, a.in, a.call.Logs()
	if logs {
		call.LogDebug("=== GenAILLM Log ===")
		call.LogDebug(" Model : " + modelName(s.Model))
	}
	if err := a.choose(ctx, s.Model); err != nil {
		return nil, err
	}
	prompt, err := template.Compile(s.Prompt).Expand(in.Lookup, template.Options{})
	if err != nil {
		return nil, err
	}
	files, err := a.files(ctx)
	if err != nil {
		return nil, err
	}
	outputs := expected(call.Node.Outputs)
	if !a.info.Literal {
		prompt = llm.Expect(prompt, outputs, llm.AnyValue)
	}
	if logs {
		call.LogDebug(" Prompt\n", prompt, "\n")
		if !a.info.Literal {
			call.LogDebug(" Files\n", names(files))
		}
	}
	req := a.request(s, in)
	req.Format.JSON = s.ResponseFormat == "json" || s.ResponseFormat == "" && custom(call.Node.Outputs)
	if req.Messages, err = a.messages(ctx, s); err != nil {
		return nil, err
	}
	req.Messages = withPrompt(req.Messages, prompt, files)
	return &req, nil
}

// asking is one question to a model.
type asking struct {
	call *component.Call
	in   component.Input
	info llm.Info

	model  string
	inline *models.Model
}

// modelName is what a setting that names or describes a model is called in texts.
func modelName(v value.Value) string {
	if v.IsObject() {
		return v.GetString("modelId")
	}
	return v.Text()
}

// choose finds the model that a setting names or describes.
func (a *asking) choose(ctx context.Context, v value.Value) (err error) {
	a.model = modelName(v)
	if v.IsObject() {
		var m models.Model
		if m, err = models.FromValue(v); err == nil {
			a.inline = &m
			a.info, err = a.call.LLM().DescribeModel(ctx, m)
		}
	} else {
		a.info, err = a.call.LLM().Describe(ctx, a.model)
	}
	switch {
	case fault.Is(err, fault.NotFound), fault.Is(err, fault.Unsupported):
		return &fault.Error{Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: &failure{
			"The model '" + a.model + "' is not available. Please try a different one.", err,
		}}
	case err != nil:
		return plainly(err)
	}
	return nil
}

// request is a request with the settings, and no messages yet.
func (a *asking) request(s *genAISettings, in component.Input) llm.Request {
	req := llm.Request{Model: a.model, Inline: a.inline}
	req.Temperature, req.TopP = s.Temperature, s.TopP
	req.FrequencyPenalty, req.PresencePenalty = s.FrequencyPenalty, s.PresencePenalty
	req.Stop, req.Verbosity = llm.StopTexts(value.Of(s.StopSequences)), s.Verbosity
	req.MaxTokens, req.TopK = whole(s.MaxTokens), nil
	if s.TopK != nil {
		k := whole(s.TopK)
		req.TopK = &k
	}
	if s.UseReasoning.Truthy() {
		req.Reasoning = llm.Reasoning{On: true, Effort: s.ReasoningEffort, MaxTokens: whole(s.MaxThinkingTokens)}
		if req.Reasoning.Effort == "default" {
			req.Reasoning.Effort = ""
		}
	}
	if s.UseWebSearch.Truthy() {
		req.Search = s.webSearch.request(in)
	}
	if s.UseSearch.Truthy() && strings.EqualFold(a.info.Model.Provider, "xAI") {
		req.Extra = s.xSearch.request()
	}
	return req
}

// whole is a number as one that providers take, 0 for none.
func whole(n *float64) int {
	if n == nil {
		return 0
	}
	return int(min(max(*n, 0), 1<<30))
}

// withPrompt puts a prompt at the end: into the last message of the user when nothing was said since, or as a new one.
func withPrompt(list []llm.Message, prompt string, files []llm.File) []llm.Message {
	m := llm.Message{Role: llm.User, Content: []llm.Content{llm.Text{Text: prompt}}}
	for _, f := range files {
		m.Content = append(m.Content, f)
	}
	if n := len(list); n > 0 && list[n-1].Role == llm.User {
		list = list[:n-1]
	}
	return append(list, m)
}

// answer asks, shows what comes when it is to be shown, and reads the answer.
func (a *asking) answer(ctx context.Context, req *llm.Request, show bool) (value.Value, error) {
	parts := a.call.LLM().Stream(ctx, *req)
	if show {
		parts = passingLines(a.call, parts)
	}
	answer, err := llm.Collect(parts)
	if err != nil {
		if a.call.Logs() {
			a.call.LogError(err.Error())
		}
		return value.Value{}, plainly(err)
	}
	if answer.Finish.Model != "" && answer.Finish.Model != a.model && a.call.Logs() {
		a.call.LogDebug(" Answered by : " + answer.Finish.Model)
	}
	reply := parse(answer.Text, a.info.Literal)
	if a.call.Logs() {
		a.call.LogDebug("\n Reply \n", shown(reply))
	}
	out := value.Obj(value.M("Reply", reply))
	if text := shortfall(answer); text != "" {
		return out.With(component.KeyError, value.Of(text)), nil
	}
	if e := reply.Get("error"); e.Truthy() {
		return value.Value{}, fault.Newf(fault.Unavailable, "%s", strings.TrimSpace(e.Plain()+" "+reply.Get("details").Plain()))
	}
	return out, nil
}

// custom reports whether there are outputs that the author added.
func custom(outputs []component.NodePort) bool {
	return slices.ContainsFunc(outputs, func(o component.NodePort) bool { return !o.Default })
}

// names lists files for a log.
func names(files []llm.File) string {
	list := make([]string, len(files))
	for i, f := range files {
		list[i] = f.Name
	}
	return value.Strings(list).JSON()
}

// emptyAnswer is what an answer without text means.
const emptyAnswer = "Empty response. This is usually due to output token limit reached. Please try again with a higher 'Maximum Output Tokens'."

// shortfall says what is wrong with an answer that came, "" for nothing. The words are those that agents were written
// against.
func shortfall(answer *llm.Response) string {
	empty := ""
	if answer.Text == "" {
		empty = emptyAnswer
	}
	if reason := answer.Finish.Reason; reason != llm.Stop {
		said := answer.Finish.Raw // in the words of the provider
		if said == "" {
			said = string(reason)
		}
		return "The model stopped before completing the response.\n                \nReason: " + said + ".\n                \n" + empty
	}
	return empty
}
