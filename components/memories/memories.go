// Package memories holds the components by which an agent remembers texts between requests.
//
// A memory is a name and keys below it. What is remembered belongs to the agent,
// lies in its cache and is seen within a scope: one request, one session, or every
// run until its time has passed.
package memories

import (
	"context"
	"strings"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// Definitions returns the component types of this family.
func Definitions() []component.Definition {
	return []component.Definition{writeKey(), readKey(), deleteKey(), writeObject()}
}

// keep is how long a text is remembered that has no time of its own.
const keep = 3 * time.Hour

// The scopes. Any other name means every run of the agent.
const (
	scopeSession = "session"
	scopeRequest = "request"
	scopeTTL     = "ttl"
)

// place is where the texts of a scope lie.
func place(c *component.Call, scope string) string {
	switch scope {
	case scopeSession:
		return "session " + c.Agent.Session
	case scopeRequest:
		return "request " + c.Agent.Workflow
	case scopeTTL:
		return "ttl"
	}
	return ""
}

// address names an entry of the cache. Its parts are kept apart by colons, which are escaped within them.
func address(c *component.Call, place, memory, key string) string {
	return strings.Join([]string{"memory", escape(c.Agent.ID), escape(place), escape(memory), escape(key)}, ":")
}

func escape(s string) string {
	return strings.NewReplacer("%", "%25", ":", "%3A", "/", "%2F", `\`, "%5C").Replace(s)
}

// fill expands a template of the author over the inputs of the call.
func fill(text string, in component.Input) (string, error) {
	return template.Compile(text).Expand(in.Lookup, template.Options{Bare: true})
}

// remember stores a text.
func remember(ctx context.Context, c *component.Call, memory, scope, key, text string, ttl time.Duration) error {
	if scope != scopeTTL || ttl == 0 {
		ttl = keep
	}
	return c.Cache().Set(ctx, address(c, place(c, scope), memory, key), value.Of(text), cache.Options{TTL: ttl})
}

// recall finds a text: in the nearest scope that has it.
func recall(ctx context.Context, c *component.Call, memory, key string) (entry string, text value.Value, err error) {
	for _, scope := range []string{scopeRequest, scopeSession, scopeTTL, ""} {
		entry = address(c, place(c, scope), memory, key)
		v, ok, err := c.Cache().Get(ctx, entry)
		if err != nil || ok {
			return entry, v, err
		}
	}
	return "", value.Value{}, nil
}

// notFound is the output of components whose key is not there.
func notFound() value.Value { return value.Obj(value.M("_warning", value.Of("key not found"))) }
