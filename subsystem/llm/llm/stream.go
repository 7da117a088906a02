package llm

import (
	"context"
	"iter"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

// watch runs the parts of a connector and keeps what a stream promises, whatever the connector does:
//
//   - it ends with a [Finish] or an error, and nothing follows either;
//   - tool calls are passed on only when the answer is complete, just before its Finish;
//   - it does not stand still for longer than the limits allow. The time that the caller takes is not counted.
//
// generate is given a context that ends when the answer is late or no longer wanted. emit returns false when the caller
// wants no more, which is no error.
func watch(ctx context.Context, l *limits.Limits, generate func(context.Context) iter.Seq2[Part, error], emit func(Part) bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(context.Canceled)
	total := time.AfterFunc(l.ModelTime, func() { cancel(late(limits.ModelTime, "the answer was not complete after %s", l.ModelTime)) })
	defer total.Stop()
	first := true
	idle := time.AfterFunc(l.ModelFirstByteTime, func() {
		cancel(late(limits.ModelFirstByteTime, "the model did not begin to answer within %s", l.ModelFirstByteTime))
	})
	defer func() { idle.Stop() }()

	var held []Part // tool calls
	for p, err := range generate(ctx) {
		idle.Stop()
		switch {
		case err != nil:
			return ended(ctx, err)
		case ctx.Err() != nil: // what had come already is not passed on: whoever asked is gone, or the answer is late
			return context.Cause(ctx)
		}
		switch p := p.(type) {
		case Finish:
			if call, ok := broken(held); ok {
				return fault.Newf(fault.Unavailable, "the model sent a tool call without a name (id %q)", call.ID)
			}
			for _, h := range held {
				if !emit(h) {
					return nil
				}
			}
			emit(p)
			return nil
		case ToolCall:
			held = append(held, p)
		case nil:
			return fault.Newf(fault.Internal, "the connector sent a part of nothing")
		default:
			if !emit(p) {
				return nil
			}
		}
		if first {
			first = false
			idle = time.AfterFunc(l.ModelIdleTime, func() {
				cancel(late(limits.ModelIdleTime, "the answer stopped coming for %s", l.ModelIdleTime))
			})
			continue
		}
		idle.Reset(l.ModelIdleTime)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &fault.Error{Kind: fault.Unavailable, Code: CodeCut, Err: fault.Newf(fault.Unavailable, "the answer ended without a reason: it is not complete")}
}

// ended returns why an answer failed: when it was given up, the reason for that, not what it looked like from inside.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func late(name, format string, d time.Duration) error {
	return &fault.Error{Kind: fault.Timeout, Code: CodeStalled, Err: fault.Newf(fault.Timeout, format, d), Hint: "the limit is " + name}
}

// broken returns a tool call that nobody could do.
func broken(held []Part) (ToolCall, bool) {
	for _, p := range held {
		if call, ok := p.(ToolCall); ok && call.Name == "" {
			return call, true
		}
	}
	return ToolCall{}, false
}
