package httpserver

import (
	"net/http"
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/agent"
	"github.com/sre-go/sre/internal/hop"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/value"
)

// run answers a request to an agent. The run ends when the client goes away.
func (x *exchange) run(to route) (value.Value, error) {
	a, err := x.find(to)
	if err != nil {
		return value.Value{}, err
	}
	x.agent = a
	if v := a.Document().AgentVersion; to.version != "" && v != "" && v != to.version && !strings.HasPrefix(v, to.version+".") {
		err := fault.Newf(fault.NotFound, "this agent has the version %s, not %s", v, to.version)
		return value.Value{}, fault.Hint(err, "use that version, or a path without one")
	}
	if to.name == "" && !x.debugs() {
		return value.Value{}, unknownEndpoint(a, x.r.Method, to)
	}
	from := x.hop()
	req := agent.Request{Method: x.r.Method, Path: to.path, Headers: x.headers(), Debugger: x.caller.debugs(), Depth: from.Depth}
	if req.Query, err = parseForm(x.r.URL.RawQuery, x.cfg.Limits.FormFields); err != nil {
		return value.Value{}, err
	}
	if req.Body, req.Files, err = x.body(); err != nil {
		return value.Value{}, err
	}
	x.arrived()
	if session := x.r.Header.Get("X-Debug-Read"); session != "" && x.debugs() && x.onlyReads() {
		return a.ReadDebug(x.r.Context(), session)
	}
	res, err := a.Run(hop.Arrived(x.r.Context(), from), req)
	switch {
	case fault.Is(err, fault.NotFound) && !knows(a, x.r.Method, to.path):
		return value.Value{}, unknownEndpoint(a, x.r.Method, to)
	case err != nil:
		return value.Value{}, err
	}
	if err := a.Explain(&req, res); err != nil {
		return value.Value{}, err
	}
	if x.caller.debugs() && req.Query.GetString("includeNewState") == "true" {
		return x.withNewState(a, res.Data)
	}
	return res.Data, nil
}

// hop returns where the request comes from when an agent of this runtime has sent it. Anybody may send the header; what
// was not signed here says nothing.
func (x *exchange) hop() hop.Hop {
	text := x.r.Header.Get(hop.Header)
	if text == "" || x.cfg.Hops == nil {
		return hop.Hop{}
	}
	h, err := x.cfg.Hops.Verify(text)
	if err != nil {
		x.cfg.Log.Debug("a hop is not believed", "error", err.Error())
	}
	return h
}

// find returns the agent of a route. What the caller does not reach does not exist, whatever the reason.
func (x *exchange) find(to route) (*agent.Agent, error) {
	if to.named {
		if a, ok := x.cfg.Agents.Agent(to.agent); ok && x.caller.reaches(x.r.Context(), a) {
			return a, nil
		}
		err := fault.Newf(fault.NotFound, "there is no such agent")
		return nil, fault.Hint(err, "GET /agents lists the agents")
	}
	loaded := x.visible()
	switch len(loaded) {
	case 0:
		return nil, fault.Hint(fault.Newf(fault.NotFound, "no agent is loaded"), "load one")
	case 1:
		return loaded[0], nil
	}
	rest := x.r.URL.Path
	err := fault.Newf(fault.NotFound, "%d agents are loaded, and this path names none of them", len(loaded))
	return nil, fault.Hint(err, "use /agents/{id}%s; GET /agents lists the ids", rest)
}

// arrived lifts the deadline that the client had for sending the request: the connection goes on being read, to learn
// when the client goes away, and that takes as long as the run.
func (x *exchange) arrived() {
	_ = http.NewResponseController(x.w).SetReadDeadline(time.Time{}) // a writer without deadlines has none to lift
}

// debugs reports whether somebody who may asks for a debug session. Only those have a path without a name.
func (x *exchange) debugs() bool {
	return x.caller.debugs() && (!x.onlyReads() || x.r.Header["X-Debug-Read"] != nil)
}

// onlyReads reports whether the request does not also step a debug session.
func (x *exchange) onlyReads() bool {
	h := x.r.Header
	return h["X-Debug-Run"] == nil && h["X-Debug-Inj"] == nil && h["X-Debug-Stop"] == nil
}

// withNewState adds to a step of a debug session what a reader would see after it.
func (x *exchange) withNewState(a *agent.Agent, step value.Value) (value.Value, error) {
	session := step.GetString("dbgSession")
	if session == "" {
		return step, nil
	}
	state, err := a.ReadDebug(x.r.Context(), session)
	if err != nil {
		return value.Value{}, err
	}
	return step.With("newState", state), nil
}

func knows(a *agent.Agent, method, path string) bool {
	_, ok := a.Plan().Endpoint(method, path)
	return ok
}

// unknownEndpoint says what the caller may have meant.
func unknownEndpoint(a *agent.Agent, method string, to route) error {
	err := fault.Newf(fault.NotFound, "Endpoint %s %s Not Found", method, to.path)
	base := strings.TrimSuffix(to.path, to.name)
	var names []string
	for _, s := range skillsOf(a) {
		if s.path == to.path {
			return fault.Hint(err, "it answers %s", s.method)
		}
		if name, ok := strings.CutPrefix(s.path, base); ok {
			names = append(names, name)
		}
	}
	if near := schema.Nearest(to.name, names); near != "" {
		return fault.Hint(err, "did you mean %s%s?", base, near)
	}
	if len(names) == 0 {
		return fault.Hint(err, "the agent has nothing below %s", base)
	}
	return fault.Hint(err, "GET /agents lists the skills")
}

// skill is something that can be asked of an agent.
type skill struct {
	method string
	path   string
	about  string
}

// skillsOf returns the skills and triggers of an agent that a path can name, in the order of its file.
func skillsOf(a *agent.Agent) []skill {
	var list []skill
	doc, plan := a.Document(), a.Plan()
	for i := range doc.Components {
		c := &doc.Components[i]
		if validName(c.Trigger) {
			list = append(list, skill{method: "POST", path: "/trigger/" + c.Trigger})
		}
		name := c.Settings.GetString("endpoint")
		if inst := plan.Instance(i); inst == nil || !inst.Traits.Endpoint || !validName(name) {
			continue
		}
		s := skill{method: strings.ToUpper(c.Settings.GetString("method")), path: "/api/" + name}
		if s.method == "" {
			s.method = http.MethodPost
		}
		for _, key := range [...]string{"description", "summary", "doc"} {
			if s.about == "" {
				s.about = c.Settings.GetString(key)
			}
		}
		list = append(list, s)
	}
	return list
}
