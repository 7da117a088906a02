package anthropicllm

import (
	"context"

	"github.com/anthropics/anthropic-sdk-go"

	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// whole gives an answer that came at once.
func whole(m *anthropic.Message, prefix string, yield func(llm.Part, error) bool) error {
	if prefix != "" && !yield(llm.Text{Text: prefix}, nil) {
		return nil
	}
	for i := range m.Content {
		b := &m.Content[i]
		var part llm.Part
		switch b.Type {
		case "text":
			part = llm.Text{Text: b.Text}
		case "thinking":
			part = llm.Thinking{Text: b.Thinking, Signature: b.Signature}
		case "redacted_thinking":
			part = llm.Thinking{Sealed: []byte(b.Data)}
		case "tool_use":
			part = llm.ToolCall{ID: b.ID, Name: b.Name, Arguments: arguments(string(b.Input))}
		default:
			continue
		}
		if !yield(part, nil) {
			return nil
		}
	}
	u := m.Usage
	return finish(llm.Usage{
		Input: int(u.InputTokens), CacheRead: int(u.CacheReadInputTokens), CacheWrite: int(u.CacheCreationInputTokens), Output: int(u.OutputTokens),
		Searches: int(u.ServerToolUse.WebSearchRequests),
	}, string(m.StopReason), yield)
}

// finish tells what was used and why the answer ended. Without a reason it is not complete, and nothing is told.
func finish(used llm.Usage, reason string, yield func(llm.Part, error) bool) error {
	if reason == "" {
		return nil
	}
	if used != (llm.Usage{}) && !yield(used, nil) {
		return nil
	}
	yield(llm.Finish{Reason: llm.ParseReason(reason), Raw: reason}, nil)
	return nil
}

// stream asks for an answer in pieces.
func (c *client) stream(ctx context.Context, call *llm.Call, service *anthropic.MessageService, r *request, yield func(llm.Part, error) bool) (err error) {
	stream := service.NewStreaming(ctx, r.body)
	defer func() {
		if closing := stream.Close(); err == nil && closing != nil {
			err = c.explain(ctx, closing)
		}
	}()
	s := reader{raw: call.Raw, prefix: r.prefix, yield: yield, tools: map[int64]*llm.ToolCall{}, thoughts: map[int64]*llm.Thinking{}}
	for stream.Next() {
		e := stream.Current()
		if !s.read(&e) {
			return nil
		}
		if s.ended {
			return finish(s.used, s.reason, yield)
		}
	}
	if err := stream.Err(); err != nil {
		return c.explain(ctx, err)
	}
	return finish(s.used, s.reason, yield)
}

// reader puts an answer together from its pieces.
type reader struct {
	raw      bool
	prefix   string // given before the first text
	yield    func(llm.Part, error) bool
	tools    map[int64]*llm.ToolCall
	thoughts map[int64]*llm.Thinking
	used     llm.Usage
	reason   string
	ended    bool
}

// read takes one piece. It reports whether more is wanted.
func (s *reader) read(e *anthropic.MessageStreamEventUnion) bool {
	if s.raw && !s.yield(llm.Raw{JSON: rawJSON(e.RawJSON())}, nil) {
		return false
	}
	switch e.Type {
	case "message_start":
		u := e.Message.Usage
		s.used = llm.Usage{Input: int(u.InputTokens), CacheRead: int(u.CacheReadInputTokens), CacheWrite: int(u.CacheCreationInputTokens), Output: int(u.OutputTokens)}
		if s.prefix != "" {
			return s.yield(llm.Text{Text: s.prefix}, nil)
		}
	case "content_block_start":
		return s.begin(e)
	case "content_block_delta":
		return s.delta(e)
	case "content_block_stop":
		return s.stop(e.Index)
	case "message_delta":
		s.reason = string(e.Delta.StopReason)
		s.used.Output = max(s.used.Output, int(e.Usage.OutputTokens))
		s.used.Input = max(s.used.Input, int(e.Usage.InputTokens))
		s.used.Searches = int(e.Usage.ServerToolUse.WebSearchRequests)
	case "message_stop":
		s.ended = true
	}
	return true
}

func (s *reader) begin(e *anthropic.MessageStreamEventUnion) bool {
	b := &e.ContentBlock
	switch b.Type {
	case "text":
		return b.Text == "" || s.yield(llm.Text{Text: b.Text}, nil)
	case "tool_use":
		s.tools[e.Index] = &llm.ToolCall{ID: b.ID, Name: b.Name}
	case "thinking":
		s.thoughts[e.Index] = &llm.Thinking{}
	case "redacted_thinking":
		return s.yield(llm.Thinking{Sealed: []byte(b.Data)}, nil)
	}
	return true
}

func (s *reader) delta(e *anthropic.MessageStreamEventUnion) bool {
	d := &e.Delta
	switch d.Type {
	case "text_delta":
		return d.Text == "" || s.yield(llm.Text{Text: d.Text}, nil)
	case "thinking_delta":
		return d.Thinking == "" || s.yield(llm.Thinking{Text: d.Thinking}, nil)
	case "signature_delta":
		if t := s.thoughts[e.Index]; t != nil {
			t.Signature += d.Signature
		}
	case "input_json_delta":
		if c := s.tools[e.Index]; c != nil {
			c.Arguments += d.PartialJSON
		}
	}
	return true
}

// stop ends a block: a thought is told with its signature, a tool call whole.
func (s *reader) stop(index int64) bool {
	if t := s.thoughts[index]; t != nil && t.Signature != "" {
		return s.yield(*t, nil)
	}
	if c := s.tools[index]; c != nil {
		c.Arguments = arguments(c.Arguments)
		return s.yield(*c, nil)
	}
	return true
}

// arguments are those of a tool call; the provider sends nothing for none.
func arguments(text string) string {
	if text == "" {
		return "{}"
	}
	return text
}

func rawJSON(text string) value.Value {
	v, err := value.Decode(text, value.DefaultLimits())
	if err != nil {
		return value.NullValue()
	}
	return v
}
