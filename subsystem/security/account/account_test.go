package account

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// remote is a connector whose answers come from afar: they are cached.
type remote struct {
	team  atomic.Pointer[any] // a string or an error
	asked atomic.Int64
	slow  time.Duration
	opts  value.Value
}

func (r *remote) TeamOf(ctx context.Context, _ access.Candidate) (string, error) {
	r.asked.Add(1)
	answer := *r.team.Load()
	if err := (effect.System{}).Sleep(ctx, r.slow); err != nil {
		return "", err
	}
	if err, ok := answer.(error); ok {
		return "", err
	}
	return answer.(string), nil
}

func (r *remote) IsMember(ctx context.Context, team string, c access.Candidate) (bool, error) {
	own, err := r.TeamOf(ctx, c)
	return own == team, err
}

func (r *remote) Settings(context.Context, access.Grant[access.Read]) (value.Value, error) {
	return r.opts, nil
}

// local is the same without a cache.
type local struct{ *remote }

func (local) AnswersFromMemory() {}

func newRemote(answer any) *remote {
	r := &remote{}
	r.answer(answer)
	return r
}

func (r *remote) answer(a any) { r.team.Store(&a) }

func serve(t testing.TB, conns ...connector.Opened) *Service {
	t.Helper()
	env := connector.Env{Effects: effect.System{}, Events: new(event.Bus)}
	svc, err := connector.Build(Kind, env, "", conns, nil)
	if err != nil {
		t.Fatal(err)
	}
	return svc.(*Service)
}

func agent(t testing.TB, id string) access.Candidate {
	t.Helper()
	c, err := access.Agent(id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func pass(t *testing.T, d time.Duration) {
	t.Helper()
	if err := (effect.System{}).Sleep(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func wantTeam(t *testing.T, svc *Service, c access.Candidate, want string) {
	t.Helper()
	if got, err := svc.TeamOf(t.Context(), c); err != nil || got != want {
		t.Errorf("TeamOf(%v) = %q, %v, want %q", c, got, err, want)
	}
}

// A remembered membership is never older than a second, counted from before the question was sent.
func TestT23_CachedDecisionAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, a := newRemote("x"), agent(t, "a")
		r.slow = 300 * time.Millisecond
		svc := serve(t, connector.Opened{ID: "remote", Connector: r})
		wantTeam(t, svc, a, "x") // answered at 300 ms
		r.answer("y")
		pass(t, 699*time.Millisecond)
		wantTeam(t, svc, a, "x")
		if got := r.asked.Load(); got != 1 {
			t.Errorf("asked %d times within a second, want once", got)
		}
		pass(t, time.Millisecond)
		wantTeam(t, svc, a, "y")

		r.answer(fault.Newf(fault.NotFound, "left"))
		pass(t, time.Second)
		if _, err := svc.TeamOf(t.Context(), a); !fault.Is(err, fault.NotFound) {
			t.Errorf("after leaving: %v, want kind %v", err, fault.NotFound)
		}
		r.answer("z")
		wantTeam(t, svc, a, "z") // a refusal is not remembered
	})
}

func TestT23_LocalAnswersAreNotCached(t *testing.T) {
	t.Parallel()
	r, a := newRemote("x"), agent(t, "a")
	svc := serve(t, connector.Opened{ID: "local", Connector: local{r}})
	wantTeam(t, svc, a, "x")
	r.answer("y")
	wantTeam(t, svc, a, "y")
}

func TestCachedDirectory_Bounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newCachedDirectory(effect.System{}, connectorDirectory{newRemote("x")})
		ask := func(from, to int) {
			for i := from; i < to; i++ {
				if _, err := d.standing(t.Context(), agent(t, "a"+strconv.Itoa(i))); err != nil {
					t.Fatal(err)
				}
			}
		}
		ask(0, maxEntries)
		if got := len(d.entries); got != maxEntries {
			t.Errorf("%d entries, want %d", got, maxEntries)
		}
		ask(maxEntries, maxEntries+1)
		if got := len(d.entries); got != 1 {
			t.Errorf("%d entries after one too many fresh ones, want 1", got)
		}
		pass(t, maxAge)
		ask(0, maxEntries-1)
		pass(t, time.Millisecond)
		ask(maxEntries, maxEntries+2)
		if got := len(d.entries); got > maxEntries {
			t.Errorf("%d entries, want at most %d", got, maxEntries)
		}
	})
}

// What a connector answers is checked before anybody decides with it.
func TestT18_WrongAnswers(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]any{
		"empty": "", "two teams": "a,b", "bar": "a|b", "reserved": "constructor", "down": fault.Newf(fault.Unavailable, "down"),
		"unclassified": errors.New("boom"),
	} {
		for _, conn := range []Connector{newRemote(answer), local{newRemote(answer)}} {
			svc := serve(t, connector.Opened{ID: "c", Connector: conn})
			a := agent(t, "a")
			if team, err := svc.TeamOf(t.Context(), a); err == nil || team != "" {
				t.Errorf("%s: TeamOf = %q, %v, want an error", name, team, err)
			}
			team, err := access.Team("a")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := access.Authorize[access.Read](t.Context(), &access.Guard{Directory: svc}, "test.read", a, "r", access.OwnedBy(team)); !fault.Is(err, fault.Denied) {
				t.Errorf("%s: Authorize = %v, want kind %v", name, err, fault.Denied)
			}
		}
	}
}

func TestService_On(t *testing.T) {
	t.Parallel()
	svc := serve(t, connector.Opened{ID: "one", Connector: newRemote("x")}, connector.Opened{ID: "two", Connector: newRemote("y")})
	a := agent(t, "a")
	wantTeam(t, svc, a, "x")
	two, err := svc.On("two")
	if err != nil {
		t.Fatal(err)
	}
	wantTeam(t, two, a, "y")
	one, err := two.On("one")
	if err != nil || one != svc {
		t.Errorf("On(one) = %p, %v, want %p", one, err, svc)
	}
	if got, err := svc.On("three"); !fault.Is(err, fault.NotFound) {
		t.Errorf("On(three) = %v, %v, want kind %v", got, err, fault.NotFound)
	}
}

// Without a connector, and without a service, every operation is refused and says what to do.
func TestService_Nothing(t *testing.T) {
	t.Parallel()
	for name, svc := range map[string]*Service{"nil": nil, "no connector": serve(t)} {
		h := svc.For(agent(t, "a"))
		_, teamErr := h.Team(t.Context())
		_, memberErr := h.IsMember(t.Context(), "x")
		_, settingsErr := h.Settings(t.Context())
		_, teamSettingsErr := h.TeamSettings(t.Context())
		for op, err := range map[string]error{"Team": teamErr, "IsMember": memberErr, "Settings": settingsErr, "TeamSettings": teamSettingsErr} {
			if !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "configure") {
				t.Errorf("%s: %s: %v, want kind %v and what to do", name, op, err, fault.Unsupported)
			}
		}
		if _, err := svc.On("x"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: On: %v, want kind %v", name, err, fault.NotFound)
		}
	}
	if err := serve(t).Close(t.Context()); err != nil {
		t.Errorf("Close = %v, want nil", err)
	}
}

func TestHandle_SettingsShape(t *testing.T) {
	t.Parallel()
	r := newRemote("x")
	svc := serve(t, connector.Opened{ID: "conn", Connector: r})
	for _, tt := range []struct {
		name string
		opts value.Value
		want string
	}{{"absent", value.Value{}, "{}"}, {"null", value.NullValue(), "{}"}, {"object", value.Obj(value.M("a", value.OfInt(1))), `{"a":1}`}} {
		r.opts = tt.opts
		if got, err := svc.For(agent(t, "a")).Settings(t.Context()); err != nil || got.JSON() != tt.want {
			t.Errorf("%s: Settings = %s, %v, want %s", tt.name, got.JSON(), err, tt.want)
		}
	}
	r.opts = value.List()
	if got, err := svc.For(agent(t, "a")).Settings(t.Context()); !fault.Is(err, fault.Internal) || !strings.Contains(err.Error(), "(conn)") {
		t.Errorf("list: Settings = %s, %v, want kind %v that names the connector", got.JSON(), err, fault.Internal)
	}
}

func BenchmarkCachedTeamOf(b *testing.B) {
	svc, a := serve(b, connector.Opened{ID: "remote", Connector: newRemote("x")}), agent(b, "a")
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := svc.TeamOf(ctx, a); err != nil {
			b.Fatal(err)
		}
	}
}
