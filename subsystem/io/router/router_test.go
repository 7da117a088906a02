package router

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
)

// broken is a connector that cannot do anything, with a base address.
type broken struct{ base string }

func (b broken) BaseURL() string { return b.base }

func (broken) Mount(context.Context, access.Grant[access.Owner], http.Handler) error {
	return fault.Newf(fault.Unavailable, "no more places")
}

func (broken) Unmount(context.Context, access.Grant[access.Owner]) error {
	return fault.Newf(fault.Unavailable, "no more places")
}

type oneTeam struct{ id string }

func (d oneTeam) TeamOf(context.Context, access.Candidate) (string, error) { return d.id, nil }

func agent(t *testing.T) access.Candidate {
	t.Helper()
	c, err := access.Agent("a1")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func over(conn Connector, d access.Directory) *Service {
	return New(connector.Env{}, connector.Instances[Connector]{Default: "x", ByID: map[string]Connector{"x": conn}}, d)
}

func try(t *testing.T, h *Handle) map[string]error {
	_, url := h.URL(t.Context(), "hook")
	_, mount := h.Mount(t.Context(), "hook", http.NotFoundHandler())
	_, base := h.Base(t.Context())
	return map[string]error{"router.base": base, "router.url": url, "router.mount": mount, "router.unmount": h.Unmount(t.Context(), "hook")}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for op, err := range try(t, over(broken{"http://x"}, oneTeam{"t"}).For(agent(t))) {
		if (op == "router.url" || op == "router.base") && err == nil {
			continue
		}
		if want := op + ` (x) "hook": no more places`; !fault.Is(err, fault.Unavailable) || err.Error() != want {
			t.Errorf("%s = %v, want UNAVAILABLE: %s", op, err, want)
		}
	}
	for op, err := range try(t, over(broken{}, oneTeam{"t"}).For(agent(t))) {
		if op != "router.unmount" && (!fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "set baseUrl")) {
			t.Errorf("without an address %s = %v, want UNSUPPORTED with a hint", op, err)
		}
	}
	for name, d := range map[string]access.Directory{"none": nil, "a team that cannot be": oneTeam{"../x"}} {
		for op, err := range try(t, over(broken{"http://x"}, d).For(agent(t))) {
			if op == "router.base" {
				continue // it is nobody's in particular
			}
			if !fault.Is(err, fault.Denied) {
				t.Errorf("with the directory %s %s = %v, want ACCESS_DENIED", name, op, err)
			}
		}
	}
}

func TestNothingConfigured(t *testing.T) {
	t.Parallel()
	var none *Service
	empty := New(connector.Env{}, connector.Instances[Connector]{}, oneTeam{"t"})
	for name, s := range map[string]*Service{"nil": none, "empty": empty, "no handler": over(broken{"http://x"}, oneTeam{"t"})} {
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/t/hook", nil))
		if rec.Code != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", name, rec.Code)
		}
		if name == "no handler" {
			continue
		}
		for op, err := range try(t, s.For(agent(t))) {
			if !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "configure a connector for Router") {
				t.Errorf("%s: %s = %v, want UNSUPPORTED with a hint", name, op, err)
			}
		}
		if _, err := s.On("x"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: On = %v, want NOT_FOUND", name, err)
		}
	}
	if err := empty.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
}
