package limits

import (
	"context"
	"time"
)

type requestTimeKey struct{}

// WithRequestTime gives the outgoing requests of a context another limit than [Limits.RequestTime], such as
// [Limits.ModelTime] for a model that thinks before it answers. It is for connectors, not for what a tenant says.
func WithRequestTime(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, requestTimeKey{}, d)
}

// RequestTimeOf returns the limit of the outgoing requests of a context: that of [WithRequestTime], or otherwise.
func RequestTimeOf(ctx context.Context, otherwise time.Duration) time.Duration {
	if d, ok := ctx.Value(requestTimeKey{}).(time.Duration); ok && d > 0 {
		return d
	}
	return otherwise
}
