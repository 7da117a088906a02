package llm

import (
	"net/http"
	"strconv"
	"time"

	"github.com/sre-go/sre/fault"
)

// Codes of errors that more than one layer tells apart.
const (
	// CodeCut is the code of an answer that ended without saying why.
	CodeCut = "MODEL_ANSWER_CUT"
	// CodeStalled is the code of an answer that stopped coming.
	CodeStalled = "MODEL_ANSWER_STALLED"
	// CodeRateLimited is the code of a call that could not wait as long as the provider wants.
	CodeRateLimited = "UPSTREAM_RATE_LIMITED"
	// CodeDown is the code of a call to a provider that is left alone because it failed again and again.
	CodeDown = "UPSTREAM_DOWN"
	// CodeNoKey is the code of a call that no credential could be found for.
	CodeNoKey = "MODEL_KEY_MISSING"
)

// ProviderError is a refusal of a provider in its own words. Its text holds nothing of ours.
type ProviderError struct {
	Status     int           // of HTTP, 0 for none
	Message    string        // of the provider
	RetryAfter time.Duration // that it wants to be left alone, 0 when it did not say
}

// Error returns the status and the message.
func (e *ProviderError) Error() string {
	if e.Status == 0 {
		return e.Message
	}
	return strconv.Itoa(e.Status) + " " + e.Message
}

// Refused returns the error of a provider that answered with that status.
func Refused(status int, message string) error { return RefusedFor(status, message, 0) }

// RefusedFor is Refused for a provider that wants to be left alone for a while.
func RefusedFor(status int, message string, after time.Duration) error {
	if message == "" {
		message = http.StatusText(status)
	}
	e := &ProviderError{Status: status, Message: message, RetryAfter: after}
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fault.New(fault.Unauthenticated, e)
	case status == http.StatusTooManyRequests:
		return fault.New(fault.RateLimited, e)
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		return fault.New(fault.Timeout, e)
	case status == http.StatusNotFound:
		return fault.New(fault.NotFound, e)
	case status >= 500:
		return fault.New(fault.Unavailable, e)
	}
	return fault.New(fault.Invalid, e)
}
