package egress

import (
	"net/http"
	"strings"

	"github.com/sre-go/sre/internal/hop"
)

// unfit returns what of a request would put other bytes on the wire than the request says, "" for nothing: control
// characters anywhere, and headers that belong to the connection. It is named without its value.
func unfit(r *http.Request, header http.Header) string {
	u := r.URL
	switch {
	case r.Method != "" && !token(r.Method):
		return "method"
	case u.Hostname() == "", u.Opaque != "", hasControl(u.RawQuery), hasControl(u.Host), strings.ContainsAny(u.Host, " /\\?#@"):
		return "URL"
	case r.Host != "" && !strings.EqualFold(r.Host, u.Host):
		return "header Host"
	case len(r.Trailer) > 0:
		return "trailer"
	}
	for name, values := range header {
		if !token(name) {
			return "name of a header"
		}
		if ofConnection(name) {
			return "header " + http.CanonicalHeaderKey(name)
		}
		for _, v := range values {
			if hasControl(v) {
				return "header " + name
			}
		}
	}
	return ""
}

// ofConnection names headers that the connection or the door itself sets.
func ofConnection(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Te", "Trailer", "Upgrade", "Proxy-Connection", "Proxy-Authorization", hop.Header:
		return true
	}
	return false
}

// hasControl reports whether a text has control characters other than the tab.
func hasControl(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}

// token reports whether s is a token of RFC 9110.
func token(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// atOnceBytes is how long a body may be that is sent in one piece with its headers.
const atOnceBytes = 64 << 10

// atOnce returns the request with a short body as it was made, without what callers wrap around it: the transport sends
// headers ahead of a body that it does not know, as a piece of their own. The request is the door's own copy.
func atOnce(r *http.Request) *http.Request {
	if r.Body == nil || r.Body == http.NoBody || r.GetBody == nil || r.ContentLength <= 0 || r.ContentLength > atOnceBytes {
		return r
	}
	body, err := r.GetBody()
	if err != nil {
		return r // the one that is there is as good
	}
	closeBody(r)
	r.Body = body
	return r
}
