package vault

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// oneTeam puts everybody into team t.
type oneTeam struct{}

func (oneTeam) AnswersFromMemory() {}

func (oneTeam) TeamOf(ctx context.Context, _ access.Candidate) (string, error) {
	return "t", context.Cause(ctx)
}

func (oneTeam) IsMember(context.Context, string, access.Candidate) (bool, error) { return true, nil }

func (oneTeam) Settings(context.Context, access.Grant[access.Read]) (value.Value, error) {
	return value.Value{}, nil
}

// scripted answers what a test tells it.
type scripted struct {
	acl    *access.ACL
	aclErr error
	get    error
	list   error
}

func (s *scripted) ACL(context.Context, string) (*access.ACL, error) { return s.acl, s.aclErr }

func (s *scripted) Get(_ context.Context, g access.Grant[access.Read]) (secret.Value, error) {
	return secret.New(g.Resource()), s.get
}

func (s *scripted) List(_ context.Context, g access.Grant[access.Read]) ([]string, error) {
	return []string{g.Resource()}, s.list
}

func serve(t testing.TB, denied *int, conns ...connector.Opened) *Service {
	t.Helper()
	env := connector.Env{Effects: effect.System{}, Events: new(event.Bus), Services: connector.NewServices(), Record: func(context.Context, access.Decision) error { return nil }}
	event.On(env.Events, func(context.Context, access.Decision) { *denied++ })
	accounts, err := connector.Build(account.Kind, env, "", []connector.Opened{{ID: "a", Connector: oneTeam{}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	env.Services.Put(account.Kind, accounts)
	svc, err := connector.Build(Kind, env, "", conns, nil)
	if err != nil {
		t.Fatal(err)
	}
	return svc.(*Service)
}

func agent(t testing.TB) access.Candidate {
	t.Helper()
	c, err := access.Agent("a")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ownedByTeam(t testing.TB) *access.ACL {
	t.Helper()
	team, err := access.Team("t")
	if err != nil {
		t.Fatal(err)
	}
	return access.NewACL().With(team, access.RightRead)
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ team, key string }{{"t", "k"}, {"t", ""}, {"t", "a/b"}, {"t", "../x/k"}, {"t", "/"}} {
		if team, key := Split(Resource(tt.team, tt.key)); team != tt.team || key != tt.key {
			t.Errorf("Split(Resource(%q, %q)) = %q, %q", tt.team, tt.key, team, key)
		}
	}
}

func TestHandle_Outcomes(t *testing.T) {
	t.Parallel()
	team := ownedByTeam(t)
	other, err := access.User("other")
	if err != nil {
		t.Fatal(err)
	}
	boom := fault.Newf(fault.Unavailable, "boom")
	tests := []struct {
		name       string
		conn       scripted
		get, exist fault.Kind
		found      bool
		records    int // of Get and Exists together
	}{
		{"there", scripted{acl: team}, 0, 0, true, 0},
		{"not there", scripted{}, fault.Denied, 0, false, 1},
		{"empty ACL", scripted{acl: access.NewACL()}, fault.Denied, 0, false, 1},
		{"somebody else's", scripted{acl: access.OwnedBy(other)}, fault.Denied, 0, false, 2},
		{"ACL cannot be read", scripted{acl: team, aclErr: boom}, fault.Unavailable, fault.Unavailable, false, 0},
		{"gone since the check", scripted{acl: team, get: fault.Newf(fault.NotFound, "gone")}, fault.Denied, 0, false, 1},
		{"refused by the store", scripted{acl: team, get: fault.Newf(fault.Denied, "role lacks read on t/k")}, fault.Denied, 0, false, 1},
		{"store is down", scripted{acl: team, get: boom}, fault.Unavailable, fault.Unavailable, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			records := 0
			h := serve(t, &records, connector.Opened{ID: "conn", Connector: &tt.conn}).For(agent(t))
			got, err := h.Get(t.Context(), "k")
			if tt.found {
				if err != nil || got.Reveal() != "t/k" {
					t.Errorf("Get = %q, %v, want the secret of t/k", got.Reveal(), err)
				}
			} else if !fault.Is(err, tt.get) || !got.IsZero() {
				t.Errorf("Get = %q, %v, want nothing and kind %v", got.Reveal(), err, tt.get)
			}
			if tt.get == fault.Denied && strings.Contains(err.Error(), "role lacks") {
				t.Errorf("Get: %v tells refusals apart", err)
			}
			if tt.get == fault.Unavailable && !strings.HasPrefix(err.Error(), `vault.get (conn) "k": `) {
				t.Errorf("Get: %v, want operation, connector and key", err)
			}
			exists, err := h.Exists(t.Context(), "k")
			if exists != tt.found || (err != nil) != (tt.exist != 0) || (err != nil && !fault.Is(err, tt.exist)) {
				t.Errorf("Exists = %v, %v, want %v or kind %v", exists, err, tt.found, tt.exist)
			}
			if records != tt.records {
				t.Errorf("%d records, want %d", records, tt.records)
			}
		})
	}
}

func TestHandle_List(t *testing.T) {
	t.Parallel()
	records := 0
	conn := &scripted{acl: ownedByTeam(t)}
	h := serve(t, &records, connector.Opened{ID: "conn", Connector: conn}).For(agent(t))
	if got, err := h.List(t.Context()); err != nil || len(got) != 1 || got[0] != "t/" {
		t.Errorf("List = %q, %v, want that of the team", got, err)
	}
	conn.list = errors.New("boom")
	if got, err := h.List(t.Context()); !fault.Is(err, fault.Internal) || got != nil {
		t.Errorf("List = %q, %v, want kind %v", got, err, fault.Internal)
	}
	conn.acl = nil
	if got, err := h.List(t.Context()); !fault.Is(err, fault.Denied) || records != 1 {
		t.Errorf("List = %q, %v and %d records, want kind %v and 1", got, err, records, fault.Denied)
	}
}

// Who went away was not refused.
func TestHandle_Canceled(t *testing.T) {
	t.Parallel()
	records := 0
	h := serve(t, &records, connector.Opened{ID: "conn", Connector: &scripted{acl: ownedByTeam(t)}}).For(agent(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Get(ctx, "k"); !fault.Is(err, fault.Canceled) || records != 0 {
		t.Errorf("Get = %v and %d records, want kind %v and none", err, records, fault.Canceled)
	}
}

func TestService_OnAndNothing(t *testing.T) {
	t.Parallel()
	records := 0
	svc := serve(t, &records, connector.Opened{ID: "one", Connector: &scripted{}}, connector.Opened{ID: "two", Connector: &scripted{acl: ownedByTeam(t)}})
	two, err := svc.On("two")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := two.For(agent(t)).Get(t.Context(), "k"); err != nil {
		t.Errorf("Get on two: %v", err)
	}
	if got, err := svc.On("three"); !fault.Is(err, fault.NotFound) {
		t.Errorf("On(three) = %v, %v, want kind %v", got, err, fault.NotFound)
	}
	for name, svc := range map[string]*Service{"nil": nil, "no connector": serve(t, &records)} {
		h := svc.For(agent(t))
		_, getErr := h.Get(t.Context(), "k")
		_, existsErr := h.Exists(t.Context(), "k")
		_, listErr := h.List(t.Context())
		for op, err := range map[string]error{"Get": getErr, "Exists": existsErr, "List": listErr} {
			if !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "configure") {
				t.Errorf("%s: %s: %v, want kind %v and what to do", name, op, err, fault.Unsupported)
			}
		}
		if _, err := svc.On("one"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: On: %v, want kind %v", name, err, fault.NotFound)
		}
	}
	if _, err := connector.Build(Kind, connector.Env{}, "", nil, nil); !fault.Is(err, fault.Internal) {
		t.Errorf("built without accounts: %v, want kind %v", err, fault.Internal)
	}
}

func BenchmarkGet(b *testing.B) {
	records := 0
	h := serve(b, &records, connector.Opened{ID: "conn", Connector: &scripted{acl: ownedByTeam(b)}}).For(agent(b))
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Get(ctx, "k"); err != nil {
			b.Fatal(err)
		}
	}
}

func TestF19_NoAuditNoSecret(t *testing.T) {
	t.Parallel()
	for name, record := range map[string]func(context.Context, access.Decision) error{
		"none":   nil,
		"broken": func(context.Context, access.Decision) error { return errors.New("disk full") },
	} {
		denied := 0
		svc := serve(t, &denied, connector.Opened{ID: "v", Connector: &scripted{acl: access.OwnedBy(agent(t))}})
		svc.env.Record = record
		got, err := svc.For(agent(t)).Get(t.Context(), "k")
		var e *fault.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), "audit") || !got.IsZero() {
			t.Errorf("%s: Get = %q, %v, want no secret without an audit", name, got.Reveal(), err)
		}
	}
}
