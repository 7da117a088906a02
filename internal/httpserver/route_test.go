package httpserver

import (
	"net/url"
	"strings"
	"testing"

	"github.com/sre-go/sre/internal/workflow"
)

func TestParseRoute(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path string
		want route
	}{
		{"/healthz", route{kind: toHealth}},
		{"/readyz", route{kind: toReady}},
		{"/agents", route{kind: toAgents}},
		{"/openapi.json", route{kind: toOpenAPI}},
		{"/agents/a/openapi.json", route{kind: toOpenAPI, agent: "a", named: true}},
		{"/api/greet", route{kind: toSkill, path: "/api/greet", name: "greet"}},
		{"/api/", route{kind: toSkill, path: "/api/"}},
		{"/v1/api/greet", route{kind: toSkill, version: "1", path: "/api/greet", name: "greet"}},
		{"/v1.20/trigger/mail", route{kind: toSkill, version: "1.20", path: "/trigger/mail", name: "mail"}},
		{"/agents/a-1/v2/api/g_r-t", route{kind: toSkill, agent: "a-1", named: true, version: "2", path: "/api/g_r-t", name: "g_r-t"}},
		{"/agents//api/x", route{kind: toSkill, named: true, path: "/api/x", name: "x"}},
		{"/agents/a/healthz", route{}}, {"/agents/a/agents", route{}}, {"/agents/", route{}}, {"/agents/a", route{}},
		{"/api", route{}}, {"/trigger/", route{}}, {"/api/a/b", route{}}, {"/API/a", route{}}, {"/healthz/", route{}},
		{"/v/api/a", route{}}, {"/v1x/api/a", route{}}, {"/v1./api/a", route{}}, {"/v.1/api/a", route{}}, {"/v1/v1/api/a", route{}},
		{"/v1/healthz", route{}}, {"/v1", route{}}, {"", route{}}, {"*", route{}}, {"/", route{}}, {"api/a", route{}},
		{"/api/../healthz", route{}}, {"/api/%67", route{}}, {"/api/a%00", route{}}, {"/api/a%2fb", route{}}, {"/api/é", route{}},
		{"/api/" + strings.Repeat("x", maxName+1), route{}},
	}
	for _, tt := range tests {
		u, err := url.Parse(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		if got := parseRoute(u); got != tt.want {
			t.Errorf("parseRoute(%q) = %+v, want %+v", tt.path, got, tt.want)
		}
	}
}

// FuzzParseRoute: a path leads to one place at most, written in one way only, and no name of an agent leads out of it.
func FuzzParseRoute(f *testing.F) {
	for _, s := range []string{"/healthz", "/agents/a/v1.2/api/x", "/agents/a/openapi.json", "/api/", "/trigger/x", "/api/%2e%2e/x", "//api/x", "/agents/../api/x", "http://h/api/x", "/v1/api/x?y#z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.ParseRequestURI(path)
		if err != nil {
			return
		}
		to := parseRoute(u)
		if to.kind != toSkill {
			return
		}
		if canonical, ok := workflow.SplitPath(to.path); !ok || canonical != to.path {
			t.Errorf("parseRoute(%q).path = %q, want a path of agents", path, to.path)
		}
		again := to.path
		if to.version != "" {
			again = "/v" + to.version + again
		}
		if to.named {
			again = "/agents/" + to.agent + again
		}
		if again != u.Path || strings.Contains(to.agent, "/") || to.name != "" && !validName(to.name) {
			t.Errorf("parseRoute(%q) = %+v, want what was asked for", path, to)
		}
	})
}
