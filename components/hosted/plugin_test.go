package hosted

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// fakeHost answers Invoke and remembers what it was asked.
type fakeHost struct {
	component.Host // everything else is not to be called
	answer         value.Value
	err            error
	asked          []string
	said           string
	talks          []component.Talk
}

func (h *fakeHost) Converse(_ context.Context, _ *component.Call, t component.Talk) (string, error) {
	h.talks = append(h.talks, t)
	return h.said, h.err
}

func (h *fakeHost) Invoke(_ context.Context, _ *component.Call, agent, version, skill string, body value.Value) (value.Value, error) {
	h.asked = append(h.asked, agent+"|"+version+"|"+skill+"|"+body.JSON())
	return h.answer, h.err
}

func parse(t *testing.T, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return v
}

func input(members value.Value) component.Input {
	in := component.Input{Variables: value.Obj(value.M("secret", value.Of("of the caller")))}
	for _, m := range members.Members() {
		in.Ports = append(in.Ports, component.NodePort{Name: m.Key})
		in.Values = append(in.Values, m.Value)
	}
	return in
}

func TestPlugin(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, settings, parent, in, asked string }{
		{"inputs are the body", `{"agentId":"sub","skill":"calc"}`, "", `{"Prompt":"x","n":5}`, `sub||calc|{"Prompt":"x","n":5}`},
		{"no inputs", `{"agentId":"sub","skill":"calc"}`, "", `{}`, `sub||calc|{}`},
		{"in development", `{"agentId":"sub","skill":"calc","version":"dev-latest"}`, "2.0", `{}`, `sub||calc|{}`},
		{"deployed", `{"agentId":"sub","skill":"calc","version":"prod-latest"}`, "", `{}`, `sub|latest|calc|{}`},
		{"by name", `{"agentId":"sub","skill":"calc","version":"1.2"}`, "", `{}`, `sub|1.2|calc|{}`},
		{"parent in development", `{"agentId":"sub","skill":"calc","version":"same-as-parent"}`, "", `{}`, `sub||calc|{}`},
		{"parent deployed", `{"agentId":"sub","skill":"calc","version":"same-as-parent"}`, "1.0", `{}`, `sub|latest|calc|{}`},
		{"settings of editors", `{"agentId":"sub","skill":"calc","name":"Sub","desc":"","logoUrl":"","domain":null}`, "", `{}`, `sub||calc|{}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inst := agentPlugin().Compile(parse(t, test.settings))
			if len(inst.Violations) > 0 {
				t.Fatalf("Compile(%s) has the violation %q", test.settings, inst.Violations[0].Message)
			}
			host := &fakeHost{answer: parse(t, `{"sum":3}`)}
			call := &component.Call{Host: host, Agent: &component.Agent{Version: test.parent}}
			got, err := inst.Run(t.Context(), call, input(parse(t, test.in)))
			if err != nil || got.JSON() != `{"Response":{"sum":3}}` {
				t.Errorf("Run() = %s, %v; want the answer as Response", got.JSON(), err)
			}
			if len(host.asked) != 1 || host.asked[0] != test.asked {
				t.Errorf("the host was asked %q, want %q", host.asked, test.asked)
			}
		})
	}
}

func TestPluginConverses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, settings, in, outputs, said string
		talk                              component.Talk
		want                              string
	}{
		{
			"text", `{"agentId":"sub","model":"m","descForModel":"Help {{Prompt}}."}`, `{"Prompt":"Ada"}`, "", "Hello.",
			component.Talk{Model: "m", System: "Help Ada.", Prompt: "Ada", AgentID: "sub"}, `{"Response":"Hello."}`,
		},
		{
			"older name of the model, deployed", `{"agentId":"sub","openAiModel":"old","version":"prod-latest"}`, `{"Prompt":1}`, "", `so: {"a":1}`,
			component.Talk{Model: "old", Prompt: "1", AgentID: "sub", Version: "latest"}, `{"Response":{"a":1}}`,
		},
		{
			"outputs", `{"agentId":"sub"}`, `{"Prompt":{"a":[1]}}`, "score", `{"score":3}`,
			component.Talk{Prompt: "{\"a\":[1]}\n##\nExpected output format = {\"score\":\"<value>\"}\nThe output JSON should only use the entries from the output format.", AgentID: "sub"},
			`{"Response":{"score":3}}`,
		},
		{
			"placeholders of the prompt are data", `{"agentId":"sub","descForModel":"{{Prompt}}"}`, `{"Prompt":"{{secret}}"}`, "", "no",
			component.Talk{System: "{{secret}}", Prompt: "{{secret}}", AgentID: "sub"}, `{"Response":"no"}`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inst := agentPlugin().Compile(parse(t, test.settings))
			host, node := &fakeHost{said: test.said}, &component.Node{Outputs: []component.NodePort{{Name: "Response", Default: true}}}
			if test.outputs != "" {
				node.Outputs = append(node.Outputs, component.NodePort{Name: test.outputs})
			}
			got, err := inst.Run(t.Context(), &component.Call{Host: host, Agent: &component.Agent{}, Node: node}, input(parse(t, test.in)))
			if err != nil || got.JSON() != test.want {
				t.Errorf("Run() = %s, %v; want %s", got.JSON(), err, test.want)
			}
			if len(host.talks) != 1 || !reflect.DeepEqual(host.talks[0], test.talk) {
				t.Errorf("the host was asked for %+v, want %+v", host.talks, test.talk)
			}
		})
	}
}

func TestPluginFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, settings, want string
		err                  error
		kind                 fault.Kind
	}{
		{"no agent", `{"skill":"calc"}`, "Agent Component ID is required!", nil, fault.Invalid},
		{"the provider refuses", `{"agentId":"sub"}`, "Error on running Agent Component!\n400 nope", &fault.Error{Op: "llm.stream", Kind: fault.Invalid, Err: llm.Refused(400, "nope")}, fault.Invalid},
		{"the other agent fails", `{"agentId":"sub","skill":"calc"}`, "Error on running Agent Component!\n400 nope", fault.Newf(fault.Unavailable, "400 nope"), fault.Unavailable},
		{"depth", `{"agentId":"sub","skill":"calc"}`, "Error on running Agent Component!\nLIMIT_EXCEEDED(depth)", fault.Limitf("depth", "LIMIT_EXCEEDED(depth)"), fault.Limit},
		{"the run is over", `{"agentId":"sub","skill":"calc"}`, "Error on running Agent Component!\ncontext canceled", context.Canceled, fault.Canceled},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inst := agentPlugin().Compile(parse(t, test.settings))
			call := &component.Call{Host: &fakeHost{err: test.err}, Agent: &component.Agent{}, Node: &component.Node{}}
			got, err := inst.Run(t.Context(), call, input(value.Obj()))
			if err == nil || err.Error() != test.want || !fault.Is(err, test.kind) {
				t.Errorf("Run() = %s, %v (%v); want the error %q (%v)", got.JSON(), err, fault.KindOf(err), test.want, test.kind)
			}
			var provider *llm.ProviderError
			if test.err != nil && !errors.Is(err, test.err) && !errors.As(err, &provider) {
				t.Errorf("the error %v does not hold its cause", err)
			}
		})
	}
}

func TestPluginViolations(t *testing.T) {
	t.Parallel()
	found := agentPlugin().Violations(value.Obj())
	if len(found) != 1 || found[0].Message != `"agentId" is required` {
		t.Errorf("Violations() = %v, want that agentId is required", found)
	}
}
