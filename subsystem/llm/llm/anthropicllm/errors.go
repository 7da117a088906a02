package anthropicllm

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/anthropics/anthropic-sdk-go"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// explain gives an error of the SDK its kind. What our own way out refused stays as it is: it says what to change. The
// provider is quoted with the whole of what it said, as agents expect it.
func explain(ctx context.Context, err error) error {
	var api *anthropic.Error
	var own *fault.Error
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &api):
		return llm.RefusedFor(api.StatusCode, strings.TrimSpace(api.RawJSON()), retryAfter(api.Response))
	case errors.As(err, &own) && own.Kind != fault.Unavailable:
		return own
	}
	return &fault.Error{Kind: fault.Unavailable, Err: &llm.ProviderError{Message: "Connection error."}, Hint: err.Error()}
}

// retryAfter reads how long a provider wants to be left alone, in seconds.
func retryAfter(r *http.Response) time.Duration {
	if r == nil {
		return 0
	}
	s, err := strconv.ParseFloat(r.Header.Get("Retry-After"), 64)
	if err != nil || !(s > 0 && s <= 1e9) {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}
