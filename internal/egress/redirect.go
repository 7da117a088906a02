package egress

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

// checkHop checks a request that follows a redirect and returns the headers it may take along. The client links the
// hops of one request through their answers, so this holds whatever rule for following the client has.
func (d *door) checkHop(r *http.Request) (http.Header, error) {
	if r.Response == nil {
		return r.Header, nil
	}
	hops, strange := hopsOf(r)
	before := r.Response.Request
	switch {
	case hops > d.limits.Redirects:
		return nil, fault.Limitf(limits.Redirects, "more than %d redirects", d.limits.Redirects)
	case before != nil && before.URL.Scheme == "https" && r.URL.Scheme != "https":
		return nil, refuse(&Denial{Host: r.URL.Host, Rule: ruleDowngrade})
	case strange && r.Body != nil && r.Body != http.NoBody:
		return nil, refuse(&Denial{Host: r.URL.Host, Rule: ruleRedirectBody})
	case strange:
		return harmless(r.Header), nil
	}
	return r.Header, nil
}

// hopsOf returns how many redirects led to a request, and whether one of them left the origin.
func hopsOf(r *http.Request) (hops int, strange bool) {
	for at := r; at.Response != nil && at.Response.Request != nil; at = at.Response.Request {
		hops++
		strange = strange || !sameOrigin(at.Response.Request.URL, at.URL)
	}
	return hops, strange
}

// sameOrigin reports whether what was meant for one address may be sent to the other: the same scheme, host and port,
// or the same host by https instead of http.
func sameOrigin(from, to *url.URL) bool {
	if !strings.EqualFold(from.Hostname(), to.Hostname()) {
		return false
	}
	if from.Scheme == "http" && to.Scheme == "https" {
		return port(from) == "80" && port(to) == "443"
	}
	return from.Scheme == to.Scheme && port(from) == port(to)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

// harmless returns the headers that any host may see. All others may hold what only the first host should: keys have
// many names.
func harmless(h http.Header) http.Header {
	out := http.Header{}
	for _, name := range []string{"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Type", "Range", "User-Agent"} {
		if v := h.Values(name); len(v) > 0 {
			out[name] = v
		}
	}
	return out
}
