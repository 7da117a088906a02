package anthropicllm

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/anthropics/anthropic-sdk-go"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// explain gives an error of the SDK its kind. What our own way out refused stays as it is: it says what to change. The
// provider is quoted with the whole of what it said, as agents expect it.
func (c *client) explain(ctx context.Context, err error) error {
	var api *anthropic.Error
	var own *fault.Error
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &api):
		var after time.Duration
		if api.Response != nil {
			after = llm.AskedFor(api.Response.Header, c.env.Effects)
		}
		return llm.RefusedFor(api.StatusCode, strings.TrimSpace(api.RawJSON()), after)
	case errors.As(err, &own) && own.Kind != fault.Unavailable:
		return own
	}
	return &fault.Error{Kind: fault.Unavailable, Err: &llm.ProviderError{Message: "Connection error."}, Hint: err.Error()}
}
