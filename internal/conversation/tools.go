package conversation

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/sre-go/sre/subsystem/llm/llm"
)

// callAll calls tools, several at once, and returns their outcomes in order. What they tell is passed on as it comes.
// It returns when none of them works any more.
func (t *turn) callAll(ctx context.Context, calls []Call) []outcome {
	outcomes := make([]outcome, len(calls))
	events := make(chan Event)
	tell := func(e Event) {
		select {
		case events <- e:
		case <-ctx.Done():
		}
	}
	var (
		next    atomic.Int64
		workers sync.WaitGroup
	)
	for range min(len(calls), t.conv.c.Parallel) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(calls); i = int(next.Add(1)) - 1 {
				if ctx.Err() != nil {
					outcomes[i] = outcome{call: calls[i], failed: true, text: "cancelled before it was called"}
					continue
				}
				o := t.call(ctx, calls[i], tell)
				outcomes[i] = o
				tell(Called{Request: t.request, Call: calls[i], Args: o.args, Result: o.result, Text: o.text, Failed: o.failed})
			}
		})
	}
	go func() {
		workers.Wait()
		close(events)
	}()
	for e := range events {
		t.tell(e)
	}
	return outcomes
}

// specs are the tools as the model is shown them.
func (c *Conversation) specs() []llm.ToolSpec {
	out := make([]llm.ToolSpec, 0, len(c.c.Tools)+1)
	for i := range c.c.Tools {
		out = append(out, c.c.Tools[i].ToolSpec)
	}
	if c.rest.used() {
		out = append(out, readMore().ToolSpec)
	}
	return out
}
