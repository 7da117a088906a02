package agentfile

import (
	"errors"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
)

func bounds() Bounds { return Bounds{Bytes: 1 << 20, Components: 100, Depth: 50, Values: 100_000} }

const (
	endpoint = `{"id":"a","name":"APIEndpoint","data":{"endpoint":"go"},"inputs":[{"name":"x"}],"outputs":[{"name":"body.x"}]}`
	output   = `{"id":"b","name":"APIOutput","data":{"format":"full"},"inputs":[{"name":"r"}],"outputs":[{"name":"Output","default":true}]}`
)

func file(components, connections string) string {
	return `{"id":"t","components":[` + components + `],"connections":[` + connections + `]}`
}

func TestParse(t *testing.T) {
	t.Parallel()
	both := endpoint + "," + output
	tests := []struct{ name, text string }{
		{"flat", file(both, `{"sourceId":"a","sourceIndex":0,"targetId":"b","targetIndex":0}`)},
		{"names", file(both, `{"sourceId":"a","sourceIndex":"body.x","targetId":"b","targetIndex":"r"}`)},
		{"mixed", file(both, `{"sourceId":"a","sourceIndex":0,"targetId":"b","targetIndex":"r"}`)},
		{"wrapped", `{"version":"1.0","data":` + file(both, `{"sourceId":"a","sourceIndex":0,"targetId":"b","targetIndex":0}`) + `}`},
		{"byte order mark", "\ufeff" + file(both, `{"sourceId":"a","sourceIndex":0,"targetId":"b","targetIndex":0}`)},
		{"pretty", "\n  " + strings.ReplaceAll(file(both, `{"sourceId":"a","sourceIndex":0,"targetId":"b","targetIndex":0}`), ",", ",\n")},
	}
	for _, test := range tests {
		doc, err := Parse([]byte(test.text), bounds())
		if err != nil {
			t.Errorf("%s: Parse() error = %v", test.name, err)
			continue
		}
		if len(doc.Components) != 2 || len(doc.Connections) != 1 || doc.Connections[0] != (Connection{0, 0, 1, 0}) || doc.ID != "t" {
			t.Errorf("%s: got %d components and %+v", test.name, len(doc.Components), doc.Connections)
		}
		if !doc.Components[1].Inputs[0].Connected || doc.Components[0].Inputs[0].Connected {
			t.Errorf("%s: the connected input is not marked", test.name)
		}
	}
}

// TestT43_Structure: a file that cannot be an agent is refused with the place of each fault.
func TestT43_Structure(t *testing.T) {
	t.Parallel()
	both := endpoint + "," + output
	conn := func(c string) string { return file(both, c) }
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	tests := []struct {
		name, text string
		pointers   []string
	}{
		{"no object", `[]`, []string{""}},
		{"no components", `{"connections":[]}`, []string{"/components"}},
		{"component of text", file(`"x"`, ``), []string{"/components/0"}},
		{"no id and no type", file(`{}`, ``), []string{"/components/0/id", "/components/0/name"}},
		{"same id twice", file(endpoint+","+endpoint, ``), []string{"/components/1/id"}},
		{"settings of text", file(`{"id":"a","name":"X","data":"x"}`, ``), []string{"/components/0/data"}},
		{"input of text", file(`{"id":"a","name":"X","inputs":["x"]}`, ``), []string{"/components/0/inputs/0"}},
		{"to nowhere", conn(`{"sourceId":"a","sourceIndex":0,"targetId":"c","targetIndex":0}`), []string{"/connections/0/targetId"}},
		{"from nowhere", conn(`{"sourceId":"","sourceIndex":0,"targetId":"b","targetIndex":0}`), []string{"/connections/0/sourceId"}},
		{"index below", conn(`{"sourceId":"a","sourceIndex":-1,"targetId":"b","targetIndex":0}`), []string{"/connections/0/sourceIndex"}},
		{"index beyond", conn(`{"sourceId":"a","sourceIndex":0,"targetId":"b","targetIndex":7}`), []string{"/connections/0/targetIndex"}},
		{"index of 1e308", conn(`{"sourceId":"a","sourceIndex":1e308,"targetId":"b","targetIndex":0}`), []string{"/connections/0/sourceIndex"}},
		{"index of half", conn(`{"sourceId":"a","sourceIndex":0.5,"targetId":"b","targetIndex":0}`), []string{"/connections/0/sourceIndex"}},
		{"name of no input", conn(`{"sourceId":"a","sourceIndex":0,"targetId":"b","targetIndex":"rr"}`), []string{"/connections/0/targetIndex"}},
		{"two faults", conn(`{"sourceId":"x","sourceIndex":0,"targetId":"y","targetIndex":0}`), []string{"/connections/0/sourceId", "/connections/0/targetId"}},
		{"case variant", `{"teamId":"a","TeamID":"victim","components":[],"connections":[]}`, []string{"/TeamID"}},
		{"same key twice", `{"teamId":"a","teamId":"victim","components":[]}`, []string{"/teamId"}},
		{"variables of text", `{"variables":"x","components":[],"connections":[]}`, []string{"/variables"}},
		{"truncated", file(endpoint, ``)[:60], nil},
		{"bad encoding", "{\"id\":\"\xff\"}", nil},
		{"number that is none", `{"components":[NaN]}`, []string{"/components/0"}},
		{"nested too deep", `{"components":` + deep + `}`, nil},
		{"too many components", file(strings.TrimSuffix(strings.Repeat(`{"id":"x","name":"y"},`, 101), ","), ``), []string{"/components"}},
		{"too large", file(`"`+strings.Repeat("x", 1<<20)+`"`, ``), nil},
	}
	for _, test := range tests {
		_, err := Parse([]byte(test.text), bounds())
		if err == nil {
			t.Errorf("%s: Parse() took it", test.name)
			continue
		}
		if code := fault.CodeOf(err); code != "INVALID_DEFINITION" && !fault.Is(err, fault.Limit) {
			t.Errorf("%s: Parse() error = %v with code %s, want INVALID_DEFINITION or a limit", test.name, err, code)
		}
		var problems Problems
		errors.As(err, &problems)
		for _, want := range test.pointers {
			found := false
			for _, p := range problems {
				found = found || p.Pointer == want
			}
			if !found {
				t.Errorf("%s: Parse() error = %v, want a problem at %q", test.name, err, want)
			}
		}
	}
}

// TestT44_Authority: what a file says of its rights is kept for display and gives none.
func TestT44_Authority(t *testing.T) {
	t.Parallel()
	doc, err := Parse([]byte(`{"id":"t","teamId":"victim","debugSessionEnabled":true,"usingTestDomain":true,"domain":"x","components":[],"connections":[]}`), bounds())
	if err != nil {
		t.Fatal(err)
	}
	if doc.ClaimedTeam != "victim" || !doc.DebugSession {
		t.Errorf("the claims of the file are not kept: %q, %t", doc.ClaimedTeam, doc.DebugSession)
	}
}

// TestT45_EndpointCollision: two skills that cannot be told apart are an error of the file.
func TestT45_EndpointCollision(t *testing.T) {
	t.Parallel()
	twice := strings.Replace(endpoint, `"id":"a"`, `"id":"c"`, 1)
	doc, err := Parse([]byte(file(endpoint+","+twice, ``)), bounds())
	if err != nil {
		t.Fatal(err)
	}
	bad := doc.Problems.AtLeast(Error)
	if len(bad) != 1 || bad[0].Pointer != "/components/1/data/endpoint" {
		t.Errorf("Problems = %v, want one at the second endpoint", bad)
	}
}

func TestSheet(t *testing.T) {
	t.Parallel()
	doc, err := Parse([]byte(file(`{"id":"a","name":"APICall","data":{"url":"https://api.test:8443/x?k={{KEY(weather)}}","proxy":"http://{{host}}/"}},
		{"id":"b","name":"ServerlessCode","data":{"model":"Echo","deep":[{"u":"wss://ws.test"}]}},
		{"id":"c","name":"AgentPlugin","data":{"agentId":"other"}},{"id":"d","name":"X","data":{"triggerEndpoint":"mail"}},
		{"id":"e","name":"MCPClient","data":{"mcpUrl":"mcp:files","model":{"provider":"OpenAI","modelId":"own"}}}`, ``)), bounds())
	if err != nil {
		t.Fatal(err)
	}
	s := doc.Sheet()
	got := strings.Join([]string{strings.Join(s.Hosts, ","), strings.Join(s.Keys, ","), strings.Join(s.Models, ","), strings.Join(s.Agents, ","), strings.Join(s.Code, ","), strings.Join(s.Triggers, ","), strings.Join(s.Servers, ",")}, " | ")
	if want := "(from data),api.test:8443,ws.test | weather | Echo,own | other | b | /trigger/mail | mcp:files"; got != want {
		t.Errorf("Sheet() = %s\nwant %s", got, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(file(endpoint+","+output, `{"sourceId":"a","sourceIndex":0,"targetId":"b","targetIndex":"r"}`)))
	f.Add([]byte(`{"data":{"components":[],"connections":[]}}`))
	f.Add([]byte(`{"components":[{"id":"a","name":"b","inputs":[{}],"outputs":[{"name":""}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, err := Parse(text, bounds())
		if (doc == nil) == (err == nil) {
			t.Fatalf("Parse() = %v, %v; want a document or an error", doc, err)
		}
		if err != nil {
			if k := fault.KindOf(err); k != fault.Invalid && k != fault.Limit {
				t.Errorf("Parse() error of kind %v: %v", k, err)
			}
			return
		}
		for _, c := range doc.Connections {
			if c.Source >= len(doc.Components) || c.Output >= len(doc.Components[c.Source].Outputs) || c.Target >= len(doc.Components) || c.Input >= len(doc.Components[c.Target].Inputs) {
				t.Errorf("a connection points outside of the agent: %+v", c)
			}
		}
		doc.Sheet()
	})
}
