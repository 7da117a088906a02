package connector

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/event"
)

// Guard returns what a service checks access with. Every denial is published once, as an [access.Decision],
// on the bus of the runtime; the audit listens there.
func (e Env) Guard(directory access.Directory) *access.Guard {
	return &access.Guard{
		Directory: directory,
		Audit:     func(ctx context.Context, d access.Decision) { event.Publish(ctx, e.Events, d) },
	}
}
