package egress

import (
	"context"
	"net/url"

	"github.com/sre-go/sre/fault"
)

type proxyKey struct{}

// WithProxy lets the requests of a context go through a proxy: "http://user:password@host:port", https or socks5. The
// proxy is a destination like any other and subject to the policy, and so is what is asked of it. An address that is no
// proxy's is [fault.Invalid]; one of another scheme is refused when a request is made, so that the audit has it.
//
// A proxy asks its own resolver. What it may be asked for is decided on the addresses that the name has here.
func WithProxy(ctx context.Context, address string) (context.Context, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		// The error of package url shows the address, which may hold a password.
		return nil, fault.Hint(fault.Newf(fault.Invalid, "the address of the proxy is malformed"), "write it like http://host:port")
	}
	return context.WithValue(ctx, proxyKey{}, u), nil
}

func proxyOf(ctx context.Context) *url.URL {
	u, _ := ctx.Value(proxyKey{}).(*url.URL)
	return u
}

// checkProxy refuses proxies of schemes that are none.
func checkProxy(u *url.URL) error {
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
		return nil
	}
	return refuse(&Denial{Host: u.Host, Rule: ruleProxyScheme, scheme: u.Scheme})
}

// viaProxy notes in a denial of a connection that it was one to a proxy.
func viaProxy(ctx context.Context, err error) error {
	if u, denial := proxyOf(ctx), denialOf(err); u != nil && denial != nil {
		denial.scheme = u.Scheme
	}
	return err
}
