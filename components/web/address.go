package web

import (
	"net/url"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
)

// target is where a request goes.
type target struct {
	url  *url.URL       // without user and fragment
	user *url.Userinfo  // that the address named, nil for none
	note unsupportedURL // set when the address is one that HTTP cannot ask
}

// unsupportedURL is the scheme of an address that is no address of the web.
type unsupportedURL string

func errURL() error { return fault.Newf(fault.Invalid, "Invalid URL") }

// parseTarget reads an address as browsers do: what cannot stand in an address is escaped, spaces around it do not
// count, and "." and ".." are followed. An address with a line break or another control character in it is refused, and
// so is one whose host is a key of the vault.
func parseTarget(text string, slots *secret.Slots) (target, error) {
	text = strings.Trim(text, " \t\r\n\f\v")
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		err := fault.Newf(fault.Invalid, "the URL holds a line break or another control character")
		return target{}, fault.Hint(err, "take it out of the value that is put into the URL")
	}
	u, err := url.Parse(escapeAddress(text))
	if err != nil || u.Scheme == "" {
		return target{}, errURL()
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return target{note: unsupportedURL(u.Scheme)}, nil
	}
	if u.Hostname() == "" || u.Opaque != "" {
		return target{}, errURL()
	}
	if slots.Holds(u.Host) {
		return target{}, fault.Newf(fault.Invalid, "the host of the URL must not be a key of the vault")
	}
	u = (&url.URL{}).ResolveReference(u)
	t := target{url: u, user: u.User}
	u.User, u.Fragment, u.RawFragment, u.Host = nil, "", "", strings.TrimSuffix(u.Host, ":")
	return t, nil
}

// escapeAddress escapes what cannot stand in an address behind the host, and nothing that can: what is escaped already
// stays as it is.
func escapeAddress(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return text
	}
	end := strings.IndexAny(rest, `/\?#`)
	if end < 0 {
		end = len(rest)
	}
	var out strings.Builder
	out.WriteString(scheme + "://" + rest[:end])
	query := false
	for i := end; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '\\' && !query:
			out.WriteByte('/')
		case c == '%' && !(i+2 < len(rest) && isHex(rest[i+1]) && isHex(rest[i+2])):
			out.WriteString("%25")
		case c <= ' ', c >= 0x7f, strings.IndexByte("\"<>\\^`{|}", c) >= 0:
			const hex = "0123456789ABCDEF"
			out.Write([]byte{'%', hex[c>>4], hex[c&15]})
		default:
			query = query || c == '?'
			out.WriteByte(c)
		}
	}
	return out.String()
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}
