package egress

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
)

// rules are a policy made ready, for everyone or for one team. They are not changed once made.
type rules struct {
	at      string // of the section that they come from: "egress", "egress.teams.red"
	closed  string // the setting that closes everything, "" when none does
	private bool
	hosts   []string // the only ones, when there are any
	hostsAt string   // the setting that lists them
	nets    []netip.Prefix
	deny    []forbidden
	rules   []rule
}

// forbidden is one entry of denyHosts.
type forbidden struct {
	at, text string
	network  netip.Prefix // when it is one
}

func (f forbidden) matches(host string, a netip.Addr) bool {
	return matchesHost(f.text, host) || f.network.IsValid() && f.network.Contains(a)
}

type rule struct {
	host  string
	nets  []netip.Prefix
	ports []int
	among []string // the rule counts for these hosts only; empty for all
}

// newRules makes the rules of everyone and those of the teams that have their own.
func newRules(p Policy) (everyone *rules, teams map[string]*rules, err error) {
	everyone = &rules{at: "egress", private: p.AllowPrivate, hosts: p.AllowHosts, hostsAt: "egress.allowHosts"}
	if err := everyone.add(p.AllowNets, p.DenyHosts, p.Closed); err != nil {
		return nil, nil, err
	}
	if everyone.rules, err = parseRules("egress.rules", p.Rules); err != nil {
		return nil, nil, err
	}
	sections, err := parseTeams(p.Teams)
	if err != nil {
		return nil, nil, err
	}
	teams = make(map[string]*rules, len(sections))
	for name, section := range sections {
		if teams[name], err = everyone.forTeam(name, section); err != nil {
			return nil, nil, err
		}
	}
	return everyone, teams, nil
}

// forTeam returns the rules of a team that has a section of its own.
func (r *rules) forTeam(name string, t TeamPolicy) (*rules, error) {
	own := *r
	own.at = "egress.teams." + name
	own.nets, own.deny = slices.Clone(r.nets), slices.Clone(r.deny)
	if err := own.add(t.AllowNets, t.DenyHosts, t.Closed); err != nil {
		return nil, err
	}
	if len(t.AllowHosts) > 0 {
		own.hosts, own.hostsAt = t.AllowHosts, own.at+".allowHosts"
	}
	var err error
	if own.rules, err = parseRules(own.at+".rules", t.Rules); err != nil {
		return nil, err
	}
	for _, one := range r.rules {
		one.among = t.AllowHosts
		own.rules = append(own.rules, one)
	}
	return &own, nil
}

// add puts what a section says to what is there.
func (r *rules) add(nets, deny []string, closed bool) error {
	more, err := parseNetworks(r.at+".allowNetworks", nets)
	if err != nil {
		return err
	}
	r.nets = append(r.nets, more...)
	for _, text := range deny {
		f := forbidden{at: r.at + ".denyHosts", text: text}
		if n, err := parseNetwork(text); err == nil {
			f.network = n
		}
		r.deny = append(r.deny, f)
	}
	if closed && r.closed == "" {
		r.closed = r.at + ".closed"
	}
	return nil
}

// verdict is what refuses a connection; the zero verdict allows it.
type verdict struct {
	rule    string
	setting string // the change of the configuration that would allow it, "" when none would
}

// check asks about a connection to the address on behalf of the host.
func (r *rules) check(host string, port uint16, a netip.Addr) verdict {
	a = plain(a)
	if v := r.forbids(host, a); v.rule != "" {
		return v
	}
	class := classOf(a)
	for _, one := range r.rules {
		if one.covers(host, port) && opens(one.nets, class, a) {
			return verdict{}
		}
	}
	open := opens(r.nets, class, a) || class == classPublic || r.private && (class == classLoopback || class == classPrivate)
	switch {
	case len(r.hosts) > 0 && !matchesAny(r.hosts, host):
		setting := r.hostsAt + ": " + normal(host)
		if !open {
			setting = r.oneRule(host, port, a)
		}
		return verdict{ruleHost, setting}
	case !open:
		return verdict{class, r.oneNetwork(a)}
	}
	return verdict{}
}

// checkConfigured is check for an address that the operator wrote into the configuration.
func (r *rules) checkConfigured(host string, a netip.Addr) verdict {
	a = plain(a)
	if v := r.forbids(host, a); v.rule != "" {
		return v
	}
	if classOf(a) == classMetadata && !opens(r.nets, classMetadata, a) {
		return verdict{classMetadata, r.oneNetwork(a)}
	}
	return verdict{}
}

// forbids answers for what refuses whatever else allows.
func (r *rules) forbids(host string, a netip.Addr) verdict {
	if r.closed != "" {
		return r.shut()
	}
	for _, f := range r.deny {
		if f.matches(host, a) {
			return verdict{ruleDeny, fmt.Sprintf("%s without %q", f.at, f.text)}
		}
	}
	return verdict{}
}

func (r *rules) shut() verdict { return verdict{ruleClosed, r.closed + ": false"} }

// oneNetwork is the setting that opens one address.
func (r *rules) oneNetwork(a netip.Addr) string {
	if !a.IsValid() || a.Zone() != "" {
		return ""
	}
	return r.at + ".allowNetworks: " + a.String()
}

// oneRule is the setting that opens one destination.
func (r *rules) oneRule(host string, port uint16, a netip.Addr) string {
	if !a.IsValid() || a.Zone() != "" {
		return ""
	}
	return r.at + `.rules: {"host": ` + strconv.Quote(normal(host)) + `, "networks": ["` + a.String() + `"], "ports": [` + strconv.Itoa(int(port)) + `]}`
}

func (r rule) covers(host string, port uint16) bool {
	return matchesHost(r.host, host) && (len(r.ports) == 0 || slices.Contains(r.ports, int(port))) &&
		(len(r.among) == 0 || matchesAny(r.among, host))
}

// allow is the allowance of everything that agents ask for.
func (r *rules) allow(host string, port uint16, a netip.Addr) error {
	return r.check(host, port, a).refuse(host, port, a)
}

// allowConfigured is the allowance of addresses that the operator wrote down.
func (r *rules) allowConfigured(host string, port uint16, a netip.Addr) error {
	return r.checkConfigured(host, a).refuse(host, port, a)
}

func (v verdict) refuse(host string, port uint16, a netip.Addr) error {
	if v.rule == "" {
		return nil
	}
	return refuse(&Denial{Host: host, Port: port, Address: a, Rule: v.rule, Setting: v.setting})
}
