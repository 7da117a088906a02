package vaultfile

import (
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
)

// References resolves $env(NAME). A tenant that may write its own entries must not read the environment of the process
// with them, so both the owner of the entry and the variable have to be listed. The zero References resolves nothing. It
// is immutable.
type References struct {
	variable func(name string) string
	owners   map[string]bool
	names    map[string]bool
}

const (
	refStart = "$env("
	refEnd   = ')'
)

// NewReferences lets entries of the shared team, "" for none, and of other teams of the operator name the variables.
func NewReferences(env connector.Env, shared string, teams, variables []string) (References, error) {
	r := References{variable: env.Variable, owners: make(map[string]bool), names: make(map[string]bool)}
	if shared != "" {
		teams = append([]string{shared}, teams...)
	}
	for _, team := range teams {
		if err := access.ValidID(team); err != nil {
			return r, fault.Newf(fault.Invalid, "shared and operatorTeams: %w", err)
		}
		r.owners[team] = true
	}
	for _, name := range variables {
		if !isVariable(name) {
			return r, fault.Newf(fault.Invalid, "env: %q is no name of a variable", name)
		}
		r.names[name] = true
	}
	return r, nil
}

// resolve returns text with its references replaced once; what they are replaced by is not looked at again. A reference
// to a variable that is not listed or not set stays as it is.
func (r References) resolve(owner, text string) string {
	if !r.owners[owner] || !strings.Contains(text, refStart) {
		return text
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, refStart)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		text = rest
		if end := strings.IndexByte(rest, refEnd); end >= 0 && r.names[rest[:end]] {
			if v := r.variable(rest[:end]); v != "" {
				b.WriteString(v)
				text = rest[end+1:]
				continue
			}
		}
		b.WriteString(refStart)
	}
}

// isVariable reports whether name is a letter or an underscore, then letters, digits and underscores.
func isVariable(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
