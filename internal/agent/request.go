package agent

import (
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/value"
)

// Request is one request to an agent.
type Request struct {
	Method    string // "GET" when empty
	Path      string // "/api/greet"
	Headers   value.Value
	Body      value.Value
	Query     value.Value
	Params    value.Value
	Files     []component.File
	SessionID string // names the session; empty for a new one
	Depth     int    // how many agents called each other before the request came back over the network; 0 for none

	// Debugger is set when the caller may debug this agent. Without it, debug headers do not exist.
	Debugger bool
	Watcher  engine.Watcher        // receives monitor events; nil when nobody watches
	Deltas   func(component.Delta) // receives partial output; nil when nobody listens
	Gate     engine.Gate           // holds the run between supersteps; nil when it never waits

	// Own are headers that the runtime adds itself, such as the id of a conversation: they steer the run whoever calls.
	Own value.Value

	caller *callPath // the runs above this one
}

// Response is what a request came to.
type Response struct {
	Data   value.Value
	Status int // 404 when the path is none of an agent, else 0
	// Waiting are the components that were still waiting for inputs when the run ended without a result.
	Waiting Waits
	// Usage is what the run used, also when it ended with an error; zero for the steps of a debug session.
	Usage engine.Usage
}

// control are headers by which callers steer a run. They are trusted only from callers that may debug.
var control = [...]string{
	"x-debug-run", "x-debug-inj", "x-debug-read", "x-debug-stop", "x-debug-skip", "x-mock-data-inj", "x-force-debugger", "x-debug",
	"x-request-tag", "x-agent-id", "x-agent-version", "x-agent-remote-call", "x-conversation-id", "x-monitor-id",
	"x-cache-id", "x-routing-mode", "x-smyth-team-id",
}

// headers returns the headers of a request as agents see them: in lower case and as sent. Headers that steer a run are
// left out unless the caller may debug.
func (r *Request) headers() value.Value {
	sent, own := r.Headers.Members(), r.Own.Members()
	if len(sent)+len(own) == 0 {
		return value.Obj()
	}
	out := make([]value.Member, 0, 2*len(sent)+len(own))
	for _, m := range own {
		out = append(out, value.M(strings.ToLower(m.Key), m.Value))
	}
	for _, m := range sent {
		if lower := strings.ToLower(m.Key); r.Debugger || !controls(lower) {
			out = append(out, value.M(lower, m.Value))
		}
	}
	for _, m := range sent {
		if lower := strings.ToLower(m.Key); lower != m.Key && (r.Debugger || !controls(lower)) {
			out = append(out, m)
		}
	}
	return value.OfMembers(out)
}

func controls(lower string) bool {
	for _, c := range control {
		if c == lower {
			return true
		}
	}
	return false
}

// header returns a header of the request by its lower-case name, and whether it was sent.
func header(headers value.Value, name string) (string, bool) {
	v := headers.Get(name)
	if v.IsAbsent() {
		return "", false
	}
	return v.Text(), true
}

// object returns v if it is an object or list, else an empty object.
func object(v value.Value) value.Value {
	if v.IsAbsent() {
		return value.Obj()
	}
	return v
}
