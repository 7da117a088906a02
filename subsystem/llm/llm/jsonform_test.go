package llm_test

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/echollm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/value"
)

func TestAskJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		list []llm.Message
		want string // roles
		text string // what the instruction follows
	}{
		{"nothing", nil, "system", ""},
		{"a user alone", []llm.Message{llm.Say(llm.User, "hi")}, "system user", ""},
		{"a system message", []llm.Message{llm.Say(llm.System, "be kind"), llm.Say(llm.User, "hi")}, "system user", "be kind"},
		{"a late one", []llm.Message{llm.Say(llm.User, "hi"), llm.Say(llm.System, "be kind"), llm.Say(llm.System, "and true")}, "user system system", "be kind"},
	}
	for _, test := range tests {
		before := make([]string, len(test.list))
		for i, m := range test.list {
			before[i] = m.Text()
		}
		got := llm.AskJSON(test.list)
		var roles []string
		told := ""
		for _, m := range got {
			roles = append(roles, string(m.Role))
			if m.Role == llm.System && told == "" {
				told = m.Text()
			}
		}
		if strings.Join(roles, " ") != test.want || !strings.HasPrefix(told, test.text+"\nRespond ONLY") {
			t.Errorf("%s: AskJSON gives %q, told %.40q; want %q, told %q and the instruction", test.name, roles, told, test.want, test.text)
		}
		for i, m := range test.list {
			if m.Text() != before[i] {
				t.Errorf("%s: AskJSON changed message %d of the caller to %q", test.name, i, m.Text())
			}
		}
	}
}

// A model that repeats its prompt is not told about JSON, every other one is.
func TestGenerate_AsksForJSON(t *testing.T) {
	t.Parallel()
	w, asked := world(t, llmtest.Setup{}, parts(nil, llm.Text{Text: "{}"}, done()))
	req := llm.Request{Model: "plain", Messages: []llm.Message{llm.Say(llm.User, "hi")}, Format: llm.Format{JSON: true}}
	if _, err := w.As(t, "agent:helper").Generate(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	got := asked.last().Messages
	if len(got) != 2 || got[0].Role != llm.System || !strings.Contains(got[0].Text(), "JSON") || len(req.Messages) != 1 {
		t.Errorf("asked with %+v (request now %+v), want the instruction before the prompt", got, req.Messages)
	}
	echo, err := echollm.Definition.Open(t.Context(), connector.Env{}, value.Obj())
	if err != nil {
		t.Fatal(err)
	}
	e := llmtest.Open(t, llmtest.Setup{}, nil, nil, connector.Opened{ID: "Echo", Connector: echo})
	req.Model = "Echo"
	if r, err := e.As(t, "agent:helper").Generate(t.Context(), req); err != nil || r.Text != "hi" {
		t.Errorf("Echo answers %+v, %v, want the prompt alone", r, err)
	}
}

func TestDescribeModel(t *testing.T) {
	t.Parallel()
	w, _ := world(t, llmtest.Setup{}, parts(nil, done()))
	h := w.As(t, "agent:helper")
	known, err := h.Describe(t.Context(), "plain")
	if err != nil {
		t.Fatal(err)
	}
	own := models.Model{ID: "mine", Provider: known.Model.Provider, ModelID: "m-1"}
	if got, err := h.DescribeModel(t.Context(), own); err != nil || got.Model.ModelID != "m-1" || !got.Model.TeamOwn {
		t.Errorf("DescribeModel() = %+v, %v, want the model, trusted no further than its team", got, err)
	}
	own.Provider = "Nobody"
	if got, err := h.DescribeModel(t.Context(), own); err == nil {
		t.Errorf("DescribeModel() of an unknown provider = %+v, want an error", got)
	}
}
