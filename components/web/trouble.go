package web

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

// errTooManyRedirects ends a request that is sent on and on.
var errTooManyRedirects = errors.New("Maximum number of redirects exceeded") //nolint:staticcheck // the recorded text

// troubleText says why there is no answer, in the words that agents know where there are any. The address of the request
// is not part of it.
func troubleText(err error) string {
	var address *url.Error
	if errors.As(err, &address) {
		err = address.Err
	}
	var known *fault.Error
	if errors.As(err, &known) && known.Code != "" {
		if known.Code == "LIMIT_EXCEEDED("+limits.Redirects+")" {
			return errTooManyRedirects.Error()
		}
		return err.Error()
	}
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, errTooManyRedirects):
		return errTooManyRedirects.Error()
	case errors.As(err, &dns) && dns.IsNotFound:
		return "getaddrinfo ENOTFOUND " + dns.Name
	case errors.As(err, &dns):
		return "getaddrinfo EAI_AGAIN " + dns.Name
	case strings.Contains(err.Error(), "connection refused") && errors.As(err, &op) && op.Addr != nil:
		return "connect ECONNREFUSED " + op.Addr.String()
	case strings.Contains(err.Error(), "connection reset"):
		return "read ECONNRESET"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(err.Error(), "server closed idle connection"):
		return "socket hang up"
	case errors.Is(err, context.DeadlineExceeded):
		return "the request took too long"
	}
	return err.Error()
}
