package models

import (
	"slices"
	"testing"

	"github.com/sre-go/sre/value"
)

func TestCatalogue(t *testing.T) {
	t.Parallel()
	raw, err := value.Parse(catalogue)
	if err != nil {
		t.Fatal(err)
	}
	c, faults := NewCatalog(Builtin())
	if len(faults) > 0 || len(c.List()) != raw.Len()+1 {
		t.Fatalf("%d of %d entries can be read: %v", len(c.List()), raw.Len()+1, faults)
	}
	providers := []string{"Echo", "OpenAI", "Anthropic", "GoogleAI", "Groq", "xAI", "TogetherAI", "DeepSeek"}
	for _, m := range c.List() {
		switch {
		case !slices.Contains(providers, m.Provider):
			t.Errorf("%s has the provider %q, which no connector is named", m.ID, m.Provider)
		case m.ModelID == "" || m.Label == "" || len(m.Features) == 0:
			t.Errorf("%s is not described: %+v", m.ID, m)
		case m.ContextTokens > 0 && m.OutputTokens > m.ContextTokens:
			t.Errorf("%s answers with %d tokens, more than the %d it can take", m.ID, m.OutputTokens, m.ContextTokens)
		case m.Prices.Known && (m.Prices.Output < m.Prices.Input && !m.Has(FeatureEmbeddings) && m.Prices.Output != 0 || m.Prices.CacheRead > m.Prices.Input):
			t.Errorf("%s has strange prices %+v", m.ID, m.Prices)
		}
	}
	for _, id := range []string{"gpt-5-mini", "claude-sonnet-4-5", "deepseek-chat", "GPT-4o"} {
		if m, ok := c.Find(id); !ok || !m.Prices.Known && id != "GPT-4o" {
			t.Errorf("%s: %+v, %t, want it with prices", id, m, ok)
		}
	}
	if d := c.Dearest(); d.Input < 10 || d.Output < 50 {
		t.Errorf("the dearest prices are %+v", d)
	}
}
