package functions

import (
	"context"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/subsystem/security/vault"
	"github.com/sre-go/sre/value"
)

// oneTeam puts everybody into the team default.
type oneTeam struct{ account.Connector }

func (oneTeam) TeamOf(context.Context, access.Candidate) (string, error) { return "default", nil }

func (oneTeam) AnswersFromMemory() {}

// shelf is a vault with the secrets of the team default.
type shelf map[string]string

func (s shelf) ACL(_ context.Context, resource string) (*access.ACL, error) {
	team, key := vault.Split(resource)
	if _, ok := s[key]; !ok || team != "default" {
		return nil, nil
	}
	owner, err := access.Team(team)
	return access.NewACL().With(owner, access.RightRead), err
}

func (s shelf) Get(_ context.Context, g access.Grant[access.Read]) (secret.Value, error) {
	_, key := vault.Split(g.Resource())
	return secret.New(s[key]), nil
}

func (s shelf) List(context.Context, access.Grant[access.Read]) ([]string, error) {
	return nil, fault.Newf(fault.Unsupported, "not to be called")
}

// withVault returns a scope over a vault.
func withVault(t *testing.T, secrets shelf) scope.Scope {
	t.Helper()
	services := connector.NewServices()
	env := connector.Env{Effects: effect.System{}, Events: new(event.Bus), Services: services, Record: func(context.Context, access.Decision) error { return nil }}
	accounts, err := connector.Build(account.Kind, env, "", []connector.Opened{{ID: "test", Connector: oneTeam{}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	services.Put(account.Kind, accounts)
	keys, err := connector.Build(vault.Kind, env, "", []connector.Opened{{ID: "test", Connector: secrets}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	services.Put(vault.Kind, keys)
	agent, err := access.Agent("signer")
	if err != nil {
		t.Fatal(err)
	}
	return scope.New(services, agent)
}

func TestKeyFromVault(t *testing.T) {
	t.Parallel()
	call := &component.Call{Scope: withVault(t, shelf{"SHARED_KEY": "shared-secret"}), KeepLog: true}
	r := recording{
		settings: `{"signMethod":"HMAC","hashType":"sha256","encoding":"hex","key":"{{KEY(SHARED_KEY)}}"}`, inputs: `{"Data":"hello"}`,
		want: `"dad60f181b1f0d72f63b2dff4e9aa1de277989cb1e08a8b0e64e43f774ac036e"`, // as recorded
	}
	r.check(t, "FSign", "Signature", call)
	if strings.Contains(call.LogText(), "shared-secret") {
		t.Errorf("the log shows the key: %q", call.LogText())
	}
}

// A key that cannot be had is an error; its name is not used for it.
func TestKeyMissingInVault(t *testing.T) {
	t.Parallel()
	settings := parse(t, `{"key":"{{KEY(nope)}}"}`)
	got, err := run(t, "FSign", settings, parse(t, `{"Data":"hello"}`), &component.Call{Scope: withVault(t, shelf{})})
	if !fault.Is(err, fault.Denied) {
		t.Errorf("Run() = %s, %v; want kind %v", got.JSON(), err, fault.Denied)
	}
	got, err = run(t, "FSign", settings, parse(t, `{"Data":"hello"}`), &component.Call{})
	if !fault.Is(err, fault.Unsupported) {
		t.Errorf("Run() without a vault = %s, %v; want kind %v", got.JSON(), err, fault.Unsupported)
	}
}

// TestT28_SecondExpansion: what arrives at an input never reads the vault, neither as the key nor within it.
func TestT28_SecondExpansion(t *testing.T) {
	t.Parallel()
	reference := value.Of("{{KEY(canary)}}")
	in := component.Input{Ports: []component.NodePort{{Name: "Key"}, {Name: "n"}}, Values: []value.Value{{}, reference}}
	call := &component.Call{Scope: withVault(t, shelf{"canary": "CANARY"})}
	author := secret.New("k-{{n}}")
	got, err := signingKey(t.Context(), call, &signSettings{Key: &author}, in)
	if want := "k-{{KEY(canary)}}"; err != nil || got.Reveal() != want {
		t.Errorf("key within the setting = %q, %v; want %q", got.Reveal(), err, want)
	}
	in.Values[0] = reference
	got, err = signingKey(t.Context(), call, &signSettings{Key: &author}, in)
	if want := "{{KEY(canary)}}"; err != nil || got.Reveal() != want {
		t.Errorf("key of the input = %q, %v; want %q", got.Reveal(), err, want)
	}
}
