package egress

import (
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/hop"
)

// WithHop signs requests of runs that come back to this runtime with the depth they come from, see package hop. They are
// those to egress.ownHosts and to what [Own] names; nobody else is sent the header.
func WithHop(key *hop.Key) Option { return func(d *door) { d.own.key = key } }

// Own tells the door that client came from, [New], where the runtime itself listens and by which names it is known there.
// A name is written like one of egress.ownHosts.
//
// Whatever name a request uses, one that is connected to a listener of this machine is recognized by the connection. An
// address that leads here over another machine is not; its name has to be told.
func Own(client *http.Client, listener net.Addr, hosts ...string) error {
	d, ok := client.Transport.(*door)
	if !ok {
		return fault.Newf(fault.Unsupported, "the HTTP client of the runtime was replaced, so it cannot know its own requests")
	}
	at, err := netip.ParseAddrPort(listener.String())
	if err != nil {
		return fault.New(fault.Invalid, err)
	}
	d.own.add(at, hosts)
	return nil
}

// own knows which destinations are this runtime. It is safe for concurrent use.
type own struct {
	key *hop.Key // nil signs nothing

	mu        sync.RWMutex
	hosts     []string // "name", "*.name" or either with ":port", in lower case
	listeners []netip.AddrPort
}

func (o *own) add(at netip.AddrPort, hosts []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port()); at.IsValid() && !slices.Contains(o.listeners, at) {
		o.listeners = append(o.listeners, at)
	}
	for _, h := range hosts {
		if h = strings.ToLower(h); !slices.Contains(o.hosts, h) {
			o.hosts = append(o.hosts, h)
		}
	}
}

// names reports whether an address is of the runtime by its name.
func (o *own) names(host, port string) bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return slices.ContainsFunc(o.hosts, func(pattern string) bool {
		name, only, err := net.SplitHostPort(pattern)
		if err != nil {
			name, only = strings.Trim(pattern, "[]"), port
		}
		return only == port && matchesHost(name, host)
	})
}

// listensAt reports whether a connection leads to a listener of the runtime: it is one of this machine to itself.
func (o *own) listensAt(c net.Conn) bool {
	local, near := addrPort(c.LocalAddr())
	remote, far := addrPort(c.RemoteAddr())
	if !near || !far {
		return false
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	return slices.ContainsFunc(o.listeners, func(at netip.AddrPort) bool {
		return at.Port() == remote.Port() && (at.Addr() == remote.Addr() ||
			at.Addr().IsUnspecified() && (remote.Addr().IsLoopback() || remote.Addr() == local.Addr()))
	})
}

func (o *own) listens() bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return len(o.listeners) > 0
}

func addrPort(a net.Addr) (netip.AddrPort, bool) {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	at := tcp.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), at.IsValid()
}

// mark lets a request say how deep it is, if it goes to the runtime itself. The request is the door's own copy.
func (o *own) mark(r *http.Request) (*http.Request, error) {
	if o.key == nil || hop.Of(r.Context()).Depth == 0 {
		return r, nil
	}
	named := o.names(r.URL.Hostname(), port(r.URL))
	if !named && !o.listens() {
		return r, nil
	}
	signed, err := o.key.Sign(hop.Of(r.Context()))
	if err != nil {
		return nil, err
	}
	if named {
		r.Header.Set(hop.Header, signed)
		return r, nil
	}
	// The transport tells which connection it took before it writes the request to it, on the goroutine of the caller.
	header := r.Header
	return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) {
			if o.listensAt(got.Conn) {
				header.Set(hop.Header, signed)
			} else {
				header.Del(hop.Header) // a second attempt may take another connection
			}
		},
	})), nil
}

// parseOwn checks the member ownHosts of a policy.
func parseOwn(hosts []string) ([]string, error) {
	out := make([]string, 0, len(hosts))
	for _, h := range hosts {
		name, p, err := net.SplitHostPort(h)
		if err != nil {
			name, p = h, "1"
		}
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 || name == "" || strings.ContainsAny(name, "/@ ") {
			return nil, wrong("egress.ownHosts", errNoHost(h))
		}
		out = append(out, strings.ToLower(h))
	}
	return out, nil
}

func errNoHost(text string) error {
	return fault.Newf(fault.Invalid, "%q is no host; write it like agents.example.com or 10.1.0.7:5053", text)
}
