package sre_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/value"
)

// TestRelay runs the example that calls a service: the request goes where the guide says, with the key of the vault.
func TestRelay(t *testing.T) {
	t.Parallel()
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"greeting":"Hello"}`))
	}))
	t.Cleanup(server.Close)
	config := value.Obj(value.M("egress", value.Obj(value.M("allowPrivate", value.OfBool(true)))))
	rt, err := sre.Start(t.Context(), std.Set(), sre.WithDir(t.TempDir()), sre.WithConfig(config))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	doc, err := rt.Read("examples/relay.smyth")
	if err != nil {
		t.Fatal(err)
	}
	if bad := rt.Problems(doc); len(bad) > 0 {
		t.Errorf("the example has problems: %v", bad)
	}
	doc.Variables = doc.Variables.With("service", value.Of(server.URL))
	agent, err := rt.Load(t.Context(), doc)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := agent.Call(t.Context(), "ask", value.Obj(value.M("name", value.Of("Ada"))))
	if err != nil || !strings.Contains(answer.JSON(), `{"greeting":"Hello"}`) {
		t.Errorf("answer %s, %v", answer.JSON(), err)
	}
	if want := "POST /api/greet Bearer hello-token"; got != want { // nobody stored the key, so its name stands for it
		t.Errorf("the service was asked %q, want %q", got, want)
	}
}
