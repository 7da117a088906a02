package llm

import (
	"net/http"
	"strconv"
	"time"

	"github.com/sre-go/sre/effect"
)

// AskedFor reads how long a provider wants to be left alone from the header Retry-After of an answer: seconds, or a date of
// HTTP. A date counts from the header Date of the same answer, so that the clocks of two machines need not agree, and from
// clock when there is none. It returns 0 when nothing is said, when it cannot be read and when the time is over; what is too
// long is bounded where it is waited for, see [RetryAfter]. A nil clock is none.
func AskedFor(h http.Header, clock effect.Source) time.Duration {
	text := h.Get("Retry-After")
	if text == "" {
		return 0
	}
	if s, err := strconv.ParseFloat(text, 64); err == nil {
		if !(s > 0 && s <= 1e9) {
			return 0
		}
		return time.Duration(s * float64(time.Second))
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	from, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		if clock == nil {
			return 0
		}
		from = clock.Now()
	}
	return max(0, until.Sub(from))
}
