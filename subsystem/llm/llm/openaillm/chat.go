package openaillm

import (
	"context"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/shared"

	"github.com/sre-go/sre/subsystem/llm/llm"
)

// chatWhole asks the Chat Completions interface for an answer that comes at once.
func (c *client) chatWhole(ctx context.Context, call *llm.Call, opts []option.RequestOption, yield func(llm.Part, error) bool) error {
	body, err := c.body(call)
	if err != nil {
		return err
	}
	service := openai.NewChatCompletionService(opts...)
	answer, err := service.New(ctx, *body, option.WithJSONSet("stream", false))
	if err != nil {
		return c.explain(ctx, err)
	}
	return c.whole(answer, yield)
}

// body writes a call for Chat Completions. What it returns is large and must not lie on the stack of a run, which would
// stay as large while the run waits.
func (c *client) body(call *llm.Call) (*openai.ChatCompletionNewParams, error) {
	said, err := messages(call.Messages)
	if err != nil {
		return nil, err
	}
	p := &openai.ChatCompletionNewParams{Messages: said}
	p.Model = call.Target.ModelID
	if bound := param.NewOpt(int64(call.MaxTokens)); c.habits.maxTokens == "max_tokens" {
		p.MaxTokens = bound
	} else {
		p.MaxCompletionTokens = bound
	}
	thinking := c.habits.name == "OpenAI" && thinks(call.Target.ModelID)
	if !thinking {
		optional(&p.Temperature, call.Temperature)
		optional(&p.TopP, call.TopP)
		optional(&p.FrequencyPenalty, call.FrequencyPenalty)
		optional(&p.PresencePenalty, call.PresencePenalty)
		if len(call.Stop) > 0 {
			p.Stop = openai.ChatCompletionNewParamsStopUnion{OfStringArray: call.Stop}
		}
	}
	if call.Seed != nil {
		p.Seed = param.NewOpt(int64(*call.Seed))
	}
	if call.Reasoning.On && call.Reasoning.Effort != "" {
		p.ReasoningEffort = shared.ReasoningEffort(call.Reasoning.Effort)
	}
	if thinking && call.Verbosity != "" {
		p.Verbosity = openai.ChatCompletionNewParamsVerbosity(call.Verbosity)
	}
	c.form(p, call)
	tools(p, call)
	extra := object(call.Extra)
	delete(extra, "stream") // is decided here
	if call.TopK != nil && c.habits.name != "OpenAI" {
		extra["top_k"] = *call.TopK
	}
	if len(extra) > 0 {
		p.SetExtraFields(extra)
	}
	return p, nil
}

// form asks for the form of the answer.
func (c *client) form(p *openai.ChatCompletionNewParams, call *llm.Call) {
	switch {
	case c.habits.schemas && call.Format.Schema.IsObject():
		p.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
			Name: schemaName(call.Format.Name), Schema: call.Format.Schema,
		}}
	case call.Format.JSON:
		p.ResponseFormat.OfJSONObject = &shared.ResponseFormatJSONObjectParam{}
	}
}

func schemaName(name string) string {
	if name == "" {
		return "answer"
	}
	return name
}

// tools declares the tools and whether they are to be used.
func tools(p *openai.ChatCompletionNewParams, call *llm.Call) {
	for _, t := range call.Tools {
		f := shared.FunctionDefinitionParam{Name: t.Name, Parameters: object(t.Parameters)}
		if t.Description != "" {
			f.Description = param.NewOpt(t.Description)
		}
		p.Tools = append(p.Tools, openai.ChatCompletionFunctionTool(f))
	}
	if len(p.Tools) == 0 {
		return
	}
	switch call.ToolChoice {
	case llm.Auto:
		p.ToolChoice.OfAuto = param.NewOpt("auto")
	case llm.Required, llm.NoTools:
		p.ToolChoice.OfAuto = param.NewOpt(string(call.ToolChoice))
	default:
		p.ToolChoice = openai.ToolChoiceOptionFunctionToolChoice(openai.ChatCompletionNamedToolChoiceFunctionParam{Name: string(call.ToolChoice)})
	}
}

func optional(to *param.Opt[float64], from *float64) {
	if from != nil {
		*to = param.NewOpt(*from)
	}
}

// whole gives an answer that came at once.
func (c *client) whole(answer *openai.ChatCompletion, yield func(llm.Part, error) bool) error {
	if len(answer.Choices) == 0 {
		return noChoice()
	}
	choice := &answer.Choices[0]
	if f, ok := choice.Message.JSON.ExtraFields[c.habits.reasoning]; ok {
		if t, ok := textOf(f.Raw()); ok && !yield(llm.Thinking{Text: t}, nil) {
			return nil
		}
	}
	for _, text := range []string{choice.Message.Content, choice.Message.Refusal} {
		if text != "" && !yield(llm.Text{Text: text}, nil) {
			return nil
		}
	}
	for _, call := range choice.Message.ToolCalls {
		if !yield(llm.ToolCall{ID: call.ID, Name: call.Function.Name, Arguments: call.Function.Arguments}, nil) {
			return nil
		}
	}
	u := &answer.Usage
	if !yield(usage(int(u.PromptTokens), int(u.PromptTokensDetails.CachedTokens), int(u.CompletionTokens), int(u.CompletionTokensDetails.ReasoningTokens)), nil) {
		return nil
	}
	return finish(choice.FinishReason, choice.Message.Refusal != "", yield)
}
