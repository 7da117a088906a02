package kernel

import (
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/value"
)

// Config is a configuration after all its layers were laid over each other.
type Config struct {
	Services map[string][]Instance
	Limits   limits.Limits
	Server   Section
	Egress   Section
	Audit    Section  // where and how refusals and reads of secrets are recorded
	Budgets  Section  // what models may cost
	MCP      Section  // MCP servers of the operator
	Compat   Section  // behaviour of the TypeScript runtime that is switched on
	Origins  []string // the layers that said something, weakest first
	Sources  Sources  // the layer that each value comes from
}

// Section is a part of the configuration that another package reads.
type Section struct {
	Value  value.Value // absent when no layer has it
	Origin string
}

// Instance is one configured connector of a service.
type Instance struct {
	ID        string // the connector's name unless given
	Connector string
	Default   bool
	Settings  value.Value
	Origin    string // the layer it comes from
}

func (in Instance) describe() string {
	if in.Default {
		return "default; from " + in.Origin
	}
	return "from " + in.Origin
}

// Layer is one source of configuration.
type Layer struct {
	Origin string      // where it stands, for people
	Value  value.Value // {"services": {...}, "limits": {...}, "server": {...}, "egress": {...}, "audit": {...}, "budgets": {...}, "mcp": {...}, "compatibility": {...}}
	// Getenv resolves $env(NAME) in the texts of the layer; nil leaves them as they are.
	Getenv func(string) string
}

// sections are the members of a configuration.
func sections() []string {
	return []string{"services", "limits", "server", "egress", "audit", "budgets", "mcp", "compatibility"}
}

// Merge lays layers over each other, the weakest first. A service that a layer names is replaced as a whole; limits
// are replaced one by one.
func Merge(layers []Layer) (Config, error) {
	c := Config{Services: map[string][]Instance{}, Limits: limits.Default(), Sources: Sources{}}
	for _, l := range layers {
		if l.Value.IsNil() || len(l.Value.Members()) == 0 && l.Value.IsObject() {
			continue
		}
		if err := c.apply(l); err != nil {
			return Config{}, &fault.Error{Op: "config", Resource: l.Origin, Kind: fault.Invalid, Err: err}
		}
		c.Origins = append(c.Origins, l.Origin)
	}
	return c, nil
}

func (c *Config) apply(l Layer) error {
	if !l.Value.IsObject() {
		return fault.Newf(fault.Invalid, "a configuration is one JSON object, not %s", l.Value.Kind())
	}
	v, err := resolve(l.Value, l.Getenv)
	if err != nil {
		return err
	}
	for _, m := range v.Members() {
		switch m.Key {
		case "services":
			err = c.services(m.Value, l.Origin)
		case "limits":
			err = c.limits(m.Value, l.Origin)
		case "server":
			c.Server = Section{m.Value, l.Origin}
			c.Sources.set("server", m.Value, l.Origin)
		case "compatibility":
			c.Compat = Section{m.Value, l.Origin}
			c.Sources.set("compatibility", m.Value, l.Origin)
		case "budgets":
			c.Budgets = Section{m.Value, l.Origin}
			c.Sources.set("budgets", m.Value, l.Origin)
		case "mcp":
			c.MCP = Section{m.Value, l.Origin}
			c.Sources.set("mcp", m.Value, l.Origin)
		case "audit":
			c.Audit = Section{m.Value, l.Origin}
			c.Sources.set("audit", m.Value, l.Origin)
		case "egress":
			c.Egress = Section{m.Value, l.Origin}
			c.Sources.set("egress", m.Value, l.Origin)
		default:
			err = schema.UnknownName("setting", m.Key, sections())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) limits(v value.Value, origin string) error {
	if !v.IsObject() {
		return fault.Newf(fault.Invalid, "limits is an object of names and values, not %s", v.Kind())
	}
	for _, m := range v.Members() {
		if err := c.Limits.Set(m.Key, m.Value.Text()); err != nil {
			return err
		}
		c.Sources.set("limits."+m.Key, m.Value, origin)
	}
	return nil
}

func (c *Config) services(v value.Value, origin string) error {
	if !v.IsObject() {
		return fault.Newf(fault.Invalid, "services is an object of service names, not %s", v.Kind())
	}
	for _, m := range v.Members() {
		list := m.Value.Items()
		if m.Value.IsObject() {
			list = []value.Value{m.Value}
		} else if !m.Value.IsArray() {
			return fault.Newf(fault.Invalid, "service %s is configured by an object or a list of objects, not %s", m.Key, m.Value.Kind())
		}
		instances, err := instancesOf(m.Key, list, origin)
		if err != nil {
			return err
		}
		c.Services[m.Key] = instances
		c.Sources.set("services."+m.Key, m.Value, origin)
	}
	return nil
}

// instanceKeys are the members of a configured connector, spelled as the reference spells them.
func instanceKeys() []string { return []string{"Connector", "Id", "Default", "Settings"} }

func instancesOf(service string, list []value.Value, origin string) ([]Instance, error) {
	var out []Instance
	seen, def := map[string]bool{}, -1
	for i, it := range list {
		if !it.IsObject() {
			return nil, fault.Newf(fault.Invalid, "service %s: each connector is an object, not %s", service, it.Kind())
		}
		for _, m := range it.Members() {
			switch m.Key {
			case "Connector", "Id", "Default", "Settings":
			default:
				return nil, fault.Newf(fault.Invalid, "service %s: %w", service, schema.UnknownName("member", m.Key, instanceKeys()))
			}
		}
		in := Instance{Connector: it.GetString("Connector"), ID: it.GetString("Id"), Settings: it.Get("Settings"), Origin: origin}
		if in.Connector == "" {
			return nil, fault.Newf(fault.Invalid, "service %s: Connector is missing; name one of `sre list connectors`", service)
		}
		if in.ID == "" {
			in.ID = in.Connector
		}
		if seen[in.ID] {
			return nil, fault.Newf(fault.Invalid, "service %s has two connectors with the Id %q; give one another Id", service, in.ID)
		}
		seen[in.ID] = true
		if it.Get("Default").Truthy() {
			if def >= 0 {
				return nil, fault.Newf(fault.Invalid, "service %s has two defaults, %q and %q; keep one", service, out[def].ID, in.ID)
			}
			def = i
		}
		out = append(out, in)
	}
	if len(out) > 0 {
		out[max(def, 0)].Default = true
	}
	return out, nil
}
