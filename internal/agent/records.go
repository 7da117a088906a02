package agent

import (
	"context"
	"strconv"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/subsystem/observe/logsink"
	"github.com/sre-go/sre/value"
)

// Records is the middleware that keeps a log record of every component call. A record that cannot be written does not
// fail the call; failed is told.
func Records(failed func(error)) engine.Middleware {
	return func(next engine.Handler) engine.Handler {
		return func(ctx context.Context, inv *engine.Invocation) (value.Value, error) {
			r := logsink.Record{
				Component: inv.Node.ID + "@" + inv.Node.Type + "@" + strconv.Itoa(inv.Step+1), Name: name(inv.Node), Step: inv.Step,
				Workflow: inv.Agent.Workflow, Process: inv.Agent.Session, Session: inv.Agent.Session,
				Input: inv.Input.Object(), Began: inv.Effects.Now(),
			}
			out, err := next(ctx, inv)
			r.Output, r.Ended = out, inv.Effects.Now()
			if err != nil {
				r.Error = err.Error()
			} else if soft := out.Get(component.KeyError); soft.Truthy() {
				r.Error = soft.Text()
			}
			if _, logged := inv.Log().Log(context.WithoutCancel(ctx), r); logged != nil {
				failed(logged)
			}
			return out, err
		}
	}
}

func name(n *component.Node) string {
	if n.DisplayName != "" {
		return n.DisplayName
	}
	return n.Type
}
