package memories

import (
	"context"
	"log/slog"
	"os"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/internal/leak"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/subsystem/memory/cache/ramcache"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/subsystem/security/account/dummyaccount"
	"github.com/sre-go/sre/value"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

// services boots accounts and a cache.
func services(t *testing.T) *connector.Services {
	t.Helper()
	env := connector.Env{Log: slog.New(slog.DiscardHandler), Effects: effect.System{}, Events: &event.Bus{}, Services: connector.NewServices()}
	for _, s := range []struct {
		kind connector.AnyKind
		def  connector.Definition
	}{{account.Kind, dummyaccount.Definition}, {cache.Kind, ramcache.Definition()}} {
		c, err := s.def.Open(t.Context(), env, value.Obj())
		if err != nil {
			t.Fatal(err)
		}
		if starter, ok := c.(connector.Starter); ok {
			if err := starter.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if closer, ok := c.(connector.Closer); ok {
			t.Cleanup(func() {
				if err := closer.Close(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		built, err := connector.Build(s.kind, env, "", []connector.Opened{{ID: "x", Connector: c}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		env.Services.Put(s.kind, built)
	}
	return env.Services
}

// teamOf asks the accounts, as the runtime does.
func teamOf(t *testing.T, s *connector.Services, who access.Candidate) string {
	t.Helper()
	team, err := scope.New(s, who).Account().Team(t.Context())
	if err != nil {
		return "" // belongs to none
	}
	return team
}

// run calls a component as an agent in a session and a request.
func run(t *testing.T, s *connector.Services, agent, session, request, typ, settings, inputs string) string {
	t.Helper()
	who, err := access.Agent(agent)
	if err != nil {
		t.Fatal(err)
	}
	parse := func(text string) value.Value {
		v, err := value.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	call := &component.Call{Scope: scope.New(s, who), Agent: &component.Agent{ID: agent, Team: teamOf(t, s, who), Session: session, Workflow: request}}
	for _, d := range Definitions() {
		if d.Name != typ {
			continue
		}
		inst := d.Compile(parse(settings))
		if len(inst.Violations) > 0 {
			return inst.Violations[0].Message
		}
		out, err := inst.Run(t.Context(), call, component.Input{Extra: parse(inputs)})
		if err != nil {
			return "error: " + err.Error()
		}
		return out.JSON()
	}
	t.Fatalf("no type %q", typ)
	return ""
}

func TestScopes(t *testing.T) {
	t.Parallel()
	const found, gone = `{"Value":"v"}`, `{"_warning":"key not found"}`
	for scope, want := range map[string][4]string{ // same request, same session, another session, another agent of the team
		"request": {found, gone, gone, gone},
		"session": {found, found, gone, gone},
		"ttl":     {found, found, found, gone},
		"":        {found, found, found, gone},
		"agent":   {found, found, found, gone},
		"team":    {found, found, found, found},
	} {
		s := services(t)
		if got := run(t, s, "one", "s1", "r1", "MemoryWriteKeyVal", `{"memoryName":"m","key":"k","value":"{{Value}}","scope":"`+scope+`","ttl":300}`, `{"Value":"v"}`); got != `{"Key":"k"}` {
			t.Fatalf("%q: write gave %s", scope, got)
		}
		read := func(agent, session, request string) string {
			return run(t, s, agent, session, request, "MemoryReadKeyVal", `{"memoryName":"m","key":"{{Key}}"}`, `{"Key":"k"}`)
		}
		got := [4]string{read("one", "s1", "r1"), read("one", "s1", "r2"), read("one", "s2", "r3"), read("two", "s1", "r1")}
		if got != want {
			t.Errorf("%q: got %q, want %q", scope, got, want)
		}
	}
}

// TestSessionsDoNotHideEachOther: two sessions remember under one key, and each reads and forgets its own.
func TestSessionsDoNotHideEachOther(t *testing.T) {
	t.Parallel()
	s := services(t)
	const key = `{"memoryName":"m","key":"k"}`
	for _, session := range []string{"s1", "s2"} {
		run(t, s, "one", session, "r", "MemoryWriteKeyVal", `{"memoryName":"m","key":"k","value":"of `+session+`","scope":"session"}`, `{}`)
	}
	if got := run(t, s, "one", "s1", "r", "MemoryReadKeyVal", key, `{}`); got != `{"Value":"of s1"}` {
		t.Errorf("s1 reads %s", got)
	}
	if got := run(t, s, "one", "s1", "r", "MemoryDeleteKeyVal", key, `{}`); got != `{"Key":"k","deleted":true}` {
		t.Errorf("s1 deletes %s", got)
	}
	if got := run(t, s, "one", "s2", "r", "MemoryReadKeyVal", key, `{}`); got != `{"Value":"of s2"}` {
		t.Errorf("s2 reads %s", got)
	}
}

// TestT25_ForeignKeys: names that try to reach the entries of others reach nothing.
func TestT25_ForeignKeys(t *testing.T) {
	t.Parallel()
	s := services(t)
	run(t, s, "one", "s1", "r", "MemoryWriteKeyVal", `{"memoryName":"m","key":"a:k","value":"canary","scope":"session"}`, `{}`)
	for _, settings := range []string{`{"memoryName":"m:a","key":"k"}`, `{"memoryName":"session s1:m","key":"a:k"}`, `{"memoryName":"../m","key":"a:k"}`, `{"memoryName":"m%3Aa","key":"k"}`} {
		for _, session := range []string{"", "s2", "s1:m"} {
			if got := run(t, s, "one", session, "q", "MemoryReadKeyVal", settings, `{}`); got != `{"_warning":"key not found"}` {
				t.Errorf("%s in session %q reads %s", settings, session, got)
			}
		}
	}
}

// TestT28_Memory: what is remembered is data.
func TestT28_Memory(t *testing.T) {
	t.Parallel()
	s := services(t)
	run(t, s, "one", "s", "r", "MemoryWriteKeyVal", `{"memoryName":"m","key":"k","value":"{{Value}}"}`, `{"Value":"{{KEY(canary)}} {{Key}} \"quoted\""}`)
	if got := run(t, s, "one", "s", "r", "MemoryReadKeyVal", `{"memoryName":"m","key":"k"}`, `{}`); got != `{"Value":"{{KEY(canary)}} {{Key}} \"quoted\""}` {
		t.Errorf("the text comes back as %s", got)
	}
}

func TestWriteObject(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{"Data":{"a":"A","n":5}}`: `{"Keys":["a","n"],"Count":2}`,
		`{"Data":"{\"s\":1}"}`:     `{"Keys":["s"],"Count":1}`,
		`{"Data":{}}`:              `{"Keys":[],"Count":0}`,
		`{"Data":"not json"}`:      `error: Invalid JSON data provided`,
		`{"Data":[1]}`:             `error: Data must be a valid JSON object`,
		`{}`:                       `error: Data must be a valid JSON object`,
	} {
		if got := run(t, services(t), "one", "s", "r", "MemoryWriteObject", `{"memoryName":"m"}`, data); got != want {
			t.Errorf("%s: got %s, want %s", data, got, want)
		}
	}
	if got := run(t, services(t), "one", "s", "r", "MemoryWriteObject", `{"memoryName":"m","scope":"ttl","ttl":10}`, `{}`); got != `"TTL" must be greater than or equal to 300` {
		t.Errorf("a short time: got %s", got)
	}
}

// TestTeamMemory: every agent of a team may replace and forget what one of them remembers; without a team there is none.
func TestTeamMemory(t *testing.T) {
	t.Parallel()
	s := services(t)
	const key, write = `{"memoryName":"m","key":"k"}`, `{"memoryName":"m","key":"k","value":"{{v}}","scope":"team"}`
	run(t, s, "one", "s1", "r1", "MemoryWriteKeyVal", write, `{"v":"by one"}`)
	if got := run(t, s, "two", "s2", "r2", "MemoryWriteKeyVal", write, `{"v":"by two"}`); got != `{"Key":"k"}` {
		t.Errorf("another agent of the team wrote: %s", got)
	}
	if got := run(t, s, "one", "s3", "r3", "MemoryReadKeyVal", key, `{}`); got != `{"Value":"by two"}` {
		t.Errorf("the first agent reads %s, want what the second wrote", got)
	}
	if got := run(t, s, "two", "s3", "r3", "MemoryDeleteKeyVal", key, `{}`); got != `{"Key":"k","deleted":true}` {
		t.Errorf("the second agent forgets: %s", got)
	}
	call := &component.Call{Scope: scope.New(s, access.Public()), Agent: &component.Agent{ID: "stray"}}
	if err := remember(t.Context(), call, "m", scopeTeam, "k", "v", 0); err == nil {
		t.Error("an agent without a team remembered something for a team")
	}
}
