package httpserver

import (
	"maps"
	"net/http"
	"slices"

	"github.com/sre-go/sre/value"
)

// health says that the server answers, and nothing else: anybody may ask.
func (x *exchange) health(route) (value.Value, error) {
	return value.Obj(value.M("status", value.Of("ok"))), nil
}

// ready says whether every part of the runtime is well: anybody may ask, and is answered by a look that is at most a second
// old. Only the operator and administrators are told which part is not well, and why.
func (x *exchange) ready(route) (value.Value, error) {
	var parts map[string]error
	if x.cfg.Health != nil {
		var err error
		if parts, err = x.readiness.get(x.r.Context(), x.cfg.Effects, x.cfg.Limits.ConnectTime, x.cfg.Health); err != nil {
			return value.Value{}, err
		}
	}
	status, list := "ready", value.NewBuilder(len(parts))
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		text := "ok"
		if err := parts[name]; err != nil {
			text, status, x.status = err.Error(), "unready", http.StatusServiceUnavailable
		}
		list.Set(name, value.Of(text))
	}
	answer := value.NewBuilder(2).Set("status", value.Of(status))
	if x.caller.admin() {
		answer.Set("parts", list.Build())
	}
	return answer.Build(), nil
}

// agents lists the agents that exist for the caller, with what can be asked of them.
func (x *exchange) agents(route) (value.Value, error) {
	loaded := x.visible()
	list := make([]value.Value, len(loaded))
	for i, a := range loaded {
		prefix := "/agents/" + a.ID()
		var skills []value.Value
		for _, s := range skillsOf(a) {
			b := value.NewBuilder(3).Set("method", value.Of(s.method)).Set("path", value.Of(prefix+s.path))
			if s.about != "" {
				b.Set("description", value.Of(s.about))
			}
			skills = append(skills, b.Build())
		}
		b := value.NewBuilder(6).Set("id", value.Of(a.ID())).Set("name", value.Of(a.Document().Name))
		if v := a.Document().AgentVersion; v != "" {
			b.Set("version", value.Of(v))
		}
		if d := a.Document().Description; d != "" {
			b.Set("description", value.Of(d))
		}
		list[i] = b.Set("skills", value.OfItems(skills)).Set("openapi", value.Of(prefix+"/openapi.json")).Build()
	}
	return value.Obj(value.M("agents", value.OfItems(list))), nil
}

// openAPI describes the skills of an agent.
func (x *exchange) openAPI(to route) (value.Value, error) {
	a, err := x.find(to)
	if err != nil {
		return value.Value{}, err
	}
	base := x.baseURL()
	if to.named {
		base += "/agents/" + a.ID()
	}
	return x.cfg.OpenAPI(a, base), nil
}
