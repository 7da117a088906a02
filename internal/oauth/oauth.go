// Package oauth gets, keeps and uses the tokens by which agents act for their users at other services.
//
// It speaks OAuth 1.0a with HMAC-SHA1 (RFC 5849) and OAuth 2.0 (RFC 6749) with
// PKCE (RFC 7636). Secrets leave it as stand-ins of [secret.Slots]: the door to
// the network puts them in after it has checked the host. Answers of token
// servers are read as untrusted data, and time comes from the caller.
package oauth

import (
	"net/url"
	"strings"
	"time"

	"github.com/sre-go/sre/secret"
)

// Tokens are what a service has given out.
type Tokens struct {
	Primary   secret.Value // access token
	Secondary secret.Value // refresh token of OAuth 2.0, secret of the token of OAuth 1.0a
	Expires   time.Time    // of Primary; zero when it is not known
}

// ExpiredAt reports whether the access token is no longer good at a time.
func (t Tokens) ExpiredAt(now time.Time) bool { return !t.Expires.IsZero() && !now.Before(t.Expires) }

// Param is a parameter of a request, not escaped.
type Param struct{ Name, Value string }

// HostOf returns the host of an address without its port, "" when it has none.
func HostOf(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return ""
	}
	return u.Hostname()
}
