package egress

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

// FromConfig makes a client of the egress section of a configuration.
func FromConfig(v value.Value, l limits.Limits) (*http.Client, error) {
	p, err := Parse(v)
	if err != nil {
		return nil, err
	}
	return New(p, l)
}

// New makes a client that keeps the policy. It may be used by several goroutines; it keeps connections open for reuse.
func New(p Policy, l limits.Limits) (*http.Client, error) {
	r, err := newRules(p)
	if err != nil {
		return nil, err
	}
	l = bounds(l)
	d := &door{rules: r, limits: l}
	d.next = &http.Transport{
		DialContext:            d.dial,
		Proxy:                  nil, // the environment chooses no proxy for agents
		TLSHandshakeTimeout:    l.ConnectTime,
		ResponseHeaderTimeout:  l.RequestTime,
		MaxResponseHeaderBytes: int64(l.HeaderBytes),
		IdleConnTimeout:        time.Minute,
		MaxIdleConnsPerHost:    8,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // the door unpacks, counting what comes out
	}
	return &http.Client{Transport: d, Timeout: l.RequestTime, CheckRedirect: d.redirect}, nil
}

// door checks requests and bounds their answers.
type door struct {
	rules  *rules
	limits limits.Limits
	next   http.RoundTripper
}

// RoundTrip sends one request, one hop.
func (d *door) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := d.check(req); err != nil {
		return nil, err
	}
	out := req.Clone(req.Context())
	if out.Header.Get("Accept-Encoding") == "" {
		out.Header.Set("Accept-Encoding", "gzip")
	}
	res, err := d.next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	return d.bound(req, res)
}

// check refuses what must not leave, before anything is sent.
func (d *door) check(req *http.Request) error {
	switch req.URL.Scheme {
	case "http", "https":
	default:
		return denied("scheme", "the scheme "+req.URL.Scheme+" is not http or https", "use an http or https address")
	}
	if req.URL.User != nil {
		return denied("credentials", "the address holds a user or password", "send credentials in a header")
	}
	if req.Host != "" && req.Host != req.URL.Host {
		return denied("header", "the header Host is not that of the address", "leave the header Host away")
	}
	for name, values := range req.Header {
		if controlled(name) {
			return denied("header", "the header "+name+" belongs to the connection", "leave the header "+name+" away")
		}
		for _, v := range append(values, name) {
			if strings.ContainsAny(v, "\r\n\x00") {
				return denied("header", "the header "+sanitize(name)+" holds a line break", "remove the line break")
			}
		}
	}
	return d.rules.host(req.URL.Hostname())
}

// controlled names headers that the connection itself sets.
func controlled(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Te", "Trailer", "Upgrade", "Proxy-Connection", "Proxy-Authorization":
		return true
	}
	return false
}

func sanitize(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, s)
}

// redirect passes a redirect on to the same checks, and drops credentials when it leaves the origin.
func (d *door) redirect(req *http.Request, via []*http.Request) error {
	if len(via) > d.limits.Redirects {
		return fault.Limitf(limits.Redirects, "LIMIT_EXCEEDED(%s): more than %d redirects", limits.Redirects, d.limits.Redirects)
	}
	first := via[0].URL
	if req.URL.Scheme != first.Scheme || req.URL.Host != first.Host {
		for _, name := range []string{"Authorization", "Cookie", "Www-Authenticate", "Proxy-Authorization", "X-Api-Key"} {
			req.Header.Del(name)
		}
	}
	return nil
}

// dial connects to an address that the policy allows. The name is resolved once, and an answer that mixes allowed and
// refused addresses is refused as a whole.
func (d *door) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fault.New(fault.Invalid, err)
	}
	dialer := net.Dialer{Timeout: d.limits.ConnectTime, Control: d.control}
	if ip, err := netip.ParseAddr(host); err == nil {
		if err := d.rules.address(ip); err != nil {
			return nil, err
		}
		return dialer.DialContext(ctx, network, address)
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, &fault.Error{Op: "egress", Resource: host, Kind: fault.Unavailable, Err: err}
	}
	for _, a := range addrs {
		if err := d.rules.address(a); err != nil {
			return nil, err
		}
	}
	var last error
	for _, a := range addrs {
		conn, err := dialer.DialContext(ctx, network, net.JoinHostPort(a.Unmap().String(), port))
		if err == nil {
			return conn, nil
		}
		last = err
	}
	if last == nil {
		last = fault.Newf(fault.Unavailable, "the host %s has no address", host)
	}
	return nil, last
}

// control checks the address once more at the socket itself.
func (d *door) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return denied("address", "the address "+address+" is none", "use a host name or an IP address")
	}
	return d.rules.address(ap.Addr())
}
