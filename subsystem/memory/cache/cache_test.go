package cache

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// scripted is a connector that answers what a test says.
type scripted struct {
	rule func() (Ruling, error)
	get  func(generation string) (Entry, error)
}

func (s *scripted) Rule(context.Context, string) (Ruling, error) { return s.rule() }

func (s *scripted) Get(_ context.Context, _ access.Grant[access.Read], generation string) (Entry, error) {
	return s.get(generation)
}

func (s *scripted) Set(context.Context, access.Grant[access.Write], string, Record) error {
	return Changed()
}

func (s *scripted) Amend(context.Context, access.Grant[access.Write], string, Change) error {
	return nil
}

func (s *scripted) Delete(context.Context, access.Grant[access.Write], string) error { return nil }

func (s *scripted) SetACL(context.Context, access.Grant[access.Owner], string, *access.ACL) error {
	return nil
}

func handle(t testing.TB, conn Connector) (*Handle, *int) {
	t.Helper()
	c, err := access.Agent("agent-a")
	if err != nil {
		t.Fatal(err)
	}
	denied := new(int)
	env := connector.Env{Effects: effect.System{}, Events: &event.Bus{}}
	t.Cleanup(event.On(env.Events, func(context.Context, access.Decision) { *denied++ }))
	return New(env, connector.Instances[Connector]{Default: "x", ByID: map[string]Connector{"x": conn}}, nil).For(c), denied
}

// An entry that is replaced between the decision and the act is decided about again, a bounded number of times.
func TestConflictIsDecidedAgain(t *testing.T) {
	t.Parallel()
	conn := &scripted{}
	h, denied := handle(t, conn)
	asked := 0
	mine := access.OwnedBy(h.Candidate())
	conn.rule = func() (Ruling, error) {
		asked++
		return Ruling{ACL: mine, Generation: strings.Repeat("g", asked)}, nil
	}
	conn.get = func(generation string) (Entry, error) {
		if len(generation) < 3 {
			return Entry{}, Changed()
		}
		return Entry{Value: value.Of("third")}, nil
	}
	if got, ok, err := h.Get(t.Context(), "k"); err != nil || !ok || got.Plain() != "third" || asked != 3 {
		t.Errorf("Get = %s, %v, %v after %d decisions, want %q after 3", got.JSON(), ok, err, asked, "third")
	}
	asked = 0
	if err := h.Set(t.Context(), "k", value.Of("x"), Options{}); !fault.Is(err, fault.Conflict) || asked != maxTries {
		t.Errorf("Set = %v after %d decisions, want CONFLICT after %d", err, asked, maxTries)
	}
	// The new entry belongs to another: the second decision refuses.
	asked = 0
	conn.rule = func() (Ruling, error) {
		if asked++; asked == 1 {
			return Ruling{ACL: mine, Generation: "mine"}, nil
		}
		return Ruling{ACL: access.NewACL(), Generation: "not mine"}, nil
	}
	conn.get = func(string) (Entry, error) { return Entry{}, Changed() }
	if _, _, err := h.Get(t.Context(), "k"); !fault.Is(err, fault.Denied) || *denied != 1 {
		t.Errorf("Get = %v with %d records, want ACCESS_DENIED with one", err, *denied)
	}
}

// An ACL that cannot be had denies, whatever the reason, or says that it could not be decided.
func TestT14_NoDecisionNoAccess(t *testing.T) {
	t.Parallel()
	conn := &scripted{get: func(string) (Entry, error) { return Entry{Value: value.Of("secret")}, nil }}
	h, denied := handle(t, conn)
	for name, c := range map[string]struct {
		ruling Ruling
		err    error
		want   fault.Kind
	}{
		"damaged":      {Ruling{}, Damaged("bits"), fault.Denied},
		"no ACL":       {Ruling{Generation: "g"}, nil, fault.Denied},
		"empty ACL":    {Ruling{ACL: access.NewACL(), Generation: "g"}, nil, fault.Denied},
		"server gone":  {Ruling{}, fault.Newf(fault.Unavailable, "gone"), fault.Unavailable},
		"unclassified": {Ruling{}, errors.New("what"), fault.Internal},
	} {
		*denied = 0
		conn.rule = func() (Ruling, error) { return c.ruling, c.err }
		if got, ok, err := h.Get(t.Context(), "k"); !fault.Is(err, c.want) || ok || !got.IsAbsent() {
			t.Errorf("%s: Get = %s, %v, %v, want %v", name, got.JSON(), ok, err, c.want)
		}
		if got := *denied == 1; got != (c.want == fault.Denied) {
			t.Errorf("%s: %d audit records", name, *denied)
		}
	}
}

// Without a connector everything is refused with a hint, and nothing panics.
func TestNoConnector(t *testing.T) {
	t.Parallel()
	c, err := access.Agent("agent-a")
	if err != nil {
		t.Fatal(err)
	}
	var none *Service
	empty := New(connector.Env{}, connector.Instances[Connector]{}, nil)
	for name, h := range map[string]*Handle{"nil": none.For(c), "empty": empty.For(c)} {
		ctx := t.Context()
		_, _, get := h.Get(ctx, "k")
		_, _, ttl := h.TTL(ctx, "k")
		_, exists := h.Exists(ctx, "k")
		for op, err := range map[string]error{
			"get": get, "ttl": ttl, "exists": exists, "set": h.Set(ctx, "k", value.Of("x"), Options{TTL: time.Second}), "delete": h.Delete(ctx, "k"),
			"update-ttl": h.UpdateTTL(ctx, "k", time.Second), "metadata": h.SetMetadata(ctx, "k", value.Obj()), "acl": h.SetACL(ctx, "k", nil),
		} {
			if !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "configure a connector for Cache") {
				t.Errorf("%s service: %s = %v, want UNSUPPORTED with a hint", name, op, err)
			}
		}
	}
	if _, err := none.On("x"); !fault.Is(err, fault.NotFound) {
		t.Errorf("On = %v, want NOT_FOUND", err)
	}
	if err := empty.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// BenchmarkGuard measures what the guard adds to a call: the key is checked and the ACL decides.
func BenchmarkGuard(b *testing.B) {
	conn := &scripted{get: func(string) (Entry, error) { return Entry{Value: value.Of("x")}, nil }}
	h, _ := handle(b, conn)
	ruling := Ruling{ACL: access.OwnedBy(h.Candidate()), Generation: "g"}
	conn.rule = func() (Ruling, error) { return ruling, nil }
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := h.Get(ctx, "agent-a:session:memory:key"); err != nil {
			b.Fatal(err)
		}
	}
}
