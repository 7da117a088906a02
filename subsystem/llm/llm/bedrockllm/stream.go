package bedrockllm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// stream asks for an answer in pieces. The SDK reads them in goroutines of its own, which end when their input does:
// nothing of them is left when this returns.
func (c *client) stream(ctx context.Context, service *bedrockruntime.Client, call *llm.Call, r *request, yield func(llm.Part, error) bool) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	answer, err := service.ConverseStream(reading, &bedrockruntime.ConverseStreamInput{
		ModelId: &call.Target.ModelID, Messages: r.messages, System: r.system, InferenceConfig: r.inference, ToolConfig: r.tools,
		AdditionalModelRequestFields: r.extra,
	})
	if err != nil {
		return c.explain(ctx, err)
	}
	events := answer.GetStream()
	s := reader{raw: call.Raw, yield: yield, tools: map[int32]*llm.ToolCall{}, thoughts: map[int32]*llm.Thinking{}}
	wanted := true
	for e := range events.Events() {
		if wanted && (!s.read(e) || s.ended) {
			wanted = false
			stop() // the rest is only read to its end
		}
	}
	broken := events.Close()
	switch {
	case s.refused:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case s.reason != "": // the rest would only have been what was used
		finish(s.used, s.reason, yield)
		return nil
	case broken != nil:
		return c.explain(ctx, broken)
	}
	return nil // it ended without a reason
}

// reader puts an answer together from its pieces.
type reader struct {
	raw      bool
	yield    func(llm.Part, error) bool
	tools    map[int32]*llm.ToolCall
	thoughts map[int32]*llm.Thinking
	used     llm.Usage
	reason   string
	ended    bool // the last piece has come
	refused  bool // the caller wants no more
}

// read takes one piece. It reports whether more is wanted.
func (s *reader) read(e types.ConverseStreamOutput) bool {
	if s.raw && !s.tell(llm.Raw{JSON: rawJSON(e)}) {
		return false
	}
	switch e := e.(type) {
	case *types.ConverseStreamOutputMemberContentBlockStart:
		if b, ok := e.Value.Start.(*types.ContentBlockStartMemberToolUse); ok {
			s.tools[index(e.Value.ContentBlockIndex)] = &llm.ToolCall{ID: text(b.Value.ToolUseId), Name: text(b.Value.Name)}
		}
	case *types.ConverseStreamOutputMemberContentBlockDelta:
		return s.delta(index(e.Value.ContentBlockIndex), e.Value.Delta)
	case *types.ConverseStreamOutputMemberContentBlockStop:
		return s.stop(index(e.Value.ContentBlockIndex))
	case *types.ConverseStreamOutputMemberMessageStop:
		s.reason = string(e.Value.StopReason)
	case *types.ConverseStreamOutputMemberMetadata:
		s.used = usage(e.Value.Usage)
		s.ended = s.reason != ""
	}
	return true
}

func (s *reader) delta(at int32, d types.ContentBlockDelta) bool {
	switch d := d.(type) {
	case *types.ContentBlockDeltaMemberText:
		return d.Value == "" || s.tell(llm.Text{Text: d.Value})
	case *types.ContentBlockDeltaMemberToolUse:
		if c := s.tools[at]; c != nil {
			c.Arguments += text(d.Value.Input)
		}
	case *types.ContentBlockDeltaMemberReasoningContent:
		switch r := d.Value.(type) {
		case *types.ReasoningContentBlockDeltaMemberText:
			return r.Value == "" || s.tell(llm.Thinking{Text: r.Value})
		case *types.ReasoningContentBlockDeltaMemberSignature:
			s.thought(at).Signature += r.Value
		case *types.ReasoningContentBlockDeltaMemberRedactedContent:
			t := s.thought(at)
			t.Sealed = append(t.Sealed, r.Value...)
		}
	}
	return true
}

func (s *reader) thought(at int32) *llm.Thinking {
	if s.thoughts[at] == nil {
		s.thoughts[at] = &llm.Thinking{}
	}
	return s.thoughts[at]
}

// stop ends a block: a thought is told with its signature, a tool call whole.
func (s *reader) stop(at int32) bool {
	if t := s.thoughts[at]; t != nil {
		delete(s.thoughts, at)
		return s.tell(*t)
	}
	if c := s.tools[at]; c != nil {
		delete(s.tools, at)
		if c.Arguments == "" {
			c.Arguments = "{}" // the provider sends nothing for none
		}
		return s.tell(*c)
	}
	return true
}

func (s *reader) tell(p llm.Part) bool {
	if !s.yield(p, nil) {
		s.refused = true
	}
	return !s.refused
}

func index(n *int32) int32 {
	if n == nil {
		return 0
	}
	return *n
}

// rawJSON is a piece for debuggers, null for one that carries nothing of the answer.
func rawJSON(e types.ConverseStreamOutput) value.Value {
	d, ok := e.(*types.ConverseStreamOutputMemberContentBlockDelta)
	if !ok {
		return value.NullValue()
	}
	delta := value.NullValue()
	switch d := d.Value.Delta.(type) {
	case *types.ContentBlockDeltaMemberText:
		delta = value.Obj(value.M("text", value.Of(d.Value)))
	case *types.ContentBlockDeltaMemberToolUse:
		delta = value.Obj(value.M("toolUse", value.Obj(value.M("input", value.Of(text(d.Value.Input))))))
	case *types.ContentBlockDeltaMemberReasoningContent:
		if r, ok := d.Value.(*types.ReasoningContentBlockDeltaMemberText); ok {
			delta = value.Obj(value.M("reasoningContent", value.Obj(value.M("text", value.Of(r.Value)))))
		}
	}
	return value.Obj(value.M("contentBlockIndex", value.OfInt(int(index(d.Value.ContentBlockIndex)))), value.M("delta", delta))
}
