package bedrockllm

import (
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// whole gives an answer that came at once.
func whole(a *bedrockruntime.ConverseOutput, yield func(llm.Part, error) bool) error {
	m, ok := a.Output.(*types.ConverseOutputMemberMessage)
	if !ok {
		return nil // it is not complete
	}
	for _, b := range m.Value.Content {
		part, err := partOf(b)
		if err != nil {
			return err
		}
		if part != nil && !yield(part, nil) {
			return nil
		}
	}
	finish(usage(a.Usage), string(a.StopReason), yield)
	return nil
}

// partOf returns what a block says, nil for nothing that is passed on.
func partOf(b types.ContentBlock) (llm.Part, error) {
	switch b := b.(type) {
	case *types.ContentBlockMemberText:
		return llm.Text{Text: b.Value}, nil
	case *types.ContentBlockMemberToolUse:
		arguments := []byte("{}")
		if b.Value.Input != nil {
			var err error
			if arguments, err = b.Value.Input.MarshalSmithyDocument(); err != nil {
				return nil, fault.Newf(fault.Unavailable, "the arguments of a tool call cannot be read: %w", err)
			}
		}
		return llm.ToolCall{ID: text(b.Value.ToolUseId), Name: text(b.Value.Name), Arguments: string(arguments)}, nil
	case *types.ContentBlockMemberReasoningContent:
		switch r := b.Value.(type) {
		case *types.ReasoningContentBlockMemberReasoningText:
			return llm.Thinking{Text: text(r.Value.Text), Signature: text(r.Value.Signature)}, nil
		case *types.ReasoningContentBlockMemberRedactedContent:
			return llm.Thinking{Sealed: r.Value}, nil
		}
	}
	return nil, nil
}

// finish tells what was used and why the answer ended. Without a reason it is not complete, and nothing is told.
func finish(used llm.Usage, reason string, yield func(llm.Part, error) bool) {
	if reason == "" || used != (llm.Usage{}) && !yield(used, nil) {
		return
	}
	yield(llm.Finish{Reason: meaning(reason), Raw: reason}, nil)
}

// meaning is what the provider means by a reason; it has some words of its own.
func meaning(reason string) llm.Reason {
	switch types.StopReason(reason) {
	case types.StopReasonGuardrailIntervened, types.StopReasonContentFiltered:
		return llm.ContentFilter
	case types.StopReasonModelContextWindowExceeded:
		return llm.Length
	case types.StopReasonMalformedModelOutput, types.StopReasonMalformedToolUse:
		return llm.Failed
	}
	return llm.ParseReason(reason)
}

func usage(u *types.TokenUsage) llm.Usage {
	if u == nil {
		return llm.Usage{}
	}
	return llm.Usage{Input: number(u.InputTokens), Output: number(u.OutputTokens), CacheRead: number(u.CacheReadInputTokens), CacheWrite: number(u.CacheWriteInputTokens)}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func number(n *int32) int {
	if n == nil || *n < 0 {
		return 0
	}
	return int(*n)
}
