package llms_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/components/llms"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/subsystem/io/storage/ramstorage"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/echollm"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/subsystem/llm/models/jsonmodels"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/subsystem/memory/cache/ramcache"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/subsystem/security/account/dummyaccount"
	"github.com/sre-go/sre/subsystem/security/vault"
	"github.com/sre-go/sre/subsystem/security/vault/nullvault"
	"github.com/sre-go/sre/value"
)

// services are those that ask models. fake, which may be nil, is the connector of the models of the provider Fake.
func services(t testing.TB, fake llm.Connector, more ...connector.Opened) *connector.Services {
	t.Helper()
	env := connector.Env{
		Log: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Effects: effect.System{}, Events: &event.Bus{}, Services: connector.NewServices(),
	}
	put := func(kind connector.AnyKind, opened ...connector.Opened) {
		built, err := connector.Build(kind, env, "", opened, nil)
		if err != nil {
			t.Fatal(err)
		}
		env.Services.Put(kind, built)
	}
	open := func(def connector.Definition, settings value.Value) connector.Opened {
		c, err := def.Open(context.Background(), env, settings)
		if err != nil {
			t.Fatal(err)
		}
		return connector.Opened{ID: def.Name, Connector: c}
	}
	put(account.Kind, open(dummyaccount.Definition, value.Obj()))
	put(vault.Kind, open(nullvault.Definition, value.Obj()))
	catalogue, err := value.Parse(`{"fake": {"provider": "Fake", "modelId": "fake-1", "credentials": "none", "completionTokens": 4096},
		"eyes": {"provider": "Fake", "modelId": "fake-2", "credentials": "none", "tokens": 9000, "completionTokens": 4096, "features": ["text", "image"]}}`)
	if err != nil {
		t.Fatal(err)
	}
	put(models.Kind, open(jsonmodels.Definition, value.Obj(value.M("models", catalogue))))
	providers := []connector.Opened{open(echollm.Definition, value.Obj())}
	if fake != nil {
		providers = append(providers, connector.Opened{ID: "Fake", Connector: fake})
	}
	put(llm.Kind, append(providers, more...)...)
	put(storage.Kind, open(ramstorage.Definition(), value.Obj()))
	put(cache.Kind, open(ramcache.Definition(), value.Obj()))
	return env.Services
}

// definition returns a component type of the family.
func definition(t testing.TB, name string) component.Definition {
	t.Helper()
	for _, d := range llms.Definitions() {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("there is no component %s", name)
	return component.Definition{}
}

// host takes what is shown as it comes.
type host struct{ deltas []component.Delta }

func (h *host) Fork(context.Context, *component.Call, component.Input) (string, error) {
	return "", nil
}
func (h *host) Job(string) (component.JobState, <-chan struct{}) { return component.JobState{}, nil }
func (h *host) Emit(_ *component.Call, d component.Delta)        { h.deltas = append(h.deltas, d) }
func (*host) CountTokens(text string) int                        { return len(text) / 4 }

func (h *host) Invoke(context.Context, *component.Call, string, string, string, value.Value) (value.Value, error) {
	return value.Value{}, nil
}

func (h *host) Converse(context.Context, *component.Call, component.Talk) (string, error) {
	return "", nil
}

func candidate(t testing.TB) access.Candidate {
	t.Helper()
	c, err := access.Agent("FAKE-AGENT-ID")
	if err != nil {
		t.Fatal(err)
	}
	return c
}
