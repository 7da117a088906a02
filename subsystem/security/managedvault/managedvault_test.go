package managedvault

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/account"
)

// oneTeam puts everybody into team t.
type oneTeam struct{ account.Connector }

func (oneTeam) AnswersFromMemory() {}

func (oneTeam) TeamOf(ctx context.Context, _ access.Candidate) (string, error) {
	return "t", context.Cause(ctx)
}

// broken is a connector that cannot do anything.
type broken struct{ acl error }

func (b broken) ACL(context.Context, string) (*access.ACL, error) {
	team, err := access.Team("t")
	if err == nil {
		err = b.acl
	}
	return access.OwnedBy(team), err
}

func (broken) Get(context.Context, access.Grant[access.Read]) (secret.Value, error) {
	return secret.Value{}, down()
}
func (broken) Set(context.Context, access.Grant[access.Write], secret.Value) error { return down() }
func (broken) Delete(context.Context, access.Grant[access.Write]) error            { return down() }

func down() error { return fault.Newf(fault.Unavailable, "the disk is away") }

func serve(t *testing.T, conns ...connector.Opened) *Service {
	t.Helper()
	env := connector.Env{Services: connector.NewServices(), Record: func(context.Context, access.Decision) error { return nil }}
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

func try(ctx context.Context, t *testing.T, s *Service) map[string]error {
	t.Helper()
	c, err := access.Agent("a")
	if err != nil {
		t.Fatal(err)
	}
	h := s.For(c)
	_, get := h.Get(ctx, "k")
	_, exists := h.Exists(ctx, "k")
	return map[string]error{"get": get, "exists": exists, "set": h.Set(ctx, "k", secret.New("v")), "delete": h.Delete(ctx, "k")}
}

func TestHandle_Failures(t *testing.T) {
	t.Parallel()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name string
		ctx  context.Context
		s    *Service
		want fault.Kind
		text string
	}{
		{"nil service", t.Context(), nil, fault.Unsupported, "configure a connector for ManagedVault"},
		{"nothing configured", t.Context(), serve(t), fault.Unsupported, "configure a connector for ManagedVault"},
		{"store is down", t.Context(), serve(t, connector.Opened{ID: "x", Connector: broken{}}), fault.Unavailable, `(x) "k": the disk is away`},
		{"rights cannot be read", t.Context(), serve(t, connector.Opened{ID: "x", Connector: broken{acl: down()}}), fault.Unavailable, "the disk is away"},
		{"caller went away", gone, serve(t, connector.Opened{ID: "x", Connector: broken{}}), fault.Canceled, "canceled"},
	}
	for _, tt := range tests {
		for op, err := range try(tt.ctx, t, tt.s) {
			if !fault.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%s: %s = %v, want kind %v and %q", tt.name, op, err, tt.want, tt.text)
			}
		}
	}
}

func TestService_On(t *testing.T) {
	t.Parallel()
	s := serve(t, connector.Opened{ID: "one", Connector: broken{}}, connector.Opened{ID: "two", Connector: broken{}})
	if two, err := s.On("two"); err != nil || two.id != "two" {
		t.Errorf("On(two) = %v, %v", two, err)
	}
	for name, s := range map[string]*Service{"some": s, "nil": nil} {
		if _, err := s.On("three"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: On(three) = %v, want kind %v", name, err, fault.NotFound)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := connector.Build(Kind, connector.Env{}, "", nil, nil); !fault.Is(err, fault.Internal) {
		t.Errorf("built without accounts: %v, want kind %v", err, fault.Internal)
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ team, key string }{{"t", "k"}, {"t", "a/b"}, {"t", "../x/k"}} {
		if team, key := Split(Resource(tt.team, tt.key)); team != tt.team || key != tt.key {
			t.Errorf("Split(Resource(%q, %q)) = %q, %q", tt.team, tt.key, team, key)
		}
	}
}

// memory is a connector that keeps one entry.
type memory struct {
	broken
	mu    sync.Mutex
	entry secret.Value
	full  bool
}

func (m *memory) Get(context.Context, access.Grant[access.Read]) (secret.Value, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.entry.IsZero() {
		return m.entry, fault.Newf(fault.NotFound, "nothing")
	}
	return m.entry, nil
}

func (m *memory) Set(_ context.Context, _ access.Grant[access.Write], v secret.Value) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full {
		return down()
	}
	m.entry = v
	return nil
}

// TestHandle_RenewOnce: callers at the same time share one renewal; one who goes away is replaced.
func TestHandle_RenewOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, err := access.Agent("a")
		if err != nil {
			t.Fatal(err)
		}
		h := serve(t, connector.Opened{ID: "x", Connector: &memory{}}).For(c)
		var calls atomic.Int32
		slow := func(ctx context.Context, entry secret.Value) (secret.Value, error) {
			calls.Add(1)
			select {
			case <-time.After(time.Second):
				return secret.New(entry.Reveal() + "x"), nil
			case <-ctx.Done():
				return secret.Value{}, ctx.Err()
			}
		}
		hasty, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := h.Renew(hasty, "k", slow); !fault.Is(err, fault.Canceled) {
				t.Errorf("Renew by the one who goes away = %v, want kind %v", err, fault.Canceled)
			}
		})
		synctest.Wait()
		for range 8 {
			group.Go(func() {
				if got, err := h.Renew(t.Context(), "k", slow); err != nil || got.Reveal() != "x" {
					t.Errorf("Renew = %q, %v, want that of one renewal", got.Reveal(), err)
				}
			})
		}
		waiting, leave := context.WithCancel(t.Context())
		group.Go(func() {
			if _, err := h.Renew(waiting, "k", slow); !fault.Is(err, fault.Canceled) {
				t.Errorf("Renew by one who stops waiting = %v", err)
			}
		})
		synctest.Wait()
		leave()
		synctest.Wait()
		cancel()
		group.Wait()
		if n := calls.Load(); n != 2 {
			t.Errorf("%d renewals, want one that was given up and one for all", n)
		}
	})
}

// TestHandle_RenewNotStored: what a service has given out comes back even when it cannot be kept.
func TestHandle_RenewNotStored(t *testing.T) {
	t.Parallel()
	c, err := access.Agent("a")
	if err != nil {
		t.Fatal(err)
	}
	h := serve(t, connector.Opened{ID: "x", Connector: &memory{full: true}}).For(c)
	got, err := h.Renew(t.Context(), "k", func(context.Context, secret.Value) (secret.Value, error) { return secret.New("new"), nil })
	if !fault.Is(err, fault.Unavailable) || got.Reveal() != "new" {
		t.Errorf("Renew = %q, %v, want the entry and kind %v", got.Reveal(), err, fault.Unavailable)
	}
	for range 2 { // a panic lets the next one in
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_, _ = h.Renew(t.Context(), "k", func(context.Context, secret.Value) (secret.Value, error) { panic("bug") })
		}()
	}
}
