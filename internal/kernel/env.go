package kernel

import (
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

// resolve replaces $env(NAME) in all texts of a layer. An operator wrote it, so any variable may be named; one that is
// not set is a fault, because an empty password is not what anybody meant.
func resolve(v value.Value, getenv func(string) string) (value.Value, error) {
	if getenv == nil {
		return v, nil
	}
	switch {
	case v.IsObject():
		b := value.NewBuilder(len(v.Members()))
		for _, m := range v.Members() {
			r, err := resolve(m.Value, getenv)
			if err != nil {
				return value.Value{}, err
			}
			b.Set(m.Key, r)
		}
		return b.Build(), nil
	case v.IsArray():
		items := make([]value.Value, v.Len())
		for i, it := range v.Items() {
			r, err := resolve(it, getenv)
			if err != nil {
				return value.Value{}, err
			}
			items[i] = r
		}
		return value.OfItems(items), nil
	}
	s, ok := v.Str()
	if !ok {
		return v, nil
	}
	text, err := resolveText(s, getenv)
	return value.Of(text), err
}

func resolveText(s string, getenv func(string) string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(s, "$env(")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, after, closed := strings.Cut(rest, ")")
		if !closed {
			return "", fault.Newf(fault.Invalid, "%q opens $env( and does not close it", s)
		}
		v := getenv(name)
		if v == "" {
			return "", fault.Hint(fault.Newf(fault.Invalid, "the environment variable %s is not set", name), "set %s, or take $env(%s) out of the configuration", name, name)
		}
		out.WriteString(v)
		s = after
	}
}

// Environment is the layer that environment variables make: SRE_LIMIT_STEPS=500 sets a limit, SRE_SERVICE_STORAGE=RAM
// chooses the connector of a service without settings. Services are those the program knows.
func Environment(getenv func(string) string, services []string) Layer {
	b := value.NewBuilder(2)
	chosen := value.NewBuilder(4)
	for _, s := range services {
		if c := getenv("SRE_SERVICE_" + strings.ToUpper(s)); c != "" {
			chosen.Set(s, value.Obj(value.M("Connector", value.Of(c))))
		}
	}
	bounds := value.NewBuilder(4)
	for _, l := range limits.Default().List() {
		if v := getenv("SRE_LIMIT_" + strings.ToUpper(l.Name)); v != "" {
			bounds.Set(l.Name, value.Of(v))
		}
	}
	if chosen.Len() > 0 {
		b.Set("services", chosen.Build())
	}
	if bounds.Len() > 0 {
		b.Set("limits", bounds.Build())
	}
	return Layer{Origin: "the environment", Value: b.Build()}
}
