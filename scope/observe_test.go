package scope

import (
	"net/http"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/router"
	"github.com/sre-go/sre/subsystem/observe/logsink"
	"github.com/sre-go/sre/subsystem/security/account"
)

// A scope without services writes no record and mounts nothing, and says so instead of panicking.
func TestObserve_ZeroScope(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]Scope{"zero": {}, "empty services": New(connector.NewServices(), access.Candidate{})} {
		_, log := s.Log().Log(t.Context(), logsink.Record{})
		_, mount := s.Router().Mount(t.Context(), "hook", http.NotFoundHandler())
		for what, err := range map[string]error{"Log().Log": log, "Router().Mount": mount} {
			if !fault.Is(err, fault.Unsupported) {
				t.Errorf("%s: %s = %v, want UNSUPPORTED", name, what, err)
			}
		}
	}
}

// The handles act for the candidate of the scope.
func TestObserve_Candidate(t *testing.T) {
	t.Parallel()
	env := connector.Env{Effects: effect.System{}, Events: new(event.Bus), Services: connector.NewServices()}
	for _, kind := range []connector.AnyKind{account.Kind, router.Kind, logsink.Kind} {
		svc, err := connector.Build(kind, env, "", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		env.Services.Put(kind, svc)
	}
	agent, err := access.Agent("a")
	if err != nil {
		t.Fatal(err)
	}
	s := New(env.Services, agent)
	for what, got := range map[string]access.Candidate{"Log": s.Log().Candidate(), "Router": s.Router().Candidate()} {
		if got != agent {
			t.Errorf("%s() acts for %v, want %v", what, got, agent)
		}
	}
}
