package egress

import (
	"fmt"

	"github.com/sre-go/sre/access"
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
	Rules    value.Value `json:"rules" doc:"What single hosts may stand for: a list of {host, networks, ports}. A host with a rule may be reached as the rule says."`
	Closed   bool        `json:"closed" doc:"Nothing may be reached, whatever else is said."`
	OwnHosts []string    `json:"ownHosts" doc:"Hosts by which this runtime itself is reached, such as agents.example.com or 10.1.0.7:5053. Requests there carry a signed count, so that agents cannot call themselves without end."`
	// Teams maps names of teams to [TeamPolicy] as settings.
	Teams value.Value `json:"teams" doc:"What single teams may reach: their names with {allowHosts, denyHosts, allowNetworks, rules, closed}. The allowHosts of a team take the place of those of everyone, its closed closes, and the rest adds to what everyone has."`
}

// TeamPolicy says what the agents of one team may reach, beside what [Policy] says about everyone.
type TeamPolicy struct {
	AllowHosts []string    `json:"allowHosts" doc:"Only these hosts may be reached, and those of the team's rules, whatever everyone may reach. Empty for what everyone may reach."`
	AllowNets  []string    `json:"allowNetworks" doc:"Networks or addresses that the team may reach besides those of everyone."`
	DenyHosts  []string    `json:"denyHosts" doc:"Hosts, addresses and networks that the team may not reach, besides those of everyone."`
	Rules      value.Value `json:"rules" doc:"Rules of the team, besides those of everyone: a list of {host, networks, ports}."`
	Closed     bool        `json:"closed" doc:"The team reaches nothing."`
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

// parseTeams reads the member teams of a policy.
func parseTeams(v value.Value) (map[string]TeamPolicy, error) {
	const at = "egress.teams"
	if v.IsNil() {
		return nil, nil
	}
	if !v.IsObject() {
		return nil, wrong(at, fmt.Errorf("teams are an object of names, not %s", v.Kind()))
	}
	o := schema.For[TeamPolicy]()
	teams := map[string]TeamPolicy{}
	for _, m := range v.Members() {
		if err := access.ValidID(m.Key); err != nil {
			return nil, wrong(at, err)
		}
		if err := o.CheckStrict(m.Value); err != nil {
			return nil, wrong(at+"."+m.Key, err)
		}
		t, err := schema.Decode[TeamPolicy](o, m.Value)
		if err != nil {
			return nil, err
		}
		teams[m.Key] = t
	}
	return teams, nil
}

// parseRules reads the member rules of a policy; at is its place in the configuration.
func parseRules(at string, v value.Value) ([]rule, error) {
	if !v.IsNil() && !v.IsArray() {
		return nil, wrong(at, fmt.Errorf("rules are a list, not %s", v.Kind()))
	}
	var out []rule
	o := schema.For[Rule]()
	for i, item := range v.Items() {
		at := fmt.Sprintf("%s[%d]", at, i)
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
		out = append(out, one)
	}
	return out, nil
}

func wrong(where string, err error) error {
	return &fault.Error{Op: "config", Resource: where, Kind: fault.Invalid, Err: err}
}
