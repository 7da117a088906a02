package nkv

import (
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// Address is where a value lies. It is what grants of this service are about, written "<team>/<namespace>/<key>" with
// "/" and "%" of the parts percent-encoded, so that no two addresses are written alike.
type Address struct {
	Team      string
	Namespace string
	Key       string // "" for all keys of the namespace
}

// String returns the written form.
func (a Address) String() string {
	return a.Team + "/" + escape(a.Namespace) + "/" + escape(a.Key)
}

// At returns the address that a grant is about. It is for connectors.
func At[L access.Level](g access.Grant[L]) Address {
	team, rest, _ := strings.Cut(g.Resource(), "/")
	namespace, key, _ := strings.Cut(rest, "/")
	return Address{Team: team, Namespace: unescape(namespace), Key: unescape(key)}
}

func escape(s string) string {
	if strings.IndexByte(s, '/') < 0 && strings.IndexByte(s, '%') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "%", "%25"), "/", "%2F")
}

func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "%2F", "/"), "%25", "%")
}

// valid checks one part of an address.
func valid(part, text string) error {
	if text == "" {
		return fault.Newf(fault.Invalid, "Validation Error: %q is not allowed to be empty", part)
	}
	return access.ValidKey(text)
}
