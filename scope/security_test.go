package scope

import (
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/subsystem/security/vault"
)

// A scope without services reaches nothing, and says so instead of panicking.
func TestSecurity_ZeroScope(t *testing.T) {
	t.Parallel()
	agent, err := access.Agent("a")
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]Scope{"zero": {}, "no services": New(nil, agent), "empty services": New(connector.NewServices(), agent)} {
		if team, err := s.Account().Team(t.Context()); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: Account().Team = %q, %v, want kind %v", name, team, err, fault.Unsupported)
		}
		if v, err := s.Vault().Get(t.Context(), "k"); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: Vault().Get = %q, %v, want kind %v", name, v.Reveal(), err, fault.Unsupported)
		}
	}
}

// The handles act for the candidate of the scope and for nobody else.
func TestSecurity_Candidate(t *testing.T) {
	t.Parallel()
	env := connector.Env{Effects: effect.System{}, Events: new(event.Bus), Services: connector.NewServices()}
	for _, kind := range []connector.AnyKind{account.Kind, vault.Kind} {
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
	if got := s.Account().Candidate(); got != user {
		t.Errorf("Account() acts for %v, want %v", got, user)
	}
	if got := s.Vault().Candidate(); got != user {
		t.Errorf("Vault() acts for %v, want %v", got, user)
	}
}
