package openaillm

import (
	"context"
	"strings"

	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// respond asks the Responses interface.
func (c *client) respond(ctx context.Context, call *llm.Call, opts []option.RequestOption, yield func(llm.Part, error) bool) (err error) {
	body, err := request(call)
	if err != nil {
		return err
	}
	service := responses.NewResponseService(opts...)
	if !call.Partial {
		answer, err := service.New(ctx, body, option.WithJSONSet("stream", false))
		if err != nil {
			return c.explain(ctx, err)
		}
		return answered(answer, yield)
	}
	stream := service.NewStreaming(ctx, body)
	defer func() {
		if closing := stream.Close(); err == nil && closing != nil {
			err = c.explain(ctx, closing)
		}
	}()
	for stream.Next() {
		e := stream.Current()
		if done, err := event(&e, call.Raw, yield); done || err != nil {
			return err
		}
	}
	if err := stream.Err(); err != nil {
		return c.explain(ctx, err)
	}
	return nil // without a last event the answer is not complete, and nothing is told
}

// request writes a call for Responses.
func request(call *llm.Call) (responses.ResponseNewParams, error) {
	p := responses.ResponseNewParams{Model: call.Target.ModelID, MaxOutputTokens: param.NewOpt(int64(call.MaxTokens))}
	items, err := items(call.Messages)
	if err != nil {
		return p, err
	}
	p.Input.OfInputItemList = items
	if !thinks(call.Target.ModelID) {
		optional(&p.Temperature, call.Temperature)
		optional(&p.TopP, call.TopP)
	}
	if call.Reasoning.On && call.Reasoning.Effort != "" {
		p.Reasoning.Effort = shared.ReasoningEffort(call.Reasoning.Effort)
	}
	if call.Verbosity != "" && thinks(call.Target.ModelID) {
		p.Text.Verbosity = responses.ResponseTextConfigVerbosity(call.Verbosity)
	}
	switch {
	case call.Format.Schema.IsObject():
		p.Text.Format.OfJSONSchema = &responses.ResponseFormatTextJSONSchemaConfigParam{Name: schemaName(call.Format.Name), Schema: object(call.Format.Schema)}
	case call.Format.JSON:
		p.Text.Format.OfJSONObject = &shared.ResponseFormatJSONObjectParam{}
	}
	for _, t := range call.Tools {
		f := &responses.FunctionToolParam{Name: t.Name, Parameters: object(t.Parameters), Strict: param.NewOpt(false)}
		if t.Description != "" {
			f.Description = param.NewOpt(t.Description)
		}
		p.Tools = append(p.Tools, responses.ToolUnionParam{OfFunction: f})
	}
	if len(p.Tools) > 0 {
		p.ToolChoice = toolChoice(call.ToolChoice)
	}
	if s := call.Search; s != nil {
		p.Tools = append(p.Tools, responses.ToolUnionParam{OfWebSearchPreview: search(s)})
	}
	if call.Extra.Len() > 0 {
		p.SetExtraFields(object(call.Extra))
	}
	return p, nil
}

func toolChoice(c llm.ToolChoice) (out responses.ResponseNewParamsToolChoiceUnion) {
	switch c {
	case llm.Auto:
		out.OfToolChoiceMode = param.NewOpt(responses.ToolChoiceOptionsAuto)
	case llm.Required, llm.NoTools:
		out.OfToolChoiceMode = param.NewOpt(responses.ToolChoiceOptions(c))
	default:
		out.OfFunctionTool = &responses.ToolChoiceFunctionParam{Name: string(c)}
	}
	return out
}

// search lets the model look things up in the web.
func search(s *llm.Search) *responses.WebSearchPreviewToolParam {
	t := &responses.WebSearchPreviewToolParam{
		Type: responses.WebSearchPreviewToolTypeWebSearchPreview, SearchContextSize: responses.WebSearchPreviewToolSearchContextSize(s.Size),
	}
	set := func(to *param.Opt[string], from string) {
		if from != "" {
			*to = param.NewOpt(from)
		}
	}
	set(&t.UserLocation.City, s.City)
	set(&t.UserLocation.Country, s.Country)
	set(&t.UserLocation.Region, s.Region)
	set(&t.UserLocation.Timezone, s.Timezone)
	return t
}

// items writes a conversation for Responses, where tool calls and their results are items of their own.
func items(list []llm.Message) (responses.ResponseInputParam, error) {
	var out responses.ResponseInputParam
	for _, m := range list {
		switch m.Role {
		case llm.System, llm.User:
			content, err := content(m)
			if err != nil {
				return nil, err
			}
			out = append(out, responses.ResponseInputItemUnionParam{OfMessage: &responses.EasyInputMessageParam{Role: responses.EasyInputMessageRole(m.Role), Content: content}})
		case llm.Assistant:
			if text := m.Text(); text != "" {
				out = append(out, responses.ResponseInputItemUnionParam{OfMessage: &responses.EasyInputMessageParam{
					Role: responses.EasyInputMessageRoleAssistant, Content: responses.EasyInputMessageContentUnionParam{OfString: param.NewOpt(text)},
				}})
			}
			for _, part := range m.Content {
				if c, ok := part.(llm.ToolCall); ok {
					out = append(out, responses.ResponseInputItemUnionParam{OfFunctionCall: &responses.ResponseFunctionToolCallParam{CallID: c.ID, Name: c.Name, Arguments: c.Arguments}})
				}
			}
		case llm.Tool:
			for _, part := range m.Content {
				if r, ok := part.(llm.ToolResult); ok {
					out = append(out, responses.ResponseInputItemUnionParam{OfFunctionCallOutput: &responses.ResponseInputItemFunctionCallOutputParam{
						CallID: param.NewOpt(r.CallID), Output: responses.ResponseInputItemFunctionCallOutputOutputUnionParam{OfString: param.NewOpt(r.Text)},
					}})
				}
			}
		default:
			return nil, fault.Newf(fault.Invalid, "a message has the unknown role %q", m.Role)
		}
	}
	return out, nil
}

// content writes what somebody said, with the files to look at.
func content(m llm.Message) (out responses.EasyInputMessageContentUnionParam, err error) {
	var parts responses.ResponseInputMessageContentListParam
	files := false
	for _, part := range m.Content {
		switch p := part.(type) {
		case llm.Text:
			parts = append(parts, responses.ResponseInputContentParamOfInputText(p.Text))
		case llm.File:
			files = true
			switch {
			case strings.HasPrefix(p.MIME, "image/"):
				parts = append(parts, responses.ResponseInputContentUnionParam{OfInputImage: &responses.ResponseInputImageParam{Detail: responses.ResponseInputImageDetailAuto, ImageURL: param.NewOpt(dataURL(p))}})
			case p.MIME == "application/pdf":
				parts = append(parts, responses.ResponseInputContentUnionParam{OfInputFile: &responses.ResponseInputFileParam{FileData: param.NewOpt(dataURL(p)), Filename: param.NewOpt(named(p))}})
			default:
				return out, fault.Newf(fault.Invalid, "files of the type %s cannot be sent to this provider", p.MIME)
			}
		}
	}
	if !files {
		out.OfString = param.NewOpt(m.Text())
		return out, nil
	}
	out.OfInputItemContentList = parts
	return out, nil
}

// event takes one event of a stream. Tool calls and the end are told with the last one, which holds the whole answer.
func event(e *responses.ResponseStreamEventUnion, raw bool, yield func(llm.Part, error) bool) (done bool, err error) {
	if raw && !yield(llm.Raw{JSON: rawJSON(e.RawJSON())}, nil) {
		return true, nil
	}
	switch e.Type {
	case "response.output_text.delta", "response.refusal.delta":
		return e.Delta != "" && !yield(llm.Text{Text: e.Delta}, nil), nil
	case "response.reasoning_summary_text.delta", "response.reasoning_text.delta":
		return e.Delta != "" && !yield(llm.Thinking{Text: e.Delta}, nil), nil
	case "response.completed", "response.incomplete":
		return true, ended(&e.Response, yield)
	case "response.failed":
		return true, failed(string(e.Response.Error.Code), e.Response.Error.Message)
	case "error":
		return true, failed(e.Code, e.Message)
	}
	return false, nil
}

func failed(code, message string) error {
	kind := fault.Unavailable
	switch code {
	case "rate_limit_exceeded":
		kind = fault.RateLimited
	case "invalid_prompt", "invalid_image", "image_too_large", "unsupported_image_media_type":
		kind = fault.Invalid
	}
	return fault.New(kind, &llm.ProviderError{Message: message})
}

// answered gives an answer that came at once.
func answered(r *responses.Response, yield func(llm.Part, error) bool) error {
	if r.Status == responses.ResponseStatusFailed {
		return failed(string(r.Error.Code), r.Error.Message)
	}
	for i := range r.Output {
		for _, part := range r.Output[i].Content {
			if text := part.Text + part.Refusal; text != "" && !yield(llm.Text{Text: text}, nil) {
				return nil
			}
		}
	}
	return ended(r, yield)
}

// ended tells the tool calls of an answer, what was used and why it ended.
func ended(r *responses.Response, yield func(llm.Part, error) bool) error {
	searches := 0
	for i := range r.Output {
		item := &r.Output[i]
		switch item.Type {
		case "function_call":
			if !yield(llm.ToolCall{ID: item.CallID, Name: item.Name, Arguments: item.Arguments.OfString}, nil) {
				return nil
			}
		case "web_search_call":
			searches++
		}
	}
	cached := int(r.Usage.InputTokensDetails.CachedTokens)
	used := llm.Usage{
		Input: max(0, int(r.Usage.InputTokens)-cached), CacheRead: cached, Output: int(r.Usage.OutputTokens),
		Thinking: int(r.Usage.OutputTokensDetails.ReasoningTokens), Searches: searches,
	}
	if used != (llm.Usage{}) && !yield(used, nil) {
		return nil
	}
	raw, reason := string(r.Status), llm.Stop
	if r.Status == responses.ResponseStatusIncomplete {
		raw = r.IncompleteDetails.Reason
		if reason = llm.Length; raw == "content_filter" {
			reason = llm.ContentFilter
		}
	}
	yield(llm.Finish{Reason: reason, Raw: raw}, nil)
	return nil
}
