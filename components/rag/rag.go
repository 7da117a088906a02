// Package rag holds the components that keep texts of a team and find them by what they mean.
//
// Texts lie in namespaces of the vector database that belong to the team of the agent, so what one agent of a team keeps
// the others find. Agent files name a namespace with its team before it, as "<team>_<name>"; the team that counts is that
// of the agent, whatever stands there.
package rag

import (
	"context"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/subsystem/io/vectordb"
	"github.com/sre-go/sre/value"
)

// Definitions returns the component types of this family.
func Definitions() []component.Definition {
	return []component.Definition{indexer(), lookup(), cleaner()}
}

// namespace returns the name in a setting, without the team before it.
func namespace(setting string) string {
	if _, name, ok := strings.Cut(setting, "_"); ok {
		return name
	}
	return setting
}

// room returns the namespaces of the team, and refuses when that one is not there.
func room(ctx context.Context, c *component.Call, name string) (*vectordb.Handle, error) {
	h := c.VectorDB().OfTeam()
	_, ok, err := h.Namespace(ctx, name)
	if err == nil && !ok {
		err = fault.Newf(fault.NotFound, "Namespace %s does not exist", name)
	}
	return h, err
}

// fill expands a template of the author over the inputs of the call. What has no value is left out.
func fill(text string, in component.Input) (string, error) {
	return template.Compile(text).Expand(in.Lookup, template.Options{Bare: true, Clean: true})
}

// sourceID expands and checks the id of a text.
func sourceID(setting string, in component.Input) (string, error) {
	id, err := template.Compile(setting).Expand(in.Lookup, template.Options{Bare: true}) // a placeholder left over is no id
	if err != nil {
		return "", err
	}
	if id == "" {
		return "", fault.Newf(fault.Invalid, "Id is required")
	}
	if strings.Contains(id, ":") || vectordb.ValidID(id) != nil {
		return "", fault.Newf(fault.Invalid, "Invalid id. Accepted characters: 'a-z', 'A-Z', '0-9', '-', '_', '.'")
	}
	return id, nil
}

// success is the output of components that tell no more.
func success(v value.Value) value.Value { return value.Obj(value.M("Success", v)) }
