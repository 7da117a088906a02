package llm

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/subsystem/llm/models"
)

// Reach returns the context for a request of a connector to base, the address at which it asks a model. The operator's
// addresses may be in a private network: those of the connector and of the catalogue. One that a team or a caller wrote into a
// model may not.
func Reach(ctx context.Context, target *models.Model, base string) context.Context {
	if target.TeamOwn && target.BaseURL != "" {
		return ctx
	}
	return access.WithConfigured(ctx, base)
}
