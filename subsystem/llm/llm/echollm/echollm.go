// Package echollm is a model that answers with what it is asked. It needs no key and no network: for tests and for a
// first agent.
package echollm

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// Settings of the connector.
type Settings struct {
	WordDelay time.Duration `json:"wordDelay" sre:"min=0,max=60" default:"0" doc:"Seconds between two words of an answer that is shown as it comes."`
}

// Definition is the connector as configuration names it.
var Definition = connector.Define(llm.Kind, "Echo", "Answers with what it is asked.", open).
	WithDoc("The answer is the text of the last message of the user, word by word when it is shown as it comes. " +
		"Where there are tools, a line of a prompt such as `/call greet {\"name\": \"Ada\"}` calls one, and the answer is what it returned. " +
		"Vectors of texts are made by counting their words. Files and all settings of the request are left alone. Nothing is counted as used.")

type echo struct {
	delay  time.Duration
	effect effect.Source
}

var (
	_ llm.Connector = (*echo)(nil)
	_ llm.Literal   = (*echo)(nil)
	_ llm.Embedder  = (*echo)(nil)
)

func open(_ context.Context, env connector.Env, s Settings) (llm.Connector, error) {
	return &echo{delay: s.WordDelay, effect: env.Effects}, nil
}

// RepeatsPrompt says that the answer is the prompt.
func (*echo) RepeatsPrompt() {}

// Generate answers with the last message of the user.
func (e *echo) Generate(ctx context.Context, call *llm.Call) iter.Seq2[llm.Part, error] {
	return func(yield func(llm.Part, error) bool) {
		text, calls := answer(call)
		if len(calls) > 0 {
			askFor(ctx, calls, yield)
			return
		}
		if !call.Partial {
			if ctx.Err() != nil {
				yield(nil, context.Cause(ctx))
				return
			}
			if text == "" || yield(llm.Text{Text: text}, nil) {
				yield(llm.Finish{Reason: llm.Stop, Raw: "stop"}, nil)
			}
			return
		}
		first := true
		for word := range strings.SplitAfterSeq(text, " ") {
			if word == "" {
				continue // after a space at the end
			}
			if !first && e.delay > 0 {
				if err := e.effect.Sleep(ctx, e.delay); err != nil {
					yield(nil, err)
					return
				}
			}
			if ctx.Err() != nil {
				yield(nil, context.Cause(ctx))
				return
			}
			if first = false; !yield(llm.Text{Text: word}, nil) {
				return
			}
		}
		yield(llm.Finish{Reason: llm.Stop, Raw: "stop"}, nil)
	}
}

// askFor asks for tools.
func askFor(ctx context.Context, calls []llm.ToolCall, yield func(llm.Part, error) bool) {
	if ctx.Err() != nil {
		yield(nil, context.Cause(ctx))
		return
	}
	for _, c := range calls {
		if !yield(c, nil) {
			return
		}
	}
	yield(llm.Finish{Reason: llm.ToolCalls, Raw: "tool_calls"}, nil)
}

// prompt returns what the user said last; when the user said nothing, what was said first.
func prompt(messages []llm.Message) string {
	for i := len(messages) - 1; i >= 0; i-- {
		if messages[i].Role == llm.User {
			return messages[i].Text()
		}
	}
	if len(messages) > 0 {
		return messages[0].Text()
	}
	return ""
}
