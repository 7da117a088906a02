package nkv

import (
	"context"
	"iter"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// broken is a connector that cannot do anything.
type broken struct{ err error }

func (b broken) Get(context.Context, access.Grant[access.Read]) (value.Value, error) {
	return value.Of("half"), b.err
}

func (b broken) Set(context.Context, access.Grant[access.Write], value.Value) error { return b.err }

func (b broken) Delete(context.Context, access.Grant[access.Write]) error { return b.err }

func (b broken) DeleteAll(context.Context, access.Grant[access.Write]) error { return b.err }

func (b broken) List(context.Context, access.Grant[access.Read], string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		if yield(Item{Key: "half"}, nil) {
			yield(Item{}, b.err)
		}
	}
}

type oneTeam struct{}

func (oneTeam) TeamOf(context.Context, access.Candidate) (string, error) { return "t", nil }

func agent(t *testing.T) access.Candidate {
	t.Helper()
	c, err := access.Agent("agent-a")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func try(t *testing.T, h *Handle) map[string]error {
	ctx := t.Context()
	_, _, get := h.Get(ctx, "ns", "k")
	_, exists := h.Exists(ctx, "ns", "k")
	_, list := h.List(ctx, "ns", Page{})
	return map[string]error{
		"get": get, "exists": exists, "list": list, "set": h.Set(ctx, "ns", "k", value.Of("x")),
		"delete": h.Delete(ctx, "ns", "k"), "delete-all": h.DeleteAll(ctx, "ns"),
	}
}

// An error of a connector keeps its kind and says which operation and connector it arose in.
func TestErrors(t *testing.T) {
	t.Parallel()
	conn := broken{fault.Newf(fault.Unavailable, "the server is gone")}
	s := New(connector.Env{}, connector.Instances[Connector]{Default: "x", ByID: map[string]Connector{"x": conn}}, oneTeam{})
	for op, err := range try(t, s.For(agent(t))) {
		want := "nkv." + op + ` (x) "ns": the server is gone`
		if !fault.Is(err, fault.Unavailable) || err.Error() != want {
			t.Errorf("%s = %v, want UNAVAILABLE: %s", op, err, want)
		}
	}
	if v, ok, err := s.For(agent(t)).Get(t.Context(), "ns", "k"); ok || err == nil {
		t.Errorf("Get = %s, %v, %v, want nothing", v.JSON(), ok, err)
	}
}

// Without a connector everything is refused with a hint; without a directory everybody is refused.
func TestNothingConfigured(t *testing.T) {
	t.Parallel()
	var none *Service
	empty := New(connector.Env{}, connector.Instances[Connector]{}, oneTeam{})
	for name, h := range map[string]*Handle{"nil": none.For(agent(t)), "empty": empty.For(agent(t))} {
		for op, err := range try(t, h) {
			if !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "configure a connector for NKV") {
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
	lonely := New(connector.Env{}, connector.Instances[Connector]{Default: "x", ByID: map[string]Connector{"x": broken{}}}, nil)
	for op, err := range try(t, lonely.For(agent(t))) {
		if !fault.Is(err, fault.Denied) {
			t.Errorf("without a directory %s = %v, want ACCESS_DENIED", op, err)
		}
	}
}

// Every address is written differently and read back as it was.
func FuzzAddress(f *testing.F) {
	f.Add("ns", "key", "ns/key", "")
	f.Add("a/b", "c", "a", "b/c")
	f.Add("%2F", "%25", "/", "%")
	team, err := access.Team("t")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, ns, key, ns2, key2 string) {
		a, b := Address{"t", ns, key}, Address{"t", ns2, key2}
		if (a == b) != (a.String() == b.String()) {
			t.Errorf("%+v and %+v are written %q and %q", a, b, a, b)
		}
		g, err := access.Authorize[access.Read](t.Context(), nil, "nkv.test", team, a.String(), access.OwnedBy(team))
		if err != nil {
			t.Fatal(err)
		}
		if got := At(g); got != a {
			t.Errorf("At(%q) = %+v, want %+v", a, got, a)
		}
	})
}
