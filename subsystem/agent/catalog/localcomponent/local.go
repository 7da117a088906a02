// Package localcomponent is the catalogue of the component types that a program is linked with.
package localcomponent

import (
	"context"
	"slices"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/subsystem/agent/catalog"
)

// Settings of the connector.
type Settings struct {
	Disabled []string `json:"disabled" doc:"Component types that no agent may use, by name or alias."`
}

// Definition returns the connector over component types, as configuration names it.
func Definition(linked []component.Definition) connector.Definition {
	return connector.Define(catalog.Kind, "LocalComponent", "The component types that the program is linked with.",
		func(_ context.Context, _ connector.Env, s Settings) (catalog.Connector, error) {
			return open(linked, s)
		})
}

type types struct {
	names  []string
	byName map[string]component.Definition // aliases included
	acl    *access.ACL                     // of every type: anybody may use it
}

func open(linked []component.Definition, s Settings) (catalog.Connector, error) {
	t := &types{byName: make(map[string]component.Definition, len(linked)), acl: access.NewACL().With(access.Public(), access.RightRead)}
	known := map[string]string{}
	for _, d := range linked {
		known[d.Name] = d.Name
		if d.Alias != "" {
			known[d.Alias] = d.Name
		}
	}
	var disabled []string
	for _, name := range s.Disabled {
		own, ok := known[name]
		if !ok {
			return nil, fault.Newf(fault.Invalid, "disabled: %w", schema.UnknownName("component type", name, keys(known)))
		}
		disabled = append(disabled, own)
	}
	for _, d := range linked {
		if slices.Contains(disabled, d.Name) {
			continue
		}
		t.names = append(t.names, d.Name)
		t.byName[d.Name] = d
		if d.Alias != "" {
			t.byName[d.Alias] = d
		}
	}
	slices.Sort(t.names)
	return t, nil
}

func keys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

// Names returns the names of all types, sorted.
func (t *types) Names(context.Context) ([]string, error) { return slices.Clone(t.names), nil }

// ACL lets anybody use what is there.
func (t *types) ACL(_ context.Context, name string) (*access.ACL, error) {
	if _, ok := t.byName[name]; !ok {
		return nil, nil
	}
	return t.acl, nil
}

// Get returns a type.
func (t *types) Get(_ context.Context, g access.Grant[access.Read]) (component.Definition, error) {
	d, ok := t.byName[g.Resource()]
	if !ok {
		return d, fault.Newf(fault.NotFound, "there is no such component type")
	}
	return d, nil
}
