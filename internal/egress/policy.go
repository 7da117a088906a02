// Package egress is the one door to the network for agents and connectors.
//
// A request is checked twice: its form before anything is sent, and the address it
// is about to connect to at the moment of dialling, after the only resolution of
// the name. So a name that answers differently the second time gains nothing, and
// a redirect passes the same checks as the first hop. What is refused says which
// setting would allow it.
package egress

import (
	"net/netip"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/value"
)

// Policy says what may be reached. The zero Policy lets agents reach public addresses and nothing else.
type Policy struct {
	AllowPrivate bool     `json:"allowPrivate" doc:"Let requests reach this machine and private networks."`
	AllowHosts   []string `json:"allowHosts" doc:"Only these hosts may be reached: names, or *.name for all below it. Empty for all."`
	AllowNets    []string `json:"allowNetworks" doc:"Networks that may be reached although they are private, such as 10.1.0.0/16."`
	Closed       bool     `json:"closed" doc:"Nothing may be reached."`
}

// rules are a policy made ready.
type rules struct {
	Policy
	nets []netip.Prefix
}

// Parse reads the egress section of a configuration. An absent one is the zero Policy.
func Parse(v value.Value) (Policy, error) {
	if v.IsNil() {
		return Policy{}, nil
	}
	o := schema.For[Policy]()
	if err := o.CheckStrict(v); err != nil {
		return Policy{}, &fault.Error{Op: "config", Resource: "egress", Kind: fault.Invalid, Err: err}
	}
	return schema.Decode[Policy](o, v)
}

func newRules(p Policy) (*rules, error) {
	r := &rules{Policy: p}
	for _, text := range p.AllowNets {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fault.Hint(fault.Newf(fault.Invalid, "egress.allowNetworks: %q is no network", text), "write it like 10.1.0.0/16")
		}
		r.nets = append(r.nets, prefix.Masked())
	}
	return r, nil
}

// host reports whether a host may be named at all.
func (r *rules) host(name string) error {
	if r.Closed {
		return denied("closed", "the network is closed", "set egress.closed to false")
	}
	if len(r.AllowHosts) == 0 {
		return nil
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, allowed := range r.AllowHosts {
		allowed = strings.ToLower(allowed)
		below, wild := strings.CutPrefix(allowed, "*.")
		if name == allowed || wild && strings.HasSuffix(name, "."+below) {
			return nil
		}
	}
	return denied("host", "the host "+name+" is not on the list", "add it to egress.allowHosts")
}

// address reports whether an address may be connected to.
func (r *rules) address(a netip.Addr) error {
	a = a.Unmap()
	reason := class(a)
	if reason == "" || r.AllowPrivate && reason != "metadata" && reason != "multicast" {
		return nil
	}
	for _, n := range r.nets {
		if n.Contains(a) {
			return nil
		}
	}
	return denied(reason, "the address "+a.String()+" is "+reason, "add its network to egress.allowNetworks, or set egress.allowPrivate")
}

// class names what is special about an address, "" for nothing.
func class(a netip.Addr) string {
	switch {
	case !a.IsValid() || a.IsUnspecified():
		return "unspecified"
	case metadata(a):
		return "metadata"
	case a.IsLoopback():
		return "loopback"
	case a.IsMulticast() || a.IsInterfaceLocalMulticast():
		return "multicast"
	case a.IsLinkLocalUnicast():
		return "link-local"
	case a.IsPrivate():
		return "private"
	}
	for _, p := range special() {
		if p.Contains(a) {
			return "reserved"
		}
	}
	return ""
}

// metadata reports whether an address serves the secrets of a cloud machine.
func metadata(a netip.Addr) bool {
	switch a.String() {
	case "169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254":
		return true
	}
	return false
}

// special are networks that are no part of the public internet, from the registries of special-purpose addresses
// (RFC 6890 and its updates), and those that carry an IPv4 address inside.
func special() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func denied(reason, text, hint string) error {
	return &fault.Error{Op: "egress", Kind: fault.Denied, Code: "EGRESS_DENIED(" + reason + ")", Err: fault.Newf(fault.Denied, "%s", text), Hint: hint}
}

// bounds are the limits of one request.
func bounds(l limits.Limits) limits.Limits {
	d := limits.Default()
	if l.RequestTime == 0 {
		return d
	}
	return l
}
