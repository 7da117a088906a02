package openaillm

import (
	"encoding/base64"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// messages writes a conversation for Chat Completions. The results of several tools are a message each.
func messages(list []llm.Message) ([]openai.ChatCompletionMessageParamUnion, error) {
	out := make([]openai.ChatCompletionMessageParamUnion, 0, len(list))
	for _, m := range list {
		switch m.Role {
		case llm.System:
			out = append(out, openai.SystemMessage(m.Text()))
		case llm.User:
			u, err := user(m)
			if err != nil {
				return nil, err
			}
			out = append(out, u)
		case llm.Assistant:
			out = append(out, assistant(m))
		case llm.Tool:
			for _, part := range m.Content {
				if r, ok := part.(llm.ToolResult); ok {
					out = append(out, result(r))
				}
			}
		default:
			return nil, fault.Newf(fault.Invalid, "a message has the unknown role %q", m.Role)
		}
	}
	return out, nil
}

// user writes what a user said: a text alone is sent as such.
func user(m llm.Message) (openai.ChatCompletionMessageParamUnion, error) {
	var parts []openai.ChatCompletionContentPartUnionParam
	files := false
	for _, part := range m.Content {
		switch p := part.(type) {
		case llm.Text:
			parts = append(parts, openai.TextContentPart(p.Text))
		case llm.File:
			files = true
			f, err := file(p)
			if err != nil {
				return openai.ChatCompletionMessageParamUnion{}, err
			}
			parts = append(parts, f)
		}
	}
	if !files {
		return openai.UserMessage(m.Text()), nil
	}
	return openai.UserMessage(parts), nil
}

// file writes something to look at: pictures and documents go inline.
func file(f llm.File) (openai.ChatCompletionContentPartUnionParam, error) {
	switch {
	case strings.HasPrefix(f.MIME, "image/"):
		return openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: dataURL(f)}), nil
	case f.MIME == "application/pdf":
		return openai.FileContentPart(openai.ChatCompletionContentPartFileFileParam{
			FileData: param.NewOpt(dataURL(f)), Filename: param.NewOpt(named(f)),
		}), nil
	case f.MIME == "audio/wav" || f.MIME == "audio/mpeg" || f.MIME == "audio/mp3":
		format := "mp3"
		if f.MIME == "audio/wav" {
			format = "wav"
		}
		return openai.InputAudioContentPart(openai.ChatCompletionContentPartInputAudioInputAudioParam{Data: base64.StdEncoding.EncodeToString(f.Data), Format: format}), nil
	}
	return openai.ChatCompletionContentPartUnionParam{}, fault.Newf(fault.Invalid, "files of the type %s cannot be sent to this provider", f.MIME)
}

func dataURL(f llm.File) string {
	return "data:" + f.MIME + ";base64," + base64.StdEncoding.EncodeToString(f.Data)
}

func named(f llm.File) string {
	if f.Name != "" {
		return f.Name
	}
	return "file.pdf"
}

// assistant writes what the model said. What it thought is not sent back: the interface has no place for it.
func assistant(m llm.Message) openai.ChatCompletionMessageParamUnion {
	a := openai.ChatCompletionAssistantMessageParam{
		Content: openai.ChatCompletionAssistantMessageParamContentUnion{OfString: param.NewOpt(m.Text())},
	}
	for _, part := range m.Content {
		if c, ok := part.(llm.ToolCall); ok {
			a.ToolCalls = append(a.ToolCalls, openai.ChatCompletionMessageToolCallUnionParam{OfFunction: &openai.ChatCompletionMessageFunctionToolCallParam{
				ID: c.ID, Function: openai.ChatCompletionMessageFunctionToolCallFunctionParam{Name: c.Name, Arguments: c.Arguments},
			}})
		}
	}
	return openai.ChatCompletionMessageParamUnion{OfAssistant: &a}
}

// result writes what a tool answered, with its name, which some servers want.
func result(r llm.ToolResult) openai.ChatCompletionMessageParamUnion {
	m := openai.ToolMessage(r.Text, r.CallID)
	if r.Name != "" {
		m.OfTool.SetExtraFields(map[string]any{"name": r.Name})
	}
	return m
}

// object is a JSON object as the SDK takes it.
func object(v value.Value) map[string]any {
	out := make(map[string]any, v.Len())
	for _, m := range v.Members() {
		out[m.Key] = m.Value
	}
	return out
}
