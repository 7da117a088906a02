// Package egress is the one door to the network.
//
// [New] makes an [http.Client] that every connector and component shares. What it
// may reach is decided on the address that is about to be connected, after the
// name was resolved once: names, redirects and proxies cannot talk their way
// around that. Networks of the machine and of its site, and the metadata services
// of clouds, are out of reach unless the operator opens them. Requests are checked
// before a byte is sent, and answers are bounded in bytes, time and in what they
// unpack to.
//
// A refusal is an error of kind [fault.Denied] whose code names the rule, such as
// EGRESS_DENIED(metadata); it has no side effect, and one [access.Decision] is
// published for it.
package egress

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

// Option changes what [New] makes.
type Option func(*door)

// WithEvents publishes an [access.Decision] on the bus for each refused request; the audit listens there.
func WithEvents(bus *event.Bus) Option { return func(d *door) { d.events = bus } }

// WithResolver sets what turns names into addresses, instead of the resolver of the system.
func WithResolver(r Resolver) Option { return func(d *door) { d.resolver = r } }

// FromConfig is [New] with the policy that the section "egress" of a configuration gives, see [Parse].
func FromConfig(section value.Value, l limits.Limits, opts ...Option) (*http.Client, error) {
	p, err := Parse(section)
	if err != nil {
		return nil, err
	}
	return New(p, l, opts...)
}

// New makes a client that keeps the policy and the limits. It is safe for concurrent use; CloseIdleConnections of the
// client gives back what it keeps open.
//
// A request takes at most the limit request_time until the end of its answer, redirects included, unless its context
// has more patience: see [limits.WithRequestTime]. Proxies of the environment are not used; see [WithProxy].
//
// A policy with a network or rule that cannot be is [fault.Invalid]. Without limits the defaults count.
func New(p Policy, l limits.Limits, opts ...Option) (*http.Client, error) {
	d, err := newDoor(p, l, opts)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: d, CheckRedirect: follow}, nil
}

func newDoor(p Policy, l limits.Limits, opts []Option) (*door, error) {
	everyone, teams, err := newRules(p)
	if err != nil {
		return nil, err
	}
	if l == (limits.Limits{}) {
		l = limits.Default()
	}
	hosts, err := parseOwn(p.OwnHosts)
	if err != nil {
		return nil, err
	}
	d := &door{rules: everyone, own: own{hosts: hosts}, teams: teams, limits: l, resolver: systemResolver(), connect: connect}
	for _, set := range opts {
		set(d)
	}
	d.pools.make = d.transport
	return d, nil
}

// transport makes what the requests of a team are sent by.
func (d *door) transport(team string, k kind) *http.Transport {
	rules := d.rules
	if own := d.teams[team]; own != nil {
		rules = own
	}
	allow := rules.allow
	if k&toConfigured != 0 {
		allow = rules.allowConfigured
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(k&toUpgrade == 0)
	t := &http.Transport{
		Proxy: func(r *http.Request) (*url.URL, error) { return proxyOf(r.Context()), nil },
		DialContext: func(ctx context.Context, _, hostPort string) (net.Conn, error) {
			return d.dialUnder(ctx, hostPort, allow)
		},
		Protocols:              protocols,
		TLSHandshakeTimeout:    d.limits.ConnectTime,
		MaxResponseHeaderBytes: int64(d.limits.HeaderBytes),
		DisableCompression:     true, // answers are unpacked here, where their size is counted
		MaxIdleConns:           idlePerTeam,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleTime,
		ReadBufferSize:         bufferBytes,
		WriteBufferSize:        bufferBytes,
		ExpectContinueTimeout:  time.Second,
	}
	if d.tune != nil {
		d.tune(t)
	}
	return t
}

// Dial opens a connection for a connector with a protocol of its own, such as Redis. It goes out by the door that client
// came from, [New]: resolved once, checked on the address that is connected, bounded in time. The address is one that the
// operator configured, so a private network is as good as any; what egress.denyHosts and egress.closed refuse, and
// metadata services, stay out of reach.
func Dial(ctx context.Context, client *http.Client, network, address string) (net.Conn, error) {
	d, ok := client.Transport.(*door)
	if !ok {
		return nil, fault.Newf(fault.Unsupported, "the HTTP client of the runtime was replaced, so nothing else can be dialled")
	}
	return d.dialConfigured(ctx, network, address)
}

// Idle connections that a team keeps, to all hosts and to one, and for how long. They are never more than requests that
// were under way at once; a model server of HTTP/1.1 that a thousand runs ask would otherwise be connected to anew by nearly
// every one of them.
const (
	idlePerTeam = 2048
	idlePerHost = 1024
	idleTime    = 90 * time.Second
)

// bufferBytes is what a connection of HTTP/1.1 keeps to read by, and to write by, in bytes: room for the headers. Longer bodies
// go past it.
const bufferBytes = 2 << 10

// follow leaves redirects to the door, which checks every hop: a client with another rule for following is held to the
// same ones.
func follow(*http.Request, []*http.Request) error { return nil }
