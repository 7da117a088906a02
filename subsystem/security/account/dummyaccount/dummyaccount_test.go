package dummyaccount_test

import (
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/security/account/accounttest"
	"github.com/sre-go/sre/subsystem/security/account/dummyaccount"
	"github.com/sre-go/sre/value"
)

func prepared(t *testing.T, _ string) value.Value {
	t.Helper()
	data, err := value.Parse(accounttest.Data)
	if err != nil {
		t.Fatal(err)
	}
	return value.Obj(value.M("data", data))
}

func TestSuite(t *testing.T) {
	t.Parallel()
	accounttest.Run(t, dummyaccount.Definition, accounttest.Subject{Prepare: prepared, Stranger: "default"})
}

func TestWithoutSettings(t *testing.T) {
	t.Parallel()
	svc := accounttest.Open(t, dummyaccount.Definition, accounttest.Subject{
		Prepare: func(*testing.T, string) value.Value { return value.Value{} },
	}, nil)
	agent, err := access.Agent("any")
	if err != nil {
		t.Fatal(err)
	}
	h := svc.For(agent)
	if team, err := h.Team(t.Context()); err != nil || team != "default" {
		t.Errorf("team = %q, %v, want default", team, err)
	}
	if member, err := h.IsMember(t.Context(), "default"); err != nil || !member {
		t.Errorf("member of default = %v, %v, want true", member, err)
	}
	if member, err := h.IsMember(t.Context(), "another"); err != nil || member {
		t.Errorf("member of another = %v, %v, want false", member, err)
	}
}

func TestOpen_Refuses(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]string{
		"team":   `{"team": "a b"}`,
		"roster": `{"data": {"team-a": {"users": {"a b": {}}}}}`,
		"list":   `{"data": []}`,
		"name":   `{"tem": "x"}`,
	} {
		v, err := value.Parse(settings)
		if err != nil {
			t.Fatal(err)
		}
		if conn, err := dummyaccount.Definition.Open(t.Context(), connector.Env{}, v); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: Open(%s) = %v, %v, want kind %v", name, settings, conn, err, fault.Invalid)
		}
	}
}
