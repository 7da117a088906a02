package egress

import (
	"context"
	"net/url"

	"github.com/sre-go/sre/fault"
)

type proxyKey struct{}

// WithProxy lets the requests of a context go through a proxy: "http://user:password@host:port", https or socks5. The
// proxy is a destination like any other and subject to the policy, and so is what is asked of it. An address that is no
// proxy's is [fault.Invalid], another scheme [fault.Denied].
func WithProxy(ctx context.Context, address string) (context.Context, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		// The error of package url shows the address, which may hold a password.
		return nil, fault.Hint(fault.Newf(fault.Invalid, "the address of the proxy is malformed"), "write it like http://host:port")
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return nil, refuse(&Denial{Host: u.Host, Rule: ruleProxyScheme})
	}
	return context.WithValue(ctx, proxyKey{}, u), nil
}

func proxyOf(ctx context.Context) *url.URL {
	u, _ := ctx.Value(proxyKey{}).(*url.URL)
	return u
}
