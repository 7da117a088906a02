// Package memories holds the components by which an agent remembers texts between requests.
//
// A memory is a name and keys below it. What is remembered belongs to the agent,
// lies in its cache and is seen within a scope: one request, one session, every run
// of the agent, or every agent of its team.
package memories

import (
	"context"
	"strings"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
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

// The scopes. Any other name means every run of the agent, for the time that texts are kept which have none of their own.
const (
	scopeSession = "session"
	scopeRequest = "request"
	scopeTTL     = "ttl"
	scopeAgent   = "agent" // every run, until its time has passed or it is forgotten
	scopeTeam    = "team"  // every run of every agent of the team, likewise
)

// scopes are all of them, the nearest first.
func scopes() []string {
	return []string{scopeRequest, scopeSession, scopeTTL, scopeAgent, "", scopeTeam}
}

// place is where the texts of a scope lie.
func place(c *component.Call, scope string) string {
	switch scope {
	case scopeSession:
		return "session " + c.Agent.Session
	case scopeRequest:
		return "request " + c.Agent.Workflow
	case scopeTTL, scopeAgent:
		return scope
	}
	return ""
}

// address names an entry of the cache. Its parts are kept apart by colons, which are escaped within them.
func address(c *component.Call, scope, memory, key string) string {
	if scope == scopeTeam {
		return strings.Join([]string{"team-memory", escape(c.Agent.Team), escape(memory), escape(key)}, ":")
	}
	return strings.Join([]string{"memory", escape(c.Agent.ID), escape(place(c, scope)), escape(memory), escape(key)}, ":")
}

func escape(s string) string {
	return strings.NewReplacer("%", "%25", ":", "%3A", "/", "%2F", `\`, "%5C").Replace(s)
}

// fill expands a template of the author over the inputs of the call.
func fill(text string, in component.Input) (string, error) {
	return template.Compile(text).Expand(in.Lookup, template.Options{Bare: true})
}

// remember stores a text. What a team remembers, each of its agents may replace and forget.
func remember(ctx context.Context, c *component.Call, memory, scope, key, text string, ttl time.Duration) error {
	o := cache.Options{TTL: keep}
	switch scope {
	case scopeTTL:
		if ttl > 0 {
			o.TTL = ttl
		}
	case scopeAgent, scopeTeam:
		o.TTL = ttl // none for as long as the cache keeps it
	}
	if scope == scopeTeam {
		team, err := access.Team(c.Agent.Team)
		if err != nil {
			return fault.Hint(fault.Newf(fault.Denied, "the agent belongs to no team, so there is no memory of a team"), "list the agent in the accounts")
		}
		o.ACL = access.NewACL().With(team, access.RightRead|access.RightWrite)
	}
	return c.Cache().Set(ctx, address(c, scope, memory, key), value.Of(text), o)
}

// recall finds a text: in the nearest scope that has it.
func recall(ctx context.Context, c *component.Call, memory, key string) (entry string, text value.Value, err error) {
	for _, scope := range scopes() {
		if scope == scopeTeam && c.Agent.Team == "" {
			continue
		}
		entry = address(c, scope, memory, key)
		v, ok, err := c.Cache().Get(ctx, entry)
		if err != nil || ok {
			return entry, v, err
		}
	}
	return "", value.Value{}, nil
}

// notFound is the output of components whose key is not there.
func notFound() value.Value { return value.Obj(value.M("_warning", value.Of("key not found"))) }
