package egress

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

// Resolver turns a name into addresses; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

func systemResolver() Resolver { return net.DefaultResolver }

// connector opens a TCP connection to one address. allowed is asked again about the address that the system is about
// to connect; its error ends the attempt.
type connector func(ctx context.Context, to netip.AddrPort, allowed func(netip.AddrPort) error) (net.Conn, error)

// connect is the real connector.
func connect(ctx context.Context, to netip.AddrPort, allowed func(netip.AddrPort) error) (net.Conn, error) {
	dialer := net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return allowed(at)
	}}
	return dialer.DialContext(ctx, "tcp", to.String())
}

// dialConfigured opens a connection to an address that the operator wrote into the configuration. The rules are those of
// everyone: such connections belong to the runtime, whoever they are opened for.
func (d *door) dialConfigured(ctx context.Context, network, hostPort string) (net.Conn, error) {
	if network != "tcp" && network != "tcp4" && network != "tcp6" {
		return nil, fault.Newf(fault.Unsupported, "connections are made by TCP, not by %q", network)
	}
	conn, err := d.dialUnder(ctx, hostPort, d.rules.allowConfigured)
	if err == nil {
		return conn, nil
	}
	if denial := denialOf(err); denial != nil {
		event.Publish(ctx, d.events, denial.decision(ctx, "tcp"))
	}
	return nil, explain(ctx, err)
}

// allowance answers whether a connection on behalf of a host may be made to an address.
type allowance func(host string, port uint16, a netip.Addr) error

// dialUnder resolves the host once, refuses it when the policy refuses any of its addresses, and connects to the first
// that answers. Every connection is opened by it, those to proxies too.
func (d *door) dialUnder(ctx context.Context, hostPort string, allow allowance) (net.Conn, error) {
	host, port, err := split(hostPort)
	if err != nil {
		return nil, err
	}
	tooLong := overTime(limits.ConnectTime, "no connection to %s within %s", host, d.limits.ConnectTime)
	ctx, cancel := context.WithTimeoutCause(ctx, d.limits.ConnectTime, tooLong)
	defer cancel()
	addrs, err := d.resolve(ctx, host, port, allow)
	if err != nil {
		return nil, err
	}
	allowed := func(at netip.AddrPort) error { return allow(host, at.Port(), at.Addr()) }
	var first error
	for i, a := range addrs {
		conn, err := d.attempt(ctx, netip.AddrPortFrom(a, port), len(addrs)-i, allowed)
		if err == nil {
			return conn, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	return nil, first
}

// attempt connects to one of the addresses that are left, with its share of the time.
func (d *door) attempt(ctx context.Context, to netip.AddrPort, left int, allowed func(netip.AddrPort) error) (net.Conn, error) {
	if left > 1 {
		share := max(d.limits.ConnectTime/time.Duration(left+1), time.Millisecond)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, share)
		defer cancel()
	}
	return d.connect(ctx, to, allowed)
}

// resolve returns the addresses of a host, all of which are allowed.
func (d *door) resolve(ctx context.Context, host string, port uint16, allow allowance) ([]netip.Addr, error) {
	a, ok, err := literal(host)
	if err != nil {
		return nil, err
	}
	addrs := []netip.Addr{a}
	if !ok {
		if addrs, err = d.resolver.LookupNetIP(ctx, "ip", host); err != nil {
			return nil, err
		}
	}
	if len(addrs) == 0 {
		return nil, fault.Newf(fault.Unavailable, "the name %s has no address", host)
	}
	plainly := make([]netip.Addr, len(addrs)) // the resolver of the system writes IPv4 as IPv6
	for i, a := range addrs {
		plainly[i] = a.Unmap()
		if err := allow(host, port, plainly[i]); err != nil {
			return nil, err
		}
	}
	return plainly, nil
}

func split(hostPort string) (string, uint16, error) {
	host, text, err := net.SplitHostPort(hostPort)
	if err != nil {
		return "", 0, fault.New(fault.Invalid, err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return "", 0, fault.Newf(fault.Invalid, "%q is no port", text)
	}
	return host, uint16(port), nil
}
