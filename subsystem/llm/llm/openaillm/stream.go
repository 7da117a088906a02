package openaillm

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/packages/ssestream"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// chatStream asks Chat Completions for an answer in pieces. The provider says why it ended before it says what was used,
// so the end is told last.
//
// Many of these wait at once for models that take their time, so what waits is small: no more than the request is on the
// stack and the heap. The pieces are read by package value, which takes a fraction of the time that the SDK's reflection does.
func (c *client) chatStream(ctx context.Context, call *llm.Call, yield func(llm.Part, error) bool) error {
	answer, err := c.open(ctx, call)
	if err != nil {
		return err
	}
	err = c.pieces(ctx, ssestream.NewDecoder(answer), &chatReader{reasoning: c.habits.reasoning, raw: call.Raw, yield: yield})
	if closing := answer.Body.Close(); err == nil && closing != nil {
		err = c.explain(ctx, closing)
	}
	return err
}

// open sends the request and returns the answer, whose body the caller closes. An answer of 400 and above is an error.
func (c *client) open(ctx context.Context, call *llm.Call) (*http.Response, error) {
	way, r, err := c.route(ctx, &call.Target, call.Credential)
	if err != nil {
		return nil, err
	}
	req, err := c.streamed(way, call, r)
	if err != nil {
		return nil, err
	}
	answer, err := c.env.HTTP.Do(req)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return nil, c.explain(ctx, refusal(answer))
	}
	return answer, nil
}

// refusal reads an answer that is an error.
func refusal(answer *http.Response) error {
	text, err := io.ReadAll(answer.Body)
	if closing := answer.Body.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	said := &openai.Error{StatusCode: answer.StatusCode, Response: answer}
	if told, err := value.Decode(text, value.Limits{Duplicates: true}); err == nil {
		said.Message = told.Get("error").GetString("message")
	}
	return said
}

// pieces reads the pieces of an answer to their end.
func (c *client) pieces(ctx context.Context, events ssestream.Decoder, s *chatReader) error {
	for events.Next() {
		data := events.Event().Data
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
	if err := events.Err(); err != nil {
		return c.explain(ctx, err)
	}
	return s.end()
}

// maxPiece bounds a piece of an answer, in bytes: the SDK reads no longer line.
const maxPiece = 32 << 20

// streamed is a request for an answer in pieces.
func (c *client) streamed(ctx context.Context, call *llm.Call, r route) (*http.Request, error) {
	text, err := apart(func() ([]byte, error) {
		p, err := c.body(call)
		if err != nil {
			return nil, err
		}
		p.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: param.NewOpt(true)}
		text, err := p.MarshalJSON()
		return text, fault.New(fault.Invalid, err)
	})
	if err != nil {
		return nil, err
	}
	text = append(text[:len(text)-1], `,"stream":true}`...) // it has members, a model at least
	at, err := url.Parse(r.base)
	if err != nil {
		return nil, fault.Hint(fault.New(fault.Invalid, err), "correct the base URL of the model or of the connector %s", c.habits.name)
	}
	at = at.JoinPath("chat/completions")
	at.RawQuery = "" // no base has one
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String(), bytes.NewReader(text))
	if err != nil {
		return nil, fault.New(fault.Invalid, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("User-Agent", "sre")
	if r.key != "" {
		req.Header.Set("Authorization", "Bearer "+r.key)
	}
	return req, nil
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
