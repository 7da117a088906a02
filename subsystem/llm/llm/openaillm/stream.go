package openaillm

import (
	"context"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// chatStream asks Chat Completions for an answer in pieces. The provider says why it ended before it says what was used,
// so the end is told last.
func (c *client) chatStream(ctx context.Context, call *llm.Call, service *openai.ChatCompletionService, body openai.ChatCompletionNewParams, yield func(llm.Part, error) bool) (err error) {
	body.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: param.NewOpt(true)}
	stream := service.NewStreaming(ctx, body)
	defer func() {
		if closing := stream.Close(); err == nil && closing != nil {
			err = explain(ctx, closing)
		}
	}()
	s := chatReader{client: c, raw: call.Raw, yield: yield}
	for stream.Next() {
		chunk := stream.Current()
		if !s.read(&chunk) {
			return nil
		}
	}
	if err := stream.Err(); err != nil {
		return explain(ctx, err)
	}
	return s.end()
}

// chatReader puts an answer together from its pieces.
type chatReader struct {
	client  *client
	raw     bool
	yield   func(llm.Part, error) bool
	calls   []llm.ToolCall
	used    llm.Usage
	reason  string // why the answer ended, "" until it has
	refused bool
}

// read takes one piece. It reports whether more is wanted.
func (s *chatReader) read(chunk *openai.ChatCompletionChunk) bool {
	if chunk.JSON.Usage.Valid() {
		s.used = usage(&chunk.Usage)
	}
	if len(chunk.Choices) == 0 {
		return !s.raw || s.yield(llm.Raw{JSON: value.NullValue()}, nil)
	}
	choice := &chunk.Choices[0]
	delta := &choice.Delta
	if s.raw && !s.yield(llm.Raw{JSON: rawJSON(delta.RawJSON())}, nil) {
		return false
	}
	if choice.FinishReason != "" {
		s.reason = choice.FinishReason
	}
	if f, ok := delta.JSON.ExtraFields[s.client.habits.reasoning]; ok {
		if text, ok := textOf(f.Raw()); ok && !s.yield(llm.Thinking{Text: text}, nil) {
			return false
		}
	}
	for i := range delta.ToolCalls {
		s.add(&delta.ToolCalls[i])
	}
	if delta.Refusal != "" {
		s.refused = true
		if !s.yield(llm.Text{Text: delta.Refusal}, nil) {
			return false
		}
	}
	return delta.Content == "" || s.yield(llm.Text{Text: delta.Content}, nil)
}

// maxCalls bounds the index that a provider may give a tool call.
const maxCalls = 10_000

// add puts a piece of a tool call to the call it belongs to.
func (s *chatReader) add(piece *openai.ChatCompletionChunkChoiceDeltaToolCall) {
	if piece.Index < 0 || piece.Index >= maxCalls {
		return
	}
	for int(piece.Index) >= len(s.calls) {
		s.calls = append(s.calls, llm.ToolCall{})
	}
	c := &s.calls[piece.Index]
	if piece.ID != "" {
		c.ID = piece.ID
	}
	c.Name += piece.Function.Name
	c.Arguments += piece.Function.Arguments
}

// end tells the tool calls, what was used and why the answer ended. Without a reason it is not complete, and nothing is
// told.
func (s *chatReader) end() error {
	if s.reason == "" {
		return nil
	}
	for _, call := range s.calls {
		if !s.yield(call, nil) {
			return nil
		}
	}
	if s.used != (llm.Usage{}) && !s.yield(s.used, nil) {
		return nil
	}
	return finish(s.reason, s.refused, s.yield)
}

// finish tells why an answer ended.
func finish(raw string, refused bool, yield func(llm.Part, error) bool) error {
	reason := llm.ParseReason(raw)
	if refused {
		reason = llm.ContentFilter
	}
	yield(llm.Finish{Reason: reason, Raw: raw}, nil)
	return nil
}

// usage reads what was used. What was read from the cache is not counted as input again.
func usage(u *openai.CompletionUsage) llm.Usage {
	cached := int(u.PromptTokensDetails.CachedTokens)
	return llm.Usage{
		Input: max(0, int(u.PromptTokens)-cached), CacheRead: cached,
		Output: int(u.CompletionTokens), Thinking: int(u.CompletionTokensDetails.ReasoningTokens),
	}
}

func rawJSON(text string) value.Value {
	v, err := value.Decode([]byte(text), value.DefaultLimits())
	if err != nil {
		return value.NullValue()
	}
	return v
}

// textOf reads a JSON string that is not empty.
func textOf(raw string) (string, bool) {
	text, ok := rawJSON(raw).Str()
	return text, ok && text != ""
}

func noChoice() error {
	return fault.New(fault.Unavailable, &llm.ProviderError{Message: "the provider sent no answer"})
}
