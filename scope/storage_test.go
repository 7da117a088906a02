package scope

import (
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/subsystem/security/account"
)

// A scope without services reaches no file, no value and no key, and says so instead of panicking.
func TestStorage_ZeroScope(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]Scope{"zero": {}, "empty services": New(connector.NewServices(), access.Candidate{})} {
		_, read := s.Storage().Read(t.Context(), "x")
		_, _, get := s.Cache().Get(t.Context(), "x")
		_, _, value := s.NKV().Get(t.Context(), "x", "y")
		for what, err := range map[string]error{"Storage().Read": read, "Cache().Get": get, "NKV().Get": value} {
			if !fault.Is(err, fault.Unsupported) {
				t.Errorf("%s: %s = %v, want UNSUPPORTED", name, what, err)
			}
		}
	}
}

// The services are built over the accounts, and their handles act for the candidate of the scope.
func TestStorage_Candidate(t *testing.T) {
	t.Parallel()
	env := connector.Env{Effects: effect.System{}, Events: new(event.Bus), Services: connector.NewServices()}
	for _, kind := range []connector.AnyKind{account.Kind, storage.Kind, cache.Kind, nkv.Kind} {
		svc, err := connector.Build(kind, env, "", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		env.Services.Put(kind, svc)
	}
	user, err := access.User("u")
	if err != nil {
		t.Fatal(err)
	}
	s := New(env.Services, user)
	for what, got := range map[string]access.Candidate{"Storage": s.Storage().Candidate(), "Cache": s.Cache().Candidate(), "NKV": s.NKV().Candidate()} {
		if got != user {
			t.Errorf("%s() acts for %v, want %v", what, got, user)
		}
	}
}
