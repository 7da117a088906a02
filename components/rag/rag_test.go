package rag

import (
	"context"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/access/accesstest"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/subsystem/io/vectordb"
	"github.com/sre-go/sre/subsystem/io/vectordb/ramvec"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// world is a vector database in memory with two teams: a1 and a2 of one, b1 of the other.
type world struct {
	*testing.T
	services *connector.Services
	logs     []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	env := connector.Env{Effects: effect.System{}, Events: &event.Bus{}, Services: connector.NewServices()}
	conn, err := ramvec.Definition().Open(t.Context(), env, parse(t, `{"embeddings":{"dimensions":26,"chunkSize":30,"chunkOverlap":5}}`))
	if err != nil {
		t.Fatal(err)
	}
	in := connector.Instances[vectordb.Connector]{Default: "it", ByID: map[string]vectordb.Connector{"it": conn.(vectordb.Connector)}}
	env.Services.Put(vectordb.Kind, vectordb.New(env, in, accesstest.TwoTeams(), letters))
	return &world{T: t, services: env.Services}
}

// letters makes vectors that count the first letters of words.
func letters(_ context.Context, _ access.Candidate, req llm.EmbedRequest) (llm.Embeddings, error) {
	var out llm.Embeddings
	for _, text := range req.Texts {
		v := make([]float32, req.Dimensions)
		for word := range strings.FieldsSeq(strings.ToLower(text)) {
			if c := word[0]; c >= 'a' && c <= 'z' {
				v[c-'a']++
			}
		}
		out.Vectors = append(out.Vectors, v)
	}
	return out, nil
}

func parse(t *testing.T, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// run calls a component as an agent and returns its outputs, or the error.
func (w *world) run(agent, typ, settings, inputs string) (value.Value, error) {
	w.Helper()
	who, err := access.Agent(agent)
	if err != nil {
		w.Fatal(err)
	}
	for _, d := range Definitions() {
		if d.Name != typ {
			continue
		}
		raw := parse(w.T, settings)
		if bad := d.Violations(raw); len(bad) > 0 {
			w.Fatalf("%s(%s): %+v", typ, settings, bad)
		}
		instance := d.Compile(raw)
		call := &component.Call{
			Scope: scope.New(w.services, who), Node: &component.Node{ID: "C", Type: typ, Settings: raw}, Agent: &component.Agent{ID: agent, Team: "claimed"},
			Effects: effect.System{}, Sink: func(_, message string) { w.logs = append(w.logs, message) },
		}
		return instance.Run(w.Context(), call, component.Input{Extra: parse(w.T, inputs)})
	}
	w.Fatalf("no component %s", typ)
	return value.Value{}, nil
}

// want checks the outputs of a call.
func (w *world) want(agent, typ, settings, inputs, want string) {
	w.Helper()
	got, err := w.run(agent, typ, settings, inputs)
	if err != nil || got.JSON() != want {
		w.Errorf("%s(%s) of %s = %s, %v, want %s", typ, settings, inputs, got.JSON(), err, want)
	}
}

// wantError checks the error of a call.
func (w *world) wantError(agent, typ, settings, inputs, want string) {
	w.Helper()
	if got, err := w.run(agent, typ, settings, inputs); err == nil || !strings.Contains(err.Error(), want) {
		w.Errorf("%s(%s) of %s = %s, %v, want an error with %q", typ, settings, inputs, got.JSON(), err, want)
	}
}

const keepSettings = `{"namespace":"team_notes","id":"{{id}}","name":"{{label}}","metadata":"{{md}}"}`

func TestComponents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want("a1", "DataSourceIndexer", keepSettings, `{"Source":"apples and bananas","id":"a","label":"Fruit","md":"{\"page\":1}"}`, `{"Success":{"result":true,"id":"a"}}`)
	w.want("a1", "DataSourceIndexer", keepSettings, `{"Source":"cats and dogs","id":"b","md":"plain"}`, `{"Success":{"result":true,"id":"b"}}`)
	w.want("a1", "DataSourceIndexer", keepSettings, `{"Source":"zebras","id":"c"}`, `{"Success":{"result":true,"id":"c"}}`)

	w.want("a2", "DataSourceLookup", `{"namespace":"notes","topK":"1"}`, `{"Query":"big apples"}`, `{"Results":["apples and bananas"]}`)
	w.want("a2", "DataSourceLookup", `{"namespace":"x_notes"}`, `{"Query":"an"}`, `{"Results":["apples and bananas","cats and dogs"]}`)
	w.want("a2", "DataSourceLookup", `{"namespace":"x_notes","topK":0,"scoreThreshold":"0.7"}`, `{"Query":"apples and bananas"}`, `{"Results":["apples and bananas"]}`)
	w.want("a1", "DataSourceLookup", `{"namespace":"notes","topK":1,"includeMetadata":true}`, `{"Query":"bananas"}`, `{"Results":[{"content":"apples and bananas","metadata":{"page":1}}]}`)
	w.want("a1", "DataSourceLookup", `{"namespace":"notes","topK":1,"includeMetadata":true}`, `{"Query":"dogs"}`, `{"Results":[{"content":"cats and dogs","metadata":"plain"}]}`)
	w.want("a1", "DataSourceLookup", `{"namespace":"notes","includeMetadata":true,"includeScore":true}`, `{"Query":"zebras"}`, `{"Results":[{"content":"zebras","score":1}]}`)
	w.want("a1", "DataSourceLookup", `{"namespace":"notes"}`, `{"Query":{"z":1}}`, `{"Results":[]}`)
	w.want("a1", "DataSourceLookup", `{"namespace":"notes"}`, `{"Query":"yaks"}`, `{"Results":[]}`)

	w.want("a2", "DataSourceCleaner", `{"namespaceId":"notes","id":"{{id}}"}`, `{"id":"c"}`, `{"Success":true}`)
	w.want("a2", "DataSourceCleaner", `{"namespaceId":"notes","id":"never"}`, `{}`, `{"Success":true}`)
	w.want("a1", "DataSourceLookup", `{"namespace":"notes"}`, `{"Query":"zebras"}`, `{"Results":[]}`)
	w.want("a1", "DataSourceCleaner", `{"namespaceId":"c012345678901234567890abc_notes","id":"b"}`, `{}`, `{"Success":true}`)
	w.want("a1", "DataSourceLookup", `{"namespace":"notes"}`, `{"Query":"and dogs"}`, `{"Results":["apples and bananas"]}`)
	for _, want := range []string{"== Source Indexer Log ==\nkept a in notes as 1 chunks", "== Data Source Lookup Log ==\nfound 1 chunks in notes", "removed c from notes"} {
		if all := strings.Join(w.logs, "|"); !strings.Contains(all, want) {
			t.Errorf("the log %q does not have %q", all, want)
		}
	}
}

func TestChunkSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := strings.Repeat("words in a row ", 20)
	w.want("a1", "DataSourceIndexer", `{"namespace":"n","id":"a","chunkSize":1000}`, `{"Source":"`+long+`"}`, `{"Success":{"result":true,"id":"a"}}`)
	got, err := w.run("a1", "DataSourceLookup", `{"namespace":"n"}`, `{"Query":"words"}`)
	if err != nil || got.Get("Results").Len() != 1 {
		t.Errorf("with large chunks %d are found (%v), want 1", got.Get("Results").Len(), err)
	}
	w.want("a1", "DataSourceIndexer", `{"namespace":"n","id":"a"}`, `{"Source":"`+long+`"}`, `{"Success":{"result":true,"id":"a"}}`)
	if got, err = w.run("a1", "DataSourceLookup", `{"namespace":"n"}`, `{"Query":"words"}`); err != nil || got.Get("Results").Len() < 10 {
		t.Errorf("with those that are configured %d are found (%v), want more than 10", got.Get("Results").Len(), err)
	}
	w.wantError("a1", "DataSourceIndexer", `{"namespace":"n","id":"a","chunkSize":10,"chunkOverlap":10}`, `{"Source":"text"}`, "chunkOverlap >= chunkSize")
}

func TestErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const badID = "Invalid id. Accepted characters: 'a-z', 'A-Z', '0-9', '-', '_', '.'"
	w.wantError("a1", "DataSourceLookup", `{"namespace":"t_notes"}`, `{"Query":"x"}`, "Namespace notes does not exist")
	w.wantError("a1", "DataSourceCleaner", `{"namespaceId":"notes","id":"x"}`, `{}`, "Namespace notes does not exist")
	w.wantError("a1", "DataSourceIndexer", `{"namespace":"notes","id":""}`, `{"Source":"text"}`, "Id is required")
	for _, id := range []string{"a b", "ä", "a/b", "a:b", "../x", "{{{id}}}", strings.Repeat("x", 300)} {
		w.wantError("a1", "DataSourceIndexer", keepSettings, `{"Source":"text","id":"`+id+`"}`, badID)
	}
	for _, url := range []string{"https://example.com/x", " http://example.com ", "ftp://example.com/file"} {
		w.wantError("a1", "DataSourceIndexer", `{"namespace":"notes","id":"u"}`, `{"Source":"`+url+`"}`, "URLs are not supported yet")
	}
	w.want("a1", "DataSourceIndexer", `{"namespace":"notes","id":"u"}`, `{"Source":"see https://example.com/x for more"}`, `{"Success":{"result":true,"id":"u"}}`)
	for _, source := range []string{`{"a":"x"}`, "5", "[]", "true", "null"} {
		w.wantError("a1", "DataSourceIndexer", `{"namespace":"notes","id":"o"}`, `{"Source":`+source+`}`, "only text can be kept")
	}
	w.wantError("a1", "DataSourceIndexer", `{"namespace":"notes","id":"e"}`, `{"Source":"  "}`, "there is no text to keep")
	w.wantError("a1", "DataSourceIndexer", `{"namespace":"","id":"e"}`, `{"Source":"text"}`, "a namespace needs a name")
	w.wantError("a1", "DataSourceLookup", `{"namespace":"notes","postprocess":true}`, `{"Query":"x"}`, "connect Results to a component that asks a model")
}

// What a team keeps is out of reach for the agents of others, whatever their files say of teams.
func TestT19_OtherTeams(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want("a1", "DataSourceIndexer", `{"namespace":"ta_notes","id":"s"}`, `{"Source":"secret plan"}`, `{"Success":{"result":true,"id":"s"}}`)
	for _, name := range []string{"notes", "ta_notes", "team:ta/notes", "t_ta_notes", "../ta/notes", "ta/notes"} {
		settings := `{"namespace":"` + name + `"}`
		if got, err := w.run("b1", "DataSourceLookup", settings, `{"Query":"secret"}`); err == nil {
			t.Errorf("b1 finds %s in %s", got.JSON(), name)
		}
		if got, err := w.run("b1", "DataSourceCleaner", `{"namespaceId":"`+name+`","id":"s"}`, `{}`); err == nil {
			t.Errorf("b1 removes from %s: %s", name, got.JSON())
		}
	}
	w.want("b1", "DataSourceIndexer", `{"namespace":"ta_notes","id":"s"}`, `{"Source":"other"}`, `{"Success":{"result":true,"id":"s"}}`)
	w.want("a2", "DataSourceLookup", `{"namespace":"notes"}`, `{"Query":"secret plan"}`, `{"Results":["secret plan"]}`)
	w.want("b1", "DataSourceLookup", `{"namespace":"notes"}`, `{"Query":"secret plan other"}`, `{"Results":["other"]}`)
	for _, typ := range []string{"DataSourceLookup", "DataSourceIndexer"} {
		if _, err := w.run("stranger", typ, `{"namespace":"notes","id":"x"}`, `{"Query":"x","Source":"x"}`); !fault.Is(err, fault.Denied) {
			t.Errorf("%s of an agent without a team = %v, want it denied", typ, err)
		}
	}
}

// Text that comes from outside is kept and shown as it is: placeholders in it are no templates.
func TestT28_NoSecondExpansion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want("a1", "DataSourceIndexer", keepSettings, `{"Source":"{{KEY(token)}} {{id}}","id":"a","label":"{{md}}","md":"{{KEY(token)}}"}`, `{"Success":{"result":true,"id":"a"}}`)
	w.want("a1", "DataSourceLookup", `{"namespace":"notes","includeMetadata":true}`, `{"Query":"{{KEY(token)}} {{id}}"}`, `{"Results":[]}`)
	w.want("a1", "DataSourceIndexer", keepSettings, `{"Source":"words {{KEY(token)}}","id":"a","md":"{{KEY(token)}}"}`, `{"Success":{"result":true,"id":"a"}}`)
	w.want("a1", "DataSourceLookup", `{"namespace":"notes","includeMetadata":true}`, `{"Query":"words"}`, `{"Results":[{"content":"words {{KEY(token)}}","metadata":"{{KEY(token)}}"}]}`)
}
