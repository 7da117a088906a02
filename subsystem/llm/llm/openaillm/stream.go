package openaillm

import (
	"bytes"
	"context"
	"net/http"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/packages/ssestream"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// chatStream asks Chat Completions for an answer in pieces. The provider says why it ended before it says what was used,
// so the end is told last.
//
// Many of these wait at once for models that take their time, so what waits is kept small: the body is written before, and
// the SDK's large structures are not on the stack meanwhile. The pieces are read by package value, which takes a fraction
// of the time that the SDK's reflection does.
func (c *client) chatStream(ctx context.Context, body []byte, raw bool, opts []option.RequestOption, yield func(llm.Part, error) bool) (err error) {
	var answer *http.Response
	if err := c.sdk.Post(ctx, "chat/completions", body, &answer, opts...); err != nil {
		return c.explain(ctx, err)
	}
	pieces := ssestream.NewDecoder(answer)
	defer func() {
		if closing := pieces.Close(); err == nil && closing != nil {
			err = c.explain(ctx, closing)
		}
	}()
	s := chatReader{reasoning: c.habits.reasoning, raw: raw, yield: yield}
	for pieces.Next() {
		data := pieces.Event().Data
		if bytes.HasPrefix(data, []byte("[DONE]")) {
			return s.end()
		}
		chunk, err := value.Decode(data, value.Limits{Bytes: maxPiece, Duplicates: true})
		if err != nil {
			return &fault.Error{Kind: fault.Unavailable, Err: &llm.ProviderError{Message: "Connection error."}, Hint: err.Error()}
		}
		if told := chunk.Get("error"); !told.IsNil() {
			return fault.New(fault.Unavailable, &llm.ProviderError{Message: "received error while streaming: " + told.Plain()})
		}
		if !s.read(chunk) {
			return nil
		}
	}
	if err := pieces.Err(); err != nil {
		return c.explain(ctx, err)
	}
	return s.end()
}

// maxPiece bounds a piece of an answer, in bytes: the SDK reads no longer line.
const maxPiece = 32 << 20

// streamed writes a body for an answer in pieces. It is done when the answer is waited for, and so is its large frame.
func (c *client) streamed(call *llm.Call) ([]byte, error) {
	p, err := c.body(call)
	if err != nil {
		return nil, err
	}
	p.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: param.NewOpt(true)}
	text, err := p.MarshalJSON()
	if err != nil {
		return nil, fault.New(fault.Invalid, err)
	}
	return append(text[:len(text)-1], `,"stream":true}`...), nil // it has members, a model at least
}

// chatReader puts an answer together from its pieces.
type chatReader struct {
	reasoning string // the member of a delta with what the model thinks, "" for none
	raw       bool
	yield     func(llm.Part, error) bool
	calls     []llm.ToolCall
	used      llm.Usage
	reason    string // why the answer ended, "" until it has
	refused   bool
}

// read takes one piece. It reports whether more is wanted. What is not of the kind that it should be counts as missing.
func (s *chatReader) read(chunk value.Value) bool {
	if u := chunk.Get("usage"); u.IsObject() {
		s.used = usage(count(u, "prompt_tokens"), count(u.Get("prompt_tokens_details"), "cached_tokens"),
			count(u, "completion_tokens"), count(u.Get("completion_tokens_details"), "reasoning_tokens"))
	}
	choice := chunk.Get("choices").At(0)
	if choice.IsAbsent() {
		return !s.raw || s.yield(llm.Raw{JSON: value.NullValue()}, nil)
	}
	delta := choice.Get("delta")
	if s.raw {
		shown := delta
		if shown.IsAbsent() {
			shown = value.NullValue()
		}
		if !s.yield(llm.Raw{JSON: shown}, nil) {
			return false
		}
	}
	if reason := choice.GetString("finish_reason"); reason != "" {
		s.reason = reason
	}
	if s.reasoning != "" {
		if text := delta.GetString(s.reasoning); text != "" && !s.yield(llm.Thinking{Text: text}, nil) {
			return false
		}
	}
	for _, piece := range delta.Get("tool_calls").Items() {
		s.add(piece)
	}
	if text := delta.GetString("refusal"); text != "" {
		s.refused = true
		if !s.yield(llm.Text{Text: text}, nil) {
			return false
		}
	}
	text := delta.GetString("content")
	return text == "" || s.yield(llm.Text{Text: text}, nil)
}

// maxCalls bounds the index that a provider may give a tool call.
const maxCalls = 10_000

// add puts a piece of a tool call to the call it belongs to.
func (s *chatReader) add(piece value.Value) {
	index, _ := piece.Get("index").Num()
	if !(index >= 0 && index < maxCalls) {
		return
	}
	for int(index) >= len(s.calls) {
		s.calls = append(s.calls, llm.ToolCall{})
	}
	c := &s.calls[int(index)]
	if id := piece.GetString("id"); id != "" {
		c.ID = id
	}
	f := piece.Get("function")
	c.Name += f.GetString("name")
	c.Arguments += f.GetString("arguments")
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

// usage is what was used. What was read from the cache is not counted as input again.
func usage(prompt, cached, completion, thinking int) llm.Usage {
	return llm.Usage{Input: max(0, prompt-cached), CacheRead: cached, Output: completion, Thinking: thinking}
}

// count reads a number of tokens, 0 when there is none.
func count(v value.Value, member string) int {
	n, _ := v.Get(member).Num()
	if !(n >= 0 && n <= 1<<50) {
		return 0
	}
	return int(n)
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
