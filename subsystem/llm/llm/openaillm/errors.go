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
func explain(ctx context.Context, err error) error {
	var api *openai.Error
	var own *fault.Error
	var told *ssestream.StreamError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &api):
		return llm.RefusedFor(api.StatusCode, api.Message, retryAfter(api.Response))
	case errors.As(err, &told):
		return fault.New(fault.Unavailable, &llm.ProviderError{Message: told.Message})
	case errors.As(err, &own) && own.Kind != fault.Unavailable:
		return own
	}
	return &fault.Error{Kind: fault.Unavailable, Err: &llm.ProviderError{Message: "Connection error."}, Hint: err.Error()}
}

// retryAfter reads how long a provider wants to be left alone: seconds, or milliseconds in a header of its own. A date is
// not read: it would depend on both clocks.
func retryAfter(r *http.Response) time.Duration {
	if r == nil {
		return 0
	}
	if ms, err := strconv.ParseFloat(r.Header.Get("Retry-After-Ms"), 64); err == nil && ms > 0 && ms < 1e12 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	if s, err := strconv.ParseFloat(r.Header.Get("Retry-After"), 64); err == nil && s > 0 && s < 1e9+1 {
		return time.Duration(s * float64(time.Second))
	}
	return 0
}
