package anthropicllm

import (
	"encoding/base64"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/anthropics/anthropic-sdk-go/packages/param"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/value"
)

// request is a call as the provider takes it.
type request struct {
	body   anthropic.MessageNewParams
	more   []option.RequestOption // members that the SDK writes in another way than the provider's short forms
	prefix string                 // of the answer, which the provider leaves out because it was given
}

// newRequest writes a call for the Messages interface.
func newRequest(call *llm.Call) (*request, error) {
	r := &request{body: anthropic.MessageNewParams{Model: anthropic.Model(call.Target.ModelID), MaxTokens: int64(call.MaxTokens)}}
	messages, system, err := conversation(call.Messages)
	if err != nil {
		return nil, err
	}
	thinking := call.Reasoning.On && call.Target.Has(models.FeatureReasoning)
	if call.Format.JSON && !thinking && len(call.Tools) == 0 {
		r.prefix = "{"
		messages = append(messages, message("assistant", value.Of(r.prefix)))
	}
	if call.Cache {
		messages = marked(messages)
	}
	for _, m := range messages {
		r.body.Messages = append(r.body.Messages, param.Override[anthropic.MessageParam](m))
	}
	switch {
	case system != "" && call.Cache:
		r.body.System = []anthropic.TextBlockParam{{Text: system, CacheControl: anthropic.NewCacheControlEphemeralParam()}}
	case system != "":
		r.more = append(r.more, option.WithJSONSet("system", system))
	}
	r.sampling(call, thinking)
	r.tools(call, thinking)
	if call.Extra.Len() > 0 {
		extra := make(map[string]any, call.Extra.Len())
		for _, m := range call.Extra.Members() {
			extra[m.Key] = m.Value
		}
		r.body.SetExtraFields(extra)
	}
	return r, nil
}

// sampling sets how the answer is found. A model that thinks takes no settings of sampling.
func (r *request) sampling(call *llm.Call, thinking bool) {
	r.body.StopSequences = call.Stop
	if thinking {
		budget := call.Reasoning.MaxTokens
		if most := call.MaxTokens * 4 / 5; budget <= 0 || budget >= call.MaxTokens {
			budget = most
		}
		r.body.Thinking = anthropic.ThinkingConfigParamOfEnabled(int64(max(budget, minThinking)))
		return
	}
	if call.Temperature != nil {
		r.body.Temperature = param.NewOpt(*call.Temperature)
	}
	if call.TopP != nil {
		r.body.TopP = param.NewOpt(*call.TopP)
	}
	if call.TopK != nil {
		r.body.TopK = param.NewOpt(int64(*call.TopK))
	}
}

// minThinking is the least that the provider lets a model think, in tokens.
const minThinking = 1024

// tools declares the tools. A model that thinks cannot be forced to use one.
func (r *request) tools(call *llm.Call, thinking bool) {
	for i, t := range call.Tools {
		tool := anthropic.ToolParam{Name: t.Name, InputSchema: param.Override[anthropic.ToolInputSchemaParam](t.Parameters)}
		if t.Description != "" {
			tool.Description = param.NewOpt(t.Description)
		}
		if call.Cache && i == len(call.Tools)-1 {
			tool.CacheControl = anthropic.NewCacheControlEphemeralParam()
		}
		r.body.Tools = append(r.body.Tools, anthropic.ToolUnionParam{OfTool: &tool})
	}
	if len(call.Tools) == 0 || call.ToolChoice == llm.Auto {
		return
	}
	switch {
	case call.ToolChoice == llm.NoTools:
		none := anthropic.NewToolChoiceNoneParam()
		r.body.ToolChoice.OfNone = &none
	case thinking:
	case call.ToolChoice == llm.Required:
		r.body.ToolChoice.OfAny = &anthropic.ToolChoiceAnyParam{}
	default:
		r.body.ToolChoice = anthropic.ToolChoiceParamOfTool(string(call.ToolChoice))
	}
}

// conversation writes messages, and returns apart what belongs to the system prompt. The provider wants a message of the
// user first and no empty texts.
func conversation(list []llm.Message) (messages []value.Value, system string, err error) {
	var systems []string
	for _, m := range list {
		switch m.Role {
		case llm.System:
			systems = append(systems, m.Text())
			continue
		case llm.User, llm.Tool:
			content, err := said(m)
			if err != nil {
				return nil, "", err
			}
			messages = append(messages, message("user", content))
		case llm.Assistant:
			content, err := said(m)
			if err != nil {
				return nil, "", err
			}
			messages = append(messages, message("assistant", content))
		default:
			return nil, "", fault.Newf(fault.Invalid, "a message has the unknown role %q", m.Role)
		}
	}
	if len(messages) == 0 || messages[0].GetString("role") != "user" {
		messages = append([]value.Value{message("user", value.Of("continue"))}, messages...)
	}
	return messages, strings.Join(systems, "\n"), nil
}

func message(role string, content value.Value) value.Value {
	return value.Obj(value.M("role", value.Of(role)), value.M("content", content))
}

// said is the content of a message: a text alone is sent as such.
func said(m llm.Message) (value.Value, error) {
	blocks := make([]value.Value, 0, len(m.Content))
	plain := true
	for _, part := range m.Content {
		switch p := part.(type) {
		case llm.Text:
			if p.Text != "" {
				blocks = append(blocks, block("text", value.M("text", value.Of(p.Text))))
			}
			continue
		case llm.Thinking:
			switch {
			case p.Sealed != nil:
				blocks = append(blocks, block("redacted_thinking", value.M("data", value.Of(string(p.Sealed)))))
			case p.Signature != "":
				blocks = append(blocks, block("thinking", value.M("thinking", value.Of(p.Text)), value.M("signature", value.Of(p.Signature))))
			default:
				continue // of another provider
			}
		case llm.ToolCall:
			input, err := value.Parse(p.Arguments)
			if err != nil || !input.IsObject() {
				input = value.Obj()
			}
			blocks = append(blocks, block("tool_use", value.M("id", value.Of(p.ID)), value.M("name", value.Of(p.Name)), value.M("input", input)))
		case llm.ToolResult:
			b := block("tool_result", value.M("tool_use_id", value.Of(p.CallID)), value.M("content", value.Of(p.Text)))
			if p.Failed {
				b = b.With("is_error", value.OfBool(true))
			}
			blocks = append(blocks, b)
		case llm.File:
			f, err := file(p)
			if err != nil {
				return value.Value{}, err
			}
			blocks = append(blocks, f)
		}
		plain = false
	}
	if plain {
		text := m.Text()
		if strings.TrimSpace(text) == "" {
			text = "..." // the provider refuses nothing at all
		}
		return value.Of(text), nil
	}
	return value.OfItems(blocks), nil
}

func block(kind string, more ...value.Member) value.Value {
	return value.Obj(append([]value.Member{value.M("type", value.Of(kind))}, more...)...)
}

// file writes something to look at.
func file(f llm.File) (value.Value, error) {
	source := value.Obj(value.M("type", value.Of("base64")), value.M("data", value.Of(base64.StdEncoding.EncodeToString(f.Data))), value.M("media_type", value.Of(f.MIME)))
	switch f.MIME {
	case "image/png", "image/jpeg", "image/webp", "image/gif":
		return block("image", value.M("source", source)), nil
	case "application/pdf":
		return block("document", value.M("source", source)), nil
	case "text/plain":
		return block("document", value.M("source", value.Obj(value.M("type", value.Of("text")), value.M("media_type", value.Of(f.MIME)), value.M("data", value.Of(string(f.Data)))))), nil
	}
	return value.Value{}, fault.Newf(fault.Invalid, "files of the type %s cannot be sent to this provider", f.MIME)
}

// marked marks the end of the last message for the cache: all up to there will be sent again.
func marked(messages []value.Value) []value.Value {
	last := len(messages) - 1
	content := messages[last].Get("content")
	if text, ok := content.Str(); ok {
		content = value.List(block("text", value.M("text", value.Of(text))))
	}
	items := append([]value.Value(nil), content.Items()...)
	if len(items) == 0 {
		return messages
	}
	items[len(items)-1] = items[len(items)-1].With("cache_control", value.Obj(value.M("type", value.Of("ephemeral"))))
	messages[last] = messages[last].With("content", value.OfItems(items))
	return messages
}
