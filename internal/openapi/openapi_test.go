package openapi

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/value"
)

// TestDocument_Recorded compares with the documents that the reference made.
func TestDocument_Recorded(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"openapi", "openapi-minimal"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join("..", "conformance", "testdata", "cases", "kernel", name)
			doc := read(t, filepath.Join(dir, "agent.smyth"))
			ops, want := load(t, filepath.Join(dir, "case.json")).Get("ops").Items(), load(t, filepath.Join(dir, "expected.json")).Get("results").Items()
			for i, op := range ops {
				if want[i].Get("value").IsAbsent() {
					continue // an agent that does not exist: nothing to describe
				}
				from := doc
				if id := op.GetString("agentId"); id != "" {
					from = read(t, filepath.Join("..", "conformance", "testdata", "cases", "_shared", "agents", id+".smyth"))
				}
				models, _ := op.Get("aiOnly").Boolean()
				got := Document(from, Options{Server: op.GetString("server"), Version: op.GetString("version"), ForModels: models})
				if !value.Equal(got, want[i].Get("value")) {
					t.Errorf("op %d: got\n%s\nwant\n%s", i, got.JSON(), want[i].Get("value").JSON())
				}
			}
		})
	}
}

func read(t *testing.T, path string) *agentfile.Document {
	t.Helper()
	doc, err := agentfile.FromValue(load(t, path), agentfile.Bounds{Components: 100})
	if err != nil {
		t.Fatal(err)
	}
	return doc
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
