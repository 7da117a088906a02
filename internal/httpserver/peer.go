package httpserver

import (
	"net/http"
	"net/netip"
	"strings"
)

// peer is where a request comes from.
type peer struct {
	client  string // address of the client, as far as it is known
	trusted bool   // a listed proxy sent the request, so what it says of the client is believed
}

// peerOf finds the client: the other end of the connection, or, behind listed proxies, the last address that none of
// them has.
func (s *Server) peerOf(r *http.Request) peer {
	end, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return peer{client: r.RemoteAddr}
	}
	client := end.Addr().Unmap()
	if !s.lists(client) {
		return peer{client: client.String()}
	}
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		client = hop.Unmap().WithZone("")
		if !s.lists(client) {
			break
		}
	}
	return peer{client: client.String(), trusted: true}
}

// lists reports whether an address is that of a listed proxy.
func (s *Server) lists(a netip.Addr) bool {
	for _, p := range s.cfg.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// baseURL returns how the client reaches this server, without a slash at the end.
func (x *exchange) baseURL() string {
	scheme, host := "http", x.r.Host
	if x.r.TLS != nil {
		scheme = "https"
	}
	if x.peer.trusted {
		if proto := last(x.r.Header["X-Forwarded-Proto"]); proto == "http" || proto == "https" {
			scheme = proto
		}
		if name := last(x.r.Header["X-Forwarded-Host"]); name != "" {
			host = name
		}
	}
	if !plainHost(host) {
		host = "localhost"
	}
	return scheme + "://" + host
}

// last returns what the nearest proxy wrote: the last item of a list that each hop may add to.
func last(list []string) string {
	if len(list) == 0 {
		return ""
	}
	text := list[len(list)-1]
	return strings.TrimSpace(text[strings.LastIndexByte(text, ',')+1:])
}

// plainHost reports whether a host is a name or an address with a port, and nothing that would end it within a URL.
func plainHost(host string) bool {
	for i := range len(host) {
		c := host[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-._:[]", rune(c)) {
			return false
		}
	}
	return host != "" && len(host) <= 255
}
