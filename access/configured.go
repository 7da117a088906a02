package access

import (
	"context"
	"net/url"
	"strings"
)

type configuredKey struct{}

// WithConfigured returns a context for one call to an address that the operator wrote into the configuration, such as a
// model server on the same machine: the private network that it is in may be reached for it. A connector puts it around a
// request that it makes itself, never around anything that an agent decides about.
func WithConfigured(ctx context.Context, address string) context.Context {
	if origin := originOf(address); origin != "" {
		return context.WithValue(ctx, configuredKey{}, origin)
	}
	return ctx
}

// IsConfigured reports whether a call in this context may go to the address because the operator wrote it down: it has the
// same scheme, host and port.
func IsConfigured(ctx context.Context, address *url.URL) bool {
	origin, _ := ctx.Value(configuredKey{}).(string)
	return origin != "" && address != nil && originOf(address.String()) == origin
}

// originOf is the scheme, the host and the port of an address, "" when it has none.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	}
	return strings.ToLower(u.Scheme + "://" + u.Hostname() + ":" + port)
}
