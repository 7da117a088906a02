package ollamallm

import (
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// reader tells the pieces of an answer. An answer that comes at once is one piece.
type reader struct {
	env   connector.Env
	raw   bool
	yield func(llm.Part, error) bool
	calls bool // there were some
}

// read takes one piece. It reports whether it was the last one, or the caller wants no more.
func (r *reader) read(piece value.Value) (done bool, err error) {
	if message := piece.GetString("error"); message != "" {
		return true, fault.New(fault.Unavailable, &llm.ProviderError{Message: message})
	}
	if r.raw && !r.yield(llm.Raw{JSON: piece}, nil) {
		return true, nil
	}
	m := piece.Get("message")
	if text := m.GetString("thinking"); text != "" && !r.yield(llm.Thinking{Text: text}, nil) {
		return true, nil
	}
	if text := m.GetString("content"); text != "" && !r.yield(llm.Text{Text: text}, nil) {
		return true, nil
	}
	for _, c := range m.Get("tool_calls").Items() {
		r.calls = true
		if !r.yield(r.call(c), nil) {
			return true, nil
		}
	}
	if !piece.Get("done").Truthy() {
		return false, nil
	}
	used := llm.Usage{Input: count(piece.Get("prompt_eval_count")), Output: count(piece.Get("eval_count"))}
	if used != (llm.Usage{}) && !r.yield(used, nil) {
		return true, nil
	}
	reason := piece.GetString("done_reason")
	if reason == "" {
		reason = "stop" // servers before June 2024 only say that they are done
	}
	end := llm.Finish{Reason: llm.ParseReason(reason), Raw: reason}
	if r.calls && end.Reason == llm.Stop { // this interface has no word of its own for it
		end.Reason = llm.ToolCalls
	}
	r.yield(end, nil)
	return true, nil
}

// call is a tool call, which comes whole. Older servers give none an id, and two calls of one tool have to be told apart.
func (r *reader) call(c value.Value) llm.ToolCall {
	f := c.Get("function")
	out := llm.ToolCall{ID: c.GetString("id"), Name: f.GetString("name"), Arguments: "{}"}
	if arguments := f.Get("arguments"); arguments.IsObject() {
		out.Arguments = arguments.JSON()
	}
	if out.ID == "" {
		out.ID = "call_" + r.env.Effects.NewID()
	}
	return out
}

// count reads a number of tokens; what is none is 0.
func count(v value.Value) int {
	n, ok := v.Num()
	if !ok || !(n >= 1 && n <= 1<<40) {
		return 0
	}
	return int(n)
}
