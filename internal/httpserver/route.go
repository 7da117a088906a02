package httpserver

import (
	"net/url"
	"slices"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// maxName bounds the names in paths, in bytes. Agents cannot have longer ones.
const maxName = 128

// kind is what a path leads to.
type kind uint8

const (
	nowhere kind = iota
	toHealth
	toReady
	toAgents
	toOpenAPI
	toSkill
)

// route is a parsed path.
type route struct {
	kind    kind
	agent   string // "" for the only agent there is
	named   bool   // the path names an agent
	version string // of the agent, such as "1" or "1.0"; "" for any
	path    string // of a run, without agent and version: "/api/greet", "/trigger/mail", or "/api/" for a debug session
	name    string // last part of path
}

// rule says who may use a kind of route, and how.
type rule struct {
	public  bool // without a token
	methods []string
	answer  func(*exchange, route) (value.Value, error)
}

// rule returns the rule of a kind. Every kind has one: what is not listed needs a token and leads nowhere.
func (k kind) rule() rule {
	switch k {
	case toHealth:
		return rule{public: true, methods: []string{"GET", "HEAD"}, answer: (*exchange).health}
	case toReady:
		return rule{public: true, methods: []string{"GET", "HEAD"}, answer: (*exchange).ready}
	case toAgents:
		return rule{methods: []string{"GET", "HEAD"}, answer: (*exchange).agents}
	case toOpenAPI:
		return rule{methods: []string{"GET", "HEAD"}, answer: (*exchange).openAPI}
	case toSkill:
		return rule{methods: []string{"GET", "POST", "PUT", "PATCH", "DELETE"}, answer: (*exchange).run}
	}
	return rule{}
}

func (r rule) allows(method string) bool { return slices.Contains(r.methods, method) }

// parseRoute reads a path. It is compared as it is: nothing is cleaned, and a path that needs escapes is none of ours.
func parseRoute(u *url.URL) route {
	path := u.Path
	if u.RawPath != "" || u.Opaque != "" {
		return route{}
	}
	switch path {
	case "/healthz":
		return route{kind: toHealth}
	case "/readyz":
		return route{kind: toReady}
	case "/agents":
		return route{kind: toAgents}
	}
	var to route
	if rest, ok := strings.CutPrefix(path, "/agents/"); ok {
		id, after, _ := strings.Cut(rest, "/")
		to.agent, to.named, path = id, true, "/"+after
	}
	if path == "/openapi.json" {
		to.kind = toOpenAPI
		return to
	}
	to.version, path = cutVersion(path)
	for _, base := range [...]string{"/api/", "/trigger/"} {
		name, ok := strings.CutPrefix(path, base)
		if ok && (validName(name) || name == "" && base == "/api/") {
			to.kind, to.path, to.name = toSkill, path, name
			return to
		}
	}
	return route{}
}

// cutVersion takes "/v1" or "/v1.0" off the beginning of a path.
func cutVersion(path string) (version, rest string) {
	after, ok := strings.CutPrefix(path, "/v")
	if !ok {
		return "", path
	}
	version, rest, ok = strings.Cut(after, "/")
	major, minor, dotted := strings.Cut(version, ".")
	if !ok || !number(major) || dotted && !number(minor) {
		return "", path
	}
	return version, "/" + rest
}

func number(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && len(s) < 10
}

// validName reports whether a name consists of what names of skills are made of.
func validName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return name != "" && len(name) <= maxName
}

func noRoute() error {
	err := fault.Newf(fault.NotFound, "there is nothing at this path")
	return fault.Hint(err, "skills are at /api/{name} and /agents/{id}/api/{name}; GET /agents lists them")
}

func methodNotAllowed(method string, allowed []string) error {
	err := fault.Newf(fault.Unsupported, "this path does not answer %s", clip(method))
	return &statusError{status: 405, err: fault.Hint(err, "it answers %s", strings.Join(allowed, ", "))}
}
