package httpserver

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/sre-go/sre/fault"
)

// The length of tokens, in bytes. A shorter one can be guessed.
const (
	minToken = 16
	maxToken = 512
)

// validToken reports whether a token can be sent in a header as it is.
func validToken(token string) bool {
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return false
		}
	}
	return len(token) >= minToken && len(token) <= maxToken
}

// checkHost refuses requests to the loopback interface under a foreign name. A page of that name can have it point
// here, and its scripts would count as ours.
func (x *exchange) checkHost() error {
	local, _ := x.r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	tcp, ok := local.(*net.TCPAddr)
	if !ok || !tcp.IP.IsLoopback() {
		return nil
	}
	name := hostname(x.r.Host)
	if name == "localhost" || x.hosts[name] {
		return nil
	}
	if ip, err := netip.ParseAddr(name); err == nil && ip.Unmap().IsLoopback() {
		return nil
	}
	err := fault.Newf(fault.Denied, "this server is not known as %q", clip(x.r.Host))
	return fault.Hint(err, "call it as localhost; behind a proxy, list the name among the hosts of the server")
}

// checkOrigin refuses what pages of other sites make a browser send, whatever the method: a GET starts a run, too.
func (x *exchange) checkOrigin() error {
	site := x.r.Header["Sec-Fetch-Site"]
	switch {
	case len(site) == 1 && (site[0] == "same-origin" || site[0] == "none"):
		return nil
	case len(site) == 0 && sameOrigin(x.r.Header["Origin"], x.r.Host):
		return nil
	case len(site) == 0 && x.peer.trusted && sameOrigin(x.r.Header["Origin"], last(x.r.Header["X-Forwarded-Host"])):
		return nil
	}
	err := fault.Newf(fault.Denied, "pages of other sites may not call this server")
	return fault.Hint(err, "call it from the server of that site")
}

// sameOrigin compares what browsers of before Sec-Fetch-Site send.
func sameOrigin(origin []string, host string) bool {
	if len(origin) == 0 {
		return true
	}
	u, err := url.Parse(origin[0])
	return err == nil && len(origin) == 1 && u.Host != "" && strings.EqualFold(u.Host, host)
}

// hostname returns the name in a Host header: without port, brackets and a dot at its end, in lower case.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
