package egress

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/value"
)

// Policy says what may be reached. The zero Policy lets agents reach public addresses and nothing else. It is plain data,
// not changed after it was given to [New].
type Policy struct {
	AllowPrivate bool     `json:"allowPrivate" doc:"Let requests reach this machine and private networks. Metadata services of clouds stay out of reach."`
	AllowHosts   []string `json:"allowHosts" doc:"Only these hosts may be reached, and those of rules: names, or *.name for all below it. Empty for all."`
	AllowNets    []string `json:"allowNetworks" doc:"Networks or addresses that may be reached although they are not public, such as 10.1.0.0/16. A metadata service is opened only by its own address."`
	DenyHosts    []string `json:"denyHosts" doc:"Hosts that may not be reached, whatever else allows them: names, *.name, addresses or networks."`
	// Rules is a list of [Rule] as settings.
	Rules  value.Value `json:"rules" doc:"What single hosts may stand for: a list of {host, networks, ports}. A host with a rule may be reached as the rule says."`
	Closed bool        `json:"closed" doc:"Nothing may be reached, whatever else is said."`
}

// Rule opens one destination that the rest of a policy does not.
type Rule struct {
	Host  string   `json:"host" sre:"required" doc:"A name, *.name for all below it, or an address."`
	Nets  []string `json:"networks" doc:"Networks or addresses that the host may stand for. Empty for public ones only."`
	Ports []int    `json:"ports" doc:"Ports. Empty for all."`
}

// Parse reads the egress section of a configuration. An absent one is the zero Policy.
func Parse(v value.Value) (Policy, error) {
	if v.IsNil() {
		return Policy{}, nil
	}
	o := schema.For[Policy]()
	if err := o.CheckStrict(v); err != nil {
		return Policy{}, wrong("egress", err)
	}
	return schema.Decode[Policy](o, v)
}

// rules are a policy made ready. They are not changed once made.
type rules struct {
	Policy
	nets  []netip.Prefix
	deny  []netip.Prefix
	rules []rule
}

type rule struct {
	host  string
	nets  []netip.Prefix
	ports []int
}

func newRules(p Policy) (*rules, error) {
	r := &rules{Policy: p}
	var err error
	if r.nets, err = parseNetworks("egress.allowNetworks", p.AllowNets); err != nil {
		return nil, err
	}
	for _, text := range p.DenyHosts {
		if n, err := parseNetwork(text); err == nil {
			r.deny = append(r.deny, n)
		}
	}
	if !p.Rules.IsNil() && !p.Rules.IsArray() {
		return nil, wrong("egress.rules", fmt.Errorf("rules are a list, not %s", p.Rules.Kind()))
	}
	o := schema.For[Rule]()
	for i, item := range p.Rules.Items() {
		at := fmt.Sprintf("egress.rules[%d]", i)
		if err := o.CheckStrict(item); err != nil {
			return nil, wrong(at, err)
		}
		s, err := schema.Decode[Rule](o, item)
		if err != nil {
			return nil, err
		}
		one := rule{host: s.Host, ports: s.Ports}
		if one.nets, err = parseNetworks(at, s.Nets); err != nil {
			return nil, err
		}
		for _, port := range s.Ports {
			if port < 1 || port > 65535 {
				return nil, wrong(at, fmt.Errorf("%d is no port", port))
			}
		}
		r.rules = append(r.rules, one)
	}
	return r, nil
}

// check returns the rule that refuses a connection to the address on behalf of the host, "" when it is allowed.
func (r *rules) check(host string, port uint16, a netip.Addr) string {
	a = plain(a)
	class := classOf(a)
	switch {
	case r.Closed:
		return ruleClosed
	case matchesAny(r.DenyHosts, host) || contains(r.deny, a):
		return ruleDeny
	}
	for _, one := range r.rules {
		if matchesHost(one.host, host) && (len(one.ports) == 0 || slices.Contains(one.ports, int(port))) && opens(one.nets, class, a) {
			return ""
		}
	}
	switch {
	case len(r.AllowHosts) > 0 && !matchesAny(r.AllowHosts, host):
		return ruleHost
	case opens(r.nets, class, a), r.AllowPrivate && (class == classLoopback || class == classPrivate):
		return ""
	}
	return class
}

// checkConfigured is check for an address that the operator wrote into the configuration.
func (r *rules) checkConfigured(host string, a netip.Addr) string {
	a = plain(a)
	switch {
	case r.Closed:
		return ruleClosed
	case matchesAny(r.DenyHosts, host) || contains(r.deny, a):
		return ruleDeny
	case classOf(a) == classMetadata && !opens(r.nets, classMetadata, a):
		return classMetadata
	}
	return ""
}

// opens reports whether an address of a class may be reached where these networks are allowed.
func opens(nets []netip.Prefix, class string, a netip.Addr) bool {
	switch class {
	case classPublic:
		return len(nets) == 0 || contains(nets, a)
	case classMetadata:
		return slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.IsSingleIP() && n.Addr() == a })
	}
	return contains(nets, a)
}

func contains(nets []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.Contains(a) })
}

func matchesAny(patterns []string, host string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matchesHost(p, host) })
}

func matchesHost(pattern, host string) bool {
	pattern, host = normal(pattern), normal(host)
	if below, ok := strings.CutPrefix(pattern, "*."); ok {
		return strings.HasSuffix(host, "."+below)
	}
	return pattern == host
}

// normal writes a host name in one way: lower case, without the dot of the root.
func normal(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }

func parseNetworks(where string, texts []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range texts {
		n, err := parseNetwork(text)
		if err != nil {
			return nil, wrong(where, err)
		}
		out = append(out, n)
	}
	return out, nil
}

// parseNetwork reads "10.0.0.0/8", or an address for itself alone.
func parseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	n, err := netip.ParsePrefix(text)
	if err != nil || n.Addr().Is4In6() {
		return n, fmt.Errorf("%q is no network; write it like 10.1.0.0/16 or fd00::/8", text)
	}
	return n.Masked(), nil
}

func wrong(where string, err error) error {
	return &fault.Error{Op: "config", Resource: where, Kind: fault.Invalid, Err: err}
}
