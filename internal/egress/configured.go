package egress

import (
	"context"
	"net"
	"net/http"
	"net/netip"

	"github.com/sre-go/sre/access"
)

// A request to an address that the operator wrote down may go to a private network, see [access.WithConfigured]. Its
// connections are kept apart from all others, so that nobody else finds one of them open. A redirect leads out of it.

// configured reports whether the operator wrote the address of a request down.
func configured(r *http.Request) bool {
	return r.Response == nil && access.IsConfigured(r.Context(), r.URL)
}

// way returns the transport of a request.
func (d *door) way(r *http.Request) *http.Transport {
	if configured(r) && proxyOf(r.Context()) == nil { // a proxy is nobody's written down address
		return d.configured
	}
	return d.transport
}

// dialWrittenDown is dial for the requests of addresses that the operator wrote down.
func (d *door) dialWrittenDown(ctx context.Context, _, hostPort string) (net.Conn, error) {
	return d.dialUnder(ctx, hostPort, d.allowConfigured)
}

// allowConfigured asks the policy about one address that the operator wrote down.
func (d *door) allowConfigured(host string, _ uint16, a netip.Addr) error {
	if rule := d.rules.checkConfigured(host, a); rule != "" {
		return refuse(&Denial{Host: host, Address: a, Rule: rule})
	}
	return nil
}
