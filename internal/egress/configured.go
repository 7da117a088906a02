package egress

import (
	"net/http"

	"github.com/sre-go/sre/access"
)

// A request to an address that the operator wrote down may go to a private network, see [access.WithConfigured]. Its
// connections are kept apart from all others, so that nobody else finds one of them open. A redirect leads out of it.

// configured reports whether the operator wrote the address of a request down.
func configured(r *http.Request) bool {
	return r.Response == nil && access.IsConfigured(r.Context(), r.URL)
}

// kindOf returns which connections a request may use.
func kindOf(r *http.Request) (k kind) {
	if configured(r) && proxyOf(r.Context()) == nil { // a proxy is nobody's written down address
		k |= toConfigured
	}
	if upgradeOf(r.Context()) != "" {
		k |= toUpgrade
	}
	return k
}
