package llms

import (
	"os"
	"testing"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// What is added to a prompt and what is read from an answer is as recorded, of a model and of Echo, which is literal.
func TestPrompts_Recorded(t *testing.T) {
	t.Parallel()
	const dir = "../../internal/conformance/testdata/cases/kernel/llm-prompt-processing/"
	ops, results := load(t, dir+"case.json").Get("ops").Items(), load(t, dir+"expected.json").Get("results").Items()
	if len(ops) < 10 || len(ops) != len(results) {
		t.Fatalf("%d ops and %d results, want those of the case", len(ops), len(results))
	}
	for i, op := range ops {
		literal := op.GetString("model") == "Echo"
		var got value.Value
		switch op.GetString("op") {
		case "llm.enhance":
			prompt := op.GetString("prompt")
			if !literal {
				prompt = llm.Expect(prompt, expected(ports(op.Get("config").Get("outputs"))), placeholder(op.Get("config").GetString("name")))
			}
			got = value.Of(prompt)
		case "llm.postprocess":
			got = parse(op.GetString("text"), literal)
		default:
			t.Fatalf("unknown op %s", op.JSON())
		}
		if want := results[i].Get("value"); !value.Equal(got, want) {
			t.Errorf("%s: got %s, want %s", op.JSON(), got.JSON(), want.JSON())
		}
	}
}

func placeholder(name string) string {
	if name == "Classifier" {
		return llm.YesOrText
	}
	return llm.AnyValue
}

func ports(list value.Value) []component.NodePort {
	var out []component.NodePort
	for _, o := range list.Items() {
		out = append(out, component.NodePort{Name: o.GetString("name"), Description: o.GetString("description"), Default: o.Get("default").Truthy()})
	}
	return out
}

func load(t *testing.T, path string) value.Value {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	v, err := value.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
