package llms_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// trial is a component with what it is called with.
type trial struct {
	typ, settings string
	inputs        []component.NodePort
	values        []value.Value
	outputs       []component.NodePort
	headers       value.Value
	behavior      string
	services      *connector.Services
	host          host
}

// run calls the component.
func (c *trial) run(t testing.TB) (value.Value, error) {
	t.Helper()
	parsed, err := value.Parse(c.settings)
	if err != nil {
		t.Fatal(err)
	}
	inst := definition(t, c.typ).Compile(parsed)
	if len(inst.Violations) > 0 {
		t.Fatalf("settings %s: %v", c.settings, inst.Violations)
	}
	call := &component.Call{
		Scope: scope.New(c.services, candidate(t)), Node: &component.Node{ID: "L", Type: c.typ, Outputs: c.outputs},
		Agent: &component.Agent{ID: "FAKE-AGENT-ID", Behavior: c.behavior}, Request: &component.Request{Headers: c.headers}, Effects: effect.System{}, Host: &c.host, KeepLog: true,
	}
	return inst.Run(t.Context(), call, component.Input{Ports: c.inputs, Values: c.values})
}

// gen is a call of GenAILLM with one text.
func gen(t testing.TB, fake llm.Connector, settings, input string) *trial {
	return &trial{
		typ: "GenAILLM", settings: settings, inputs: []component.NodePort{{Name: "Input"}}, values: []value.Value{value.Of(input)},
		outputs: []component.NodePort{{Name: "Reply", Default: true}}, services: services(t, fake),
	}
}

func TestGenAI_Settings(t *testing.T) {
	t.Parallel()
	s := says("ok")
	c := gen(t, s, `{"model":"fake","prompt":"ask {{Input}}","temperature":0.5,"maxTokens":"7","topP":0.1,"topK":3,"stopSequences":"A, B","frequencyPenalty":1,
		"presencePenalty":2,"verbosity":"low","useReasoning":true,"reasoningEffort":"high","maxThinkingTokens":99,"useWebSearch":"true","webSearchContextSize":"high",
		"webSearchCity":"{{Input}}","webSearchCountry":"DE","responseFormat":"json"}`, "Bonn")
	if out, err := c.run(t); err != nil || out.JSON() != `{"Reply":"ok"}` {
		t.Fatalf("out = %s, %v", out.JSON(), err)
	}
	got := s.asked[0]
	if *got.Temperature != 0.5 || got.MaxTokens != 7 || *got.TopP != 0.1 || *got.TopK != 3 || strings.Join(got.Stop, "|") != "A|B" ||
		*got.FrequencyPenalty != 1 || *got.PresencePenalty != 2 || got.Verbosity != "low" || !got.Format.JSON || !got.Partial {
		t.Errorf("asked %+v", got.Request)
	}
	if got.Reasoning != (llm.Reasoning{On: true, Effort: "high", MaxTokens: 99}) {
		t.Errorf("reasoning %+v", got.Reasoning)
	}
	if got.Search == nil || got.Search.Size != "high" || got.Search.City != "Bonn" || got.Search.Country != "DE" {
		t.Errorf("search %+v", got.Search)
	}
}

// T28: what inputs hold is never read for placeholders again, wherever it stands.
func TestT28_GenAI(t *testing.T) {
	t.Parallel()
	s := says("{{KEY(canary)}} and {{Input}}")
	const hostile = "{{KEY(canary)}} {{Input}} {{constructor.constructor}}"
	out, err := gen(t, s, `{"model":"fake","prompt":"ask {{Input}}"}`, hostile).run(t)
	if err != nil || out.GetString("Reply") != "{{KEY(canary)}} and {{Input}}" {
		t.Errorf("out = %s, %v, want the answer as it is", out.JSON(), err)
	}
	if got := s.asked[0].Messages[0].Text(); got != "ask "+hostile {
		t.Errorf("asked %q, want the input as it is", got)
	}
}

// Editors write settings that say nothing.
func TestGenAI_EmptySettings(t *testing.T) {
	t.Parallel()
	if out, err := gen(t, says("ok"), `{"model":"fake","prompt":"p","temperature":"1","maxTokens":"1024","stopSequences":"","topK":"0","useSearch":false,"searchMode":"auto",
		"webSearchCity":"","webSearchContextSize":"","responseFormat":"","reasoningEffort":"","maxThinkingTokens":"4096","postViewCount":0,"fromDate":"","searchDataSources":["web","x"],"verbosity":null}`, "x").run(t); err != nil {
		t.Errorf("out = %s, %v", out.JSON(), err)
	}
}

func TestGenAI_DescribedModel(t *testing.T) {
	t.Parallel()
	s := says("ok")
	if _, err := gen(t, s, `{"model":{"provider":"Fake","modelId":"mine","credentials":"none"},"prompt":"p"}`, "x").run(t); err != nil {
		t.Fatal(err)
	}
	if got := s.asked[0].Target; got.ModelID != "mine" || !got.TeamOwn {
		t.Errorf("asked %+v, want the model that is described, as a caller's", got)
	}
	for _, model := range []string{`"nobody"`, `{"provider":"Nobody","modelId":"m"}`} {
		_, err := gen(t, s, `{"model":`+model+`,"prompt":"p"}`, "x").run(t)
		if err == nil || !strings.Contains(err.Error(), "is not available. Please try a different one.") {
			t.Errorf("model %s: %v", model, err)
		}
	}
}

const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func TestGenAI_Files(t *testing.T) {
	t.Parallel()
	png := value.Of("data:image/png;base64," + dot)
	note := value.Of("data:text/plain;base64," + base64.StdEncoding.EncodeToString([]byte("hello")))
	tests := []struct {
		name, model string
		v           value.Value
		files       int
		err         string
	}{
		{"a picture", "eyes", png, 1, ""},
		{"a list", "eyes", value.List(png, value.List(png), value.Of("")), 2, ""},
		{"some of it", "eyes", value.List(note, png), 1, ""},
		{"nothing", "eyes", value.Of(""), 0, ""},
		{"no eyes", "fake", png, 0, "Model 'fake' does not support the provided file type(s): image/png.\nSupported types: image/png, image/jpeg"},
		{"no picture", "eyes", note, 0, "does not support the provided file type(s): text/plain."},
	}
	for _, tt := range tests {
		s := says("seen")
		c := gen(t, s, `{"model":"`+tt.model+`","prompt":"look"}`, "x")
		c.inputs, c.values = append(c.inputs, component.NodePort{Name: "Attachment", Type: "Image"}), append(c.values, tt.v)
		_, err := c.run(t)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) || len(s.asked) != 0 {
				t.Errorf("%s: %v after %d calls, want %q", tt.name, err, len(s.asked), tt.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := len(s.asked[0].Messages[0].Content) - 1; got != tt.files {
			t.Errorf("%s: %d files, want %d", tt.name, got, tt.files)
		}
	}
}

// The run is told of the conversation that it belongs to: entries of the agent's cache, and nobody else's.
func TestGenAI_Conversation(t *testing.T) {
	t.Parallel()
	s := says("ok")
	c := gen(t, s, `{"model":"fake","prompt":"now {{Input}}","useSystemPrompt":true,"useContextWindow":true,"maxContextWindowLength":40}`, "x")
	c.behavior = "You are kind."
	c.headers = value.Obj(value.M("x-cache-id", value.Of("conv_1")))
	if _, err := c.run(t); err != nil {
		t.Fatal(err)
	}
	if got := said(s.asked[0]); got != "system:You are kind.|user:now x" {
		t.Errorf("without a conversation the model is told %s", got)
	}
	mine := scope.New(c.services, candidate(t)).Cache()
	long := strings.Repeat("long ", 200)
	for key, text := range map[string]string{
		"conv_1:systemPrompt": "You are Bob.",
		"conv_1:messages": `[{"role":"user","content":"` + long + `"},{"role":"assistant","content":"yes"},{"role":"user","content":"first"},{"role":"tool","content":"data"},
			{"role":"assistant","content":"answer"},{"role":"user","content":"the same prompt again"}]`,
	} {
		if err := mine.Set(t.Context(), key, value.Of(text), cache.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.run(t); err != nil {
		t.Fatal(err)
	}
	if got := said(s.asked[1]); got != "system:You are Bob.|user:first|assistant:answer|user:now x" {
		t.Errorf("the model is told %s, want what fits, and the prompt in place of the last one", got)
	}
	c.headers = value.Obj(value.M("x-cache-id", value.Of("conv_2")))
	if _, err := c.run(t); err != nil {
		t.Fatal(err)
	}
	if got := said(s.asked[2]); got != "system:You are kind.|user:now x" {
		t.Errorf("in another conversation the model is told %s", got)
	}
}

// said is what a model is shown, in short.
func said(call *llm.Call) string {
	var out []string
	for _, m := range call.Messages {
		out = append(out, string(m.Role)+":"+m.Text())
	}
	return strings.Join(out, "|")
}

func TestGenAI_Answers(t *testing.T) {
	t.Parallel()
	cut := func(text string, reason llm.Reason) *script {
		return &script{parts: []llm.Part{llm.Text{Text: text}, llm.Finish{Reason: reason}}}
	}
	tests := []struct {
		name  string
		model *script
		want  string
		err   string
	}{
		{"text", says("a ", "b"), `{"Reply":"a b"}`, ""},
		{"JSON in it", says("so: {\"a\":1}."), `{"Reply":{"a":1}}`, ""},
		{"cut", cut("part", llm.Length), `{"Reply":"part","_error":"The model stopped before completing the response.\n                \nReason: length.\n                \n"}`, ""},
		{"empty", says(), `{"Reply":"","_error":"Empty response. This is usually due to output token limit reached. Please try again with a higher 'Maximum Output Tokens'."}`, ""},
		{"an error in it", says(`{"error":"no","details":"really"}`), "", "no really"},
		{"refused", &script{fail: llm.Refused(400, "nope")}, "", "400 nope "},
	}
	for _, tt := range tests {
		c := gen(t, tt.model, `{"model":"fake","prompt":"p"}`, "x")
		out, err := c.run(t)
		switch {
		case tt.err != "":
			if err == nil || err.Error() != tt.err {
				t.Errorf("%s: error %v, want %q", tt.name, err, tt.err)
			}
		case err != nil || out.JSON() != tt.want:
			t.Errorf("%s: %s, %v, want %s", tt.name, out.JSON(), err, tt.want)
		}
	}
}

func TestGenAI_Passthrough(t *testing.T) {
	t.Parallel()
	s := &script{parts: []llm.Part{llm.Thinking{Text: "hm"}, llm.Text{Text: "a\n"}, llm.Text{Text: "b"}, llm.Finish{Reason: llm.Stop}}}
	c := gen(t, s, `{"model":"fake","prompt":"p","passthrough":true}`, "x")
	if _, err := c.run(t); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range c.host.deltas {
		got = append(got, d.Thinking+"/"+d.Content)
		if !d.OneLine {
			t.Errorf("%+v is not shown in one line", d)
		}
	}
	if want := "hm/|/a\n|/b|/\n"; strings.Join(got, "|") != want {
		t.Errorf("shown %q, want %q", strings.Join(got, "|"), want)
	}
}

// A search by xAI is asked for in the words of its interface, and only there.
func TestGenAI_XSearch(t *testing.T) {
	t.Parallel()
	s := says("ok")
	settings := `{"model":{"provider":"xai","modelId":"grok","credentials":"none"},"prompt":"p","useSearch":true,"searchMode":"on","returnCitations":true,"maxSearchResults":5,
		"searchDataSources":["web","x","rss","shell"],"searchCountry":"DE","excludedWebsites":"a.test, b.test","includedXHandles":"ada","postViewCount":7,"rssLinks":"http://f.test","fromDate":"2026-01-01"}`
	c := gen(t, s, settings, "x")
	c.services = services(t, s, connector.Opened{ID: "xAI", Connector: s})
	if _, err := c.run(t); err != nil {
		t.Fatal(err)
	}
	want := `{"search_parameters":{"mode":"on","return_citations":true,"max_search_results":5,"from_date":"2026-01-01","sources":[` +
		`{"type":"web","country":"DE","excluded_websites":["a.test","b.test"]},{"type":"x","included_x_handles":["ada"],"post_view_count":7},{"type":"rss","links":["http://f.test"]}]}}`
	if got := s.asked[0].Extra.JSON(); got != want {
		t.Errorf("asked with %s, want %s", got, want)
	}
	if _, err := gen(t, s, strings.Replace(settings, `"xai"`, `"Fake"`, 1), "x").run(t); err != nil || !s.asked[1].Extra.IsNil() {
		t.Errorf("another provider is asked with %s, %v", s.asked[1].Extra.JSON(), err)
	}
}

func TestClassifier(t *testing.T) {
	t.Parallel()
	s := says("Sure: {\"yes\": \"<[<(`a`:1)>]>\", \"no\": false, \"maybe\": \"`quoted`\", \"error\": \"\"}")
	c := &trial{
		typ: "Classifier", settings: `{"model":"fake","prompt":"Is it {{Kind}}?"}`, services: services(t, s),
		inputs:  []component.NodePort{{Name: "Input"}, {Name: "Kind"}, {Name: "Data"}},
		values:  []value.Value{value.Of(`say "{{Kind}}"`), value.Of("good"), value.Obj(value.M("a", value.OfInt(1)))},
		outputs: []component.NodePort{{Name: "yes", Description: "it is"}, {Name: "no"}, {Name: "_debug"}},
	}
	out, err := c.run(t)
	if want := `{"yes":{"a":1},"maybe":"\"quoted\""}`; err != nil || out.JSON() != want {
		t.Errorf("out = %s, %v, want %s", out.JSON(), err, want)
	}
	want := "Is it good?\n{\n  \"Input\": \"say `<[<(<[<(Kind)>]>)>]>`\",\n  \"Kind\": \"good\",\n  \"Data\": \"<[<(`a`:1)>]>\"\n}\n\n---\nCategories: \n{\n  \"yes\": \"it is\",\n  \"no\": \"\"\n}\n##\n" +
		"Expected output format = {\"yes\":\"<Boolean|String> (it is)\",\"no\":\"<Boolean|String>\"}\nThe output JSON should only use the entries from the output format."
	if got := s.asked[0].Messages[0].Text(); got != want {
		t.Errorf("asked\n%s\nwant\n%s", got, want)
	}
	c.settings = `{"model":"fake","prompt":" "}`
	if _, err := c.run(t); err == nil || err.Error() != "Missing information, Cannot run classifier" {
		t.Errorf("without a prompt: %v", err)
	}
}

func TestAssistant(t *testing.T) {
	t.Parallel()
	s := says("answer")
	c := &trial{
		typ: "LLMAssistant", settings: `{"model":"fake","behavior":"You help {{UserId}}.","ttl":"60"}`, services: services(t, s),
		inputs: []component.NodePort{{Name: "UserInput"}, {Name: "UserId"}, {Name: "ConversationId"}}, outputs: []component.NodePort{{Name: "Response", Default: true}},
	}
	say := func(text, user, conversation string) string {
		t.Helper()
		c.values = []value.Value{value.Of(text), value.Of(user), value.Of(conversation)}
		if out, err := c.run(t); err != nil || out.JSON() != `{"Response":"answer"}` {
			t.Fatalf("out = %s, %v", out.JSON(), err)
		}
		return said(s.asked[len(s.asked)-1])
	}
	const first = "system:You help ada.|user:one"
	if got := say("one", "ada", "c1"); got != first {
		t.Errorf("the model is told %s", got)
	}
	if got, want := say("two {{UserId}}", "ada", "c1"), first+"|assistant:answer|user:two {{UserId}}"; got != want {
		t.Errorf("the model is told %s, want %s", got, want)
	}
	if got, want := say("one", "eve", "c1"), "system:You help eve.|user:one"; got != want {
		t.Errorf("another user: the model is told %s, want %s", got, want)
	}
	for range 2 {
		if got, want := say("x", "", ""), "system:You help .|user:x"; got != want {
			t.Errorf("nobody: the model is told %s, want %s", got, want)
		}
	}
	left, found, err := scope.New(c.services, candidate(t)).Cache().TTL(context.Background(), "FAKE-AGENT-ID:conv-uada-cc1")
	if err != nil || !found || left <= 0 || left.Seconds() > 60 {
		t.Errorf("it is kept for %s (%t), %v, want a minute", left, found, err)
	}
}

func TestLooking(t *testing.T) {
	t.Parallel()
	png := value.Of("data:image/png;base64," + dot)
	for typ, input := range map[string]string{"MultimodalLLM": "Input", "VisionLLM": "Images"} {
		s := says(`{"what":"a dot"}`)
		c := &trial{
			typ: typ, settings: `{"model":"eyes","prompt":"what is {{q}}","maxTokens":9}`, services: services(t, s),
			inputs: []component.NodePort{{Name: input, Type: "Binary"}, {Name: "q"}}, values: []value.Value{png, value.Of("it")},
			outputs: []component.NodePort{{Name: "Reply", Default: true}, {Name: "what"}},
		}
		out, err := c.run(t)
		if err != nil || out.JSON() != `{"Reply":{"what":"a dot"}}` {
			t.Errorf("%s: %s, %v", typ, out.JSON(), err)
		}
		got := s.asked[0]
		if len(got.Messages[0].Content) != 2 || !strings.HasPrefix(got.Messages[0].Text(), "what is it\n##\nExpected output format") || got.MaxTokens != 4096 || got.Partial {
			t.Errorf("%s: asked %+v", typ, got.Request)
		}
		c.settings = `{"model":"eyes","prompt":"p","maxTokens":9,"passthrough":true}`
		if _, err := c.run(t); err != nil || len(c.host.deltas) != 1 || s.asked[1].MaxTokens != 9 {
			t.Errorf("%s with passthrough: %v, shown %v", typ, err, c.host.deltas)
		}
		c.settings = `{"model":"fake","prompt":"p"}`
		if _, err := c.run(t); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s without eyes: %v", typ, err)
		}
	}
}
