package egress

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

// An address that the operator wrote down is reached in a private network, for the call that it was written down for:
// not for others, not by a redirect, not over a connection that is open already, and no metadata service is.
func TestConfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("model.lan", "10.0.0.7", func(http.ResponseWriter, *http.Request) {})
	w.serve("other.lan", "10.0.0.8", func(http.ResponseWriter, *http.Request) {})
	w.serve("public.test", publicIP, func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "http://model.lan/", http.StatusFound)
	})
	w.serve("meta.test", "169.254.169.254", func(http.ResponseWriter, *http.Request) {})
	c := w.client(Policy{}, limits.Default())
	tests := []struct {
		name, configured, asked string
		want                    bool
	}{
		{"nobody wrote it down", "", "http://model.lan/", false},
		{"written down", "http://model.lan/v1", "http://model.lan/v1/chat", true},
		{"over an open connection", "", "http://model.lan/", false},
		{"another host", "http://model.lan", "http://other.lan/", false},
		{"another port", "http://model.lan:81", "http://model.lan/", false},
		{"after a redirect", "http://public.test", "http://public.test/", false},
		{"a redirect to what is written down", "http://model.lan", "http://public.test/", false},
		{"metadata", "http://meta.test", "http://meta.test/", false},
	}
	for _, tt := range tests { // in this order: connections stay open
		ctx := t.Context()
		if tt.configured != "" {
			ctx = access.WithConfigured(ctx, tt.configured)
		}
		err := ask(ctx, c, tt.asked)
		if got := err == nil; got != tt.want || !got && !fault.Is(err, fault.Denied) {
			t.Errorf("%s: error = %v, want it reached: %t", tt.name, err, tt.want)
		}
	}
	closed := w.client(Policy{DenyHosts: []string{"model.lan"}}, limits.Default())
	if err := ask(access.WithConfigured(t.Context(), "http://model.lan"), closed, "http://model.lan/"); !fault.Is(err, fault.Denied) {
		t.Errorf("a host that is denied: error = %v, want %v", err, fault.Denied)
	}
}

// A proxy is not reached because of what the operator wrote about the destination.
func TestConfigured_Proxy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") }))
	defer proxy.Close()
	w.at("proxy.lan", "10.0.0.9", proxy)
	w.serve("model.lan", "10.0.0.7", func(http.ResponseWriter, *http.Request) {})
	ctx, err := WithProxy(access.WithConfigured(t.Context(), "http://model.lan"), "http://proxy.lan")
	if err != nil {
		t.Fatal(err)
	}
	if err := ask(ctx, w.client(Policy{}, limits.Default()), "http://model.lan/"); !fault.Is(err, fault.Denied) {
		t.Errorf("error = %v, want %v", err, fault.Denied)
	}
}

func ask(ctx context.Context, c *http.Client, address string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := c.Do(r)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
