package account

import (
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
)

// Scopes are what an API token is good for.
type Scopes uint8

// The scopes. Each includes those above it.
const (
	ScopeRun   Scopes = 1 << iota // calls agents
	ScopeDebug                    // debugs them, and steers their runs by headers
	ScopeAdmin                    // sees how the parts of the runtime are
)

// ScopeNames returns the names of the scopes, from little to much.
func ScopeNames() []string { return []string{"run", "debug", "admin"} }

// ParseScopes reads names of scopes.
func ParseScopes(names []string) (Scopes, error) {
	var s Scopes
	for _, name := range names {
		one := Scopes(0)
		for i, known := range ScopeNames() {
			if name == known {
				one = 1 << i
			}
		}
		if one == 0 {
			return 0, fault.New(fault.Invalid, schema.UnknownName("scope", name, ScopeNames()))
		}
		s |= one
	}
	return s, nil
}

// Names returns the names of the scopes that were given, without those they include.
func (s Scopes) Names() []string {
	var names []string
	for i, name := range ScopeNames() {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// effective adds the scopes that the given ones include.
func (s Scopes) effective() Scopes {
	if s&ScopeAdmin != 0 {
		s |= ScopeDebug
	}
	if s&ScopeDebug != 0 {
		s |= ScopeRun
	}
	return s
}
