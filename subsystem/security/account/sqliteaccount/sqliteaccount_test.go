package sqliteaccount

import (
	"context"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/subsystem/security/account/accounttest"
	"github.com/sre-go/sre/value"
)

func env(dir string) connector.Env {
	return connector.Env{
		Dir: dir, Effects: effect.System{}, Events: new(event.Bus),
		Record: func(context.Context, access.Decision) error { return nil },
	}
}

// opened is a connector with the service over it, closed when the test ends.
func opened(t testing.TB, dir string) (*accounts, *account.Service) {
	t.Helper()
	conn, err := Definition.Open(t.Context(), env(dir), value.Value{})
	if err != nil {
		t.Fatal(err)
	}
	svc, err := connector.Build(account.Kind, env(dir), "", []connector.Opened{{ID: "a", Connector: conn}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := conn.(*accounts)
	t.Cleanup(func() {
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return a, svc.(*account.Service)
}

func candidate(t testing.TB, text string) access.Candidate {
	t.Helper()
	c, err := access.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fill puts the data of the suite into the database of a folder.
func fill(t testing.TB, svc *account.Service) {
	t.Helper()
	data, err := value.Parse(accounttest.Data)
	if err != nil {
		t.Fatal(err)
	}
	roster, err := account.ParseRoster(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range roster.Teams() {
		team := candidate(t, "team:"+id)
		if err := svc.For(team).PutTeam(t.Context(), roster.Settings(team)); err != nil {
			t.Fatal(err)
		}
		if err := svc.For(team).PutMembers(t.Context(), roster.Members(id)...); err != nil {
			t.Fatal(err)
		}
	}
}

func prepared(t *testing.T, dir string) value.Value {
	t.Helper()
	a, svc := opened(t, dir)
	fill(t, svc)
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return value.Value{}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	accounttest.Run(t, Definition, accounttest.Subject{Prepare: prepared})
}
