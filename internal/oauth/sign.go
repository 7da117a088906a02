package oauth

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the signature method of OAuth 1.0a
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/secret"
)

// Credentials sign a request of OAuth 1.0a.
type Credentials struct {
	ConsumerKey    string
	ConsumerSecret secret.Value
	Token          string
	TokenSecret    secret.Value
}

// Request is what a signature covers.
type Request struct {
	Method string
	URL    *url.URL
	Form   []Param // fields of a form, or of a multipart form the texts
	Body   []byte  // of any other request, for its hash; nil for none
	Extra  []Param // oauth_ parameters besides the usual, such as oauth_verifier
}

// Header returns the Authorization header of a request. nonce is fresh for each one.
func (c Credentials) Header(r Request, nonce string, now time.Time) string {
	params := []Param{
		{"oauth_consumer_key", c.ConsumerKey}, {"oauth_nonce", nonce}, {"oauth_signature_method", "HMAC-SHA1"},
		{"oauth_timestamp", strconv.FormatInt(now.Unix(), 10)}, {"oauth_version", "1.0"},
	}
	if c.Token != "" {
		params = append(params, Param{"oauth_token", c.Token})
	}
	if r.Body != nil {
		sum := sha1.Sum(r.Body) //nolint:gosec // as the extension says
		params = append(params, Param{"oauth_body_hash", base64.StdEncoding.EncodeToString(sum[:])})
	}
	params = append(params, r.Extra...)
	params = append(params, Param{"oauth_signature", c.signature(r, params)})
	slices.SortFunc(params, byName)
	parts := make([]string, len(params))
	for i, p := range params {
		parts[i] = escape(p.Name) + `="` + escape(p.Value) + `"`
	}
	return "OAuth " + strings.Join(parts, ", ")
}

// signature is the HMAC-SHA1 of the request with its oauth_ parameters, in base64.
func (c Credentials) signature(r Request, params []Param) string {
	key := escape(c.ConsumerSecret.Reveal()) + "&" + escape(c.TokenSecret.Reveal())
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write([]byte(baseString(r, params)))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// baseString is what is signed: RFC 5849, section 3.4.1.
func baseString(r Request, params []Param) string {
	all := slices.Concat(params, queryParams(r.URL.RawQuery), r.Form)
	pairs := make([]Param, len(all))
	for i, p := range all {
		pairs[i] = Param{escape(p.Name), escape(p.Value)}
	}
	slices.SortFunc(pairs, byName)
	joined := make([]string, len(pairs))
	for i, p := range pairs {
		joined[i] = p.Name + "=" + p.Value
	}
	return escape(strings.ToUpper(r.Method)) + "&" + escape(baseURL(r.URL)) + "&" + escape(strings.Join(joined, "&"))
}

// baseURL is the address without its query: scheme and host in lower case, no default port.
func baseURL(u *url.URL) string {
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch {
	case scheme == "http":
		host = strings.TrimSuffix(host, ":80")
	case scheme == "https":
		host = strings.TrimSuffix(host, ":443")
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return scheme + "://" + host + path
}

// queryParams reads a query, where a plus is a space.
func queryParams(query string) []Param {
	var list []Param
	for field := range strings.SplitSeq(query, "&") {
		if field == "" {
			continue
		}
		name, v, _ := strings.Cut(field, "=")
		list = append(list, Param{unescape(name), unescape(v)})
	}
	return list
}

func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

func byName(a, b Param) int {
	if c := strings.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	return strings.Compare(a.Value, b.Value)
}

// escape escapes all but letters, digits and "-._~".
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			out.WriteByte(c)
			continue
		}
		out.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return out.String()
}
