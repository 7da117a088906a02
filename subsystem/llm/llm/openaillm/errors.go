package openaillm

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/ssestream"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// explain gives an error of the SDK its kind. What our own way out refused stays as it is: it says what to change.
func (c *client) explain(ctx context.Context, err error) error {
	var api *openai.Error
	var own *fault.Error
	var told *ssestream.StreamError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &api):
		return llm.RefusedFor(api.StatusCode, api.Message, c.wanted(api.Response))
	case errors.As(err, &told):
		return fault.New(fault.Unavailable, &llm.ProviderError{Message: told.Message})
	case errors.As(err, &own) && own.Kind != fault.Unavailable:
		return own
	}
	return &fault.Error{Kind: fault.Unavailable, Err: &llm.ProviderError{Message: "Connection error."}, Hint: err.Error()}
}

// wanted reads how long a provider wants to be left alone. OpenAI says it in milliseconds, too, in a header of its own.
func (c *client) wanted(r *http.Response) time.Duration {
	if r == nil {
		return 0
	}
	if ms, err := strconv.ParseFloat(r.Header.Get("Retry-After-Ms"), 64); err == nil && ms > 0 && ms < 1e12 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	return llm.AskedFor(r.Header, c.env.Effects)
}
