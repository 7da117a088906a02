package httpserver

import (
	"slices"
	"strings"

	"github.com/sre-go/sre/value"
)

// headers returns the headers of the request as agents may see them, by name in lower case and in the order of the
// names. Left out are tokens of this server, what proxies say unless they are listed, and the session that a caller claims
// who may not debug. Headers that steer runs are the affair of package agent.
func (x *exchange) headers() value.Value {
	members := make([]value.Member, 0, len(x.r.Header)+1)
	for name, texts := range x.r.Header {
		lower := lowerName(name)
		if !x.hides(lower) {
			members = append(members, value.M(lower, value.Of(strings.Join(texts, separator(lower)))))
		}
	}
	if x.r.Host != "" {
		members = append(members, value.M("host", value.Of(x.r.Host)))
	}
	slices.SortFunc(members, func(a, b value.Member) int { return strings.Compare(a.Key, b.Key) })
	return value.OfMembers(members)
}

// lowerName is strings.ToLower, for free with the names that nearly every request has.
func lowerName(name string) string {
	switch name {
	case "Accept":
		return "accept"
	case "Accept-Encoding":
		return "accept-encoding"
	case "Authorization":
		return "authorization"
	case "Content-Length":
		return "content-length"
	case "Content-Type":
		return "content-type"
	case "User-Agent":
		return "user-agent"
	}
	return strings.ToLower(name)
}

func (x *exchange) hides(name string) bool {
	switch name {
	case "authorization":
		return x.apiToken || x.caller.known()
	case "proxy-authorization", "x-sre-hop":
		return true
	case "forwarded", "x-real-ip":
		return !x.peer.trusted
	case "x-caller-session-id":
		return !x.caller.debugs()
	}
	return strings.HasPrefix(name, "x-forwarded-") && !x.peer.trusted
}

// separator is what stands between several headers of one name.
func separator(name string) string {
	if name == "cookie" {
		return "; "
	}
	return ", "
}
