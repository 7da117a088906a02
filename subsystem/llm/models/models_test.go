package models_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/subsystem/llm/models/jsonmodels"
	"github.com/sre-go/sre/subsystem/llm/models/modelstest"
	"github.com/sre-go/sre/value"
)

func parse(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestCatalog_Entries(t *testing.T) {
	t.Parallel()
	c, faults := models.NewCatalog(parse(t, `{
		"personal": {"provider": "P", "modelId": "m", "tokens": 0, "completionTokens": 0, "keyOptions": {"tokens": 100, "completionTokens": 10, "enabled": true}},
		"base": {"provider": "P", "modelId": "base-1", "tokens": 50, "features": ["text", 5], "keyOptions": {"completionTokens": 20}},
		"alias": {"llm": "Old", "alias": "base", "label": "Alias", "tokens": 1},
		"alias-text": {"provider": "P", "modelId": "x", "alias": "not-in-the-catalogue"},
		"again": {"provider": "P", "modelId": "first"},
		"odd": {"provider": "P", "modelId": "o", "tokens": "many", "completionTokens": -1, "tags": "x"}
	}`), parse(t, `{"modelId": "single", "provider": "P"}`), parse(t, `{"again": {"provider": "P", "modelId": "second"}, "Again2": {"modelId": "m"}, "again2": {"modelId": "m"}}`))
	if faults != nil {
		t.Fatalf("faults %v, want none", faults)
	}
	tests := []struct {
		id, provider, modelID string
		context, output       int
	}{
		{"personal", "P", "m", 100, 10},
		{"base", "P", "base-1", 50, 20},
		{"alias", "P", "base-1", 50, 20},
		{"alias-text", "P", "not-in-the-catalogue", 0, 0},
		{"again", "P", "second", 0, 0},
		{"single", "P", "single", 0, 0},
		{"odd", "P", "o", 0, 0},
	}
	for _, test := range tests {
		m, ok := c.Find(test.id)
		if !ok || m.Provider != test.provider || m.ModelID != test.modelID || m.ContextTokens != test.context || m.OutputTokens != test.output {
			t.Errorf("Find(%q) = %+v, %t, want %+v", test.id, m, ok, test)
		}
	}
	if _, ok := c.Find("AGAIN2"); ok {
		t.Error("Find(AGAIN2) found one of two models, want none")
	}
	if m, ok := c.Find("Again2"); !ok || m.ID != "Again2" {
		t.Errorf("Find(Again2) = %+v, %t, want the exact one", m, ok)
	}
	if m, _ := c.Find("alias"); m.ID != "alias" || m.Label != "Alias" || m.Entry.GetString("alias") != "base" {
		t.Errorf("alias = %+v, want its own id and entry", m)
	}
}

func TestCatalog_Faults(t *testing.T) {
	t.Parallel()
	c, faults := models.NewCatalog(parse(t, `{"a": 5, "b": {"provider": "P"}, "c": {"provider": 5, "modelId": "m"}, "d": {"alias": "nowhere"}, "fine": {"modelId": "m"}}`), parse(t, `[1]`), value.NullValue())
	if len(faults) != 5 || len(c.List()) != 1 {
		t.Errorf("faults %v, models %v, want five and one", faults, c.List())
	}
	for _, err := range faults {
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("fault %v has kind %v, want %v", err, fault.KindOf(err), fault.Invalid)
		}
	}
}

func TestModel_Tokens(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                     string
		context, output          int
		maxContext, maxOutput    int
		fit0, fit100, fitTooMuch int
	}{
		{"both", 1000, 200, 1000, 200, 200, 100, 200},
		{"context only", 1000, 0, 1000, 1000, 1000, 100, 1000},
		{"neither", 0, 0, 1024, 512, 512, 100, 9999999},
	}
	for _, test := range tests {
		m := models.Model{ContextTokens: test.context, OutputTokens: test.output}
		if got := []int{m.MaxContext(), m.MaxOutput(), m.FitOutput(0), m.FitOutput(100), m.FitOutput(9999999)}; !slices.Equal(got, []int{test.maxContext, test.maxOutput, test.fit0, test.fit100, test.fitTooMuch}) {
			t.Errorf("%s: %v, want %+v", test.name, got, test)
		}
	}
}

// open is the service over the built-in models, with models of team-a.
func open(t testing.TB, settings string) *models.Service {
	t.Helper()
	return modelstest.Open(t, jsonmodels.Definition, modelstest.Subject{
		TeamSettings: parse(t, settings), Prepare: func(testing.TB, string) value.Value { return value.Obj() },
	})
}

func TestTeam_Models(t *testing.T) {
	t.Parallel()
	const custom = `{"1": {"name": "mine", "modelId": "m-1", "provider": "OpenAI", "baseURL": "https://own.test", "contextWindow": 99, "fallbackLLM": "Echo", "tags": ["x"]}, "2": {"modelId": "m-2"}, "3": {"name": "broken"}}`
	const enterprise = `{"e": {"name": "cloud", "provider": "Bedrock", "settings": {"foundationModel": "f", "customModel": "c", "region": "r"}}, "v": {"name": "vertex", "provider": "VertexAI", "settings": {"foundationModel": "f"}}}`
	for name, settings := range map[string]string{
		"objects": `{"user-custom-llm": ` + custom + `, "custom-llm": ` + enterprise + `}`,
		"texts":   value.Obj(value.M("user-custom-llm", value.Of(custom)), value.M("custom-llm", value.Of(enterprise))).JSON(),
	} {
		s := open(t, settings)
		h := modelstest.As(t, s, "agent:helper")
		mine, err := h.Find(t.Context(), "mine")
		if err != nil || !mine.TeamOwn || mine.ModelID != "m-1" || mine.ContextTokens != 99 || mine.OutputTokens != 8192 || mine.Fallback != "Echo" || !slices.Equal(mine.Tags, []string{"Custom", "x"}) {
			t.Errorf("%s: mine = %+v, %v, want the team's model", name, mine, err)
		}
		cloud, err := h.Find(t.Context(), "cloud")
		if err != nil || !cloud.TeamOwn || cloud.ModelID != "c" || cloud.ContextTokens != 100000 || cloud.OutputTokens != 4096 || cloud.Credentials.Plain() != "bedrock_vault" || cloud.Settings.GetString("region") != "r" {
			t.Errorf("%s: cloud = %+v, %v, want the team's model", name, cloud, err)
		}
		if vertex, err := h.Find(t.Context(), "vertex"); err != nil || vertex.ModelID != "f" || vertex.Credentials.Plain() != "vertexai_vault" {
			t.Errorf("%s: vertex = %+v, %v, want the team's model", name, vertex, err)
		}
		list, err := h.List(t.Context())
		var ids []string
		for _, m := range list[min(len(list), catalogued(t)):] {
			ids = append(ids, m.ID)
		}
		if err != nil || !slices.Equal(ids, []string{"cloud", "vertex", "mine", "2"}) {
			t.Errorf("%s: List() = %q, %v, want the catalogue and then the team's", name, ids, err)
		}
		for _, who := range []string{"agent:other", "agent:stranger", "public"} {
			if m, err := modelstest.As(t, s, who).Find(t.Context(), "mine"); !fault.Is(err, fault.NotFound) || strings.Contains(err.Error(), "mine\"?") {
				t.Errorf("%s: %s finds %+v, %v, want nothing and no hint of it", name, who, m, err)
			}
		}
	}
}

// catalogued returns how many models the catalogue begins with that are listed.
func catalogued(t *testing.T) int {
	t.Helper()
	c, faults := models.NewCatalog(models.Builtin())
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	n := 0
	for _, m := range c.List() {
		if !m.Hidden {
			n++
		}
	}
	return n
}

// A team cannot put its own model in the place of the operator's, and a setting that is broken hurts nobody.
func TestTeam_ModelOfTheSameName(t *testing.T) {
	t.Parallel()
	for _, settings := range []string{
		`{"user-custom-llm": {"1": {"name": "Echo", "modelId": "evil", "provider": "Evil"}, "2": {"name": "ECHO", "modelId": "evil", "provider": "Evil"}}}`,
		`{"user-custom-llm": "{broken", "custom-llm": [1, 2]}`,
		`{"user-custom-llm": 5}`,
	} {
		h := modelstest.As(t, open(t, settings), "agent:helper")
		for _, id := range []string{"Echo", "echo", "ECHO"} {
			if m, err := h.Find(t.Context(), id); err != nil || m.Provider != "Echo" || m.TeamOwn {
				t.Errorf("settings %s: Find(%s) = %+v, %v, want the operator's", settings, id, m, err)
			}
		}
		if list, err := h.List(t.Context()); err != nil || len(list) != catalogued(t) {
			t.Errorf("settings %s: List() has %d models, %v, want the operator's alone", settings, len(list), err)
		}
	}
}

func TestHandle_NoService(t *testing.T) {
	t.Parallel()
	env := connector.Env{Effects: effect.System{}, Events: new(event.Bus), Services: connector.NewServices()}
	built, err := connector.Build(models.Kind, env, "", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var none *models.Service
	for name, s := range map[string]*models.Service{"nil": none, "empty": built.(*models.Service)} {
		if _, err := s.For(access.Public()).Find(t.Context(), "Echo"); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: Find() error = %v, want kind %v", name, err, fault.Unsupported)
		}
		if _, err := s.For(access.Public()).List(t.Context()); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: List() error = %v, want kind %v", name, err, fault.Unsupported)
		}
		if _, err := s.On("other"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: On() error = %v, want kind %v", name, err, fault.NotFound)
		}
	}
}

// FuzzNewCatalog: any JSON makes a catalogue, and every model in it can be found by its own id.
func FuzzNewCatalog(f *testing.F) {
	for _, seed := range []string{modelstest.Data, `{"modelId":"x"}`, `[]`, `{"a":{"alias":"a","modelId":"b"}}`, `{"":{"modelId":""}}`, `{"a":{"modelId":"x","keyOptions":{"modelId":5}}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := value.Decode([]byte(text), value.Limits{Bytes: 1 << 16})
		if err != nil {
			return
		}
		c, faults := models.NewCatalog(models.Builtin(), v)
		for _, m := range c.List() {
			if got, ok := c.Find(m.ID); !ok || got.ID != m.ID || got.ContextTokens < 0 || got.OutputTokens < 0 {
				t.Errorf("Find(%q) = %+v, %t", m.ID, got, ok)
			}
		}
		if len(c.List())+len(faults) == 0 {
			t.Error("neither a model nor a fault")
		}
	})
}
