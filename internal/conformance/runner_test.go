package conformance

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// noter is the system source with a clock that notes how long it should have slept.
type noter struct {
	effect.System
	mu    sync.Mutex
	slept []time.Duration
}

func (n *noter) Sleep(ctx context.Context, d time.Duration) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if d > 0 {
		n.slept = append(n.slept, d)
	}
	return context.Cause(ctx)
}

// puppet is a subject whose agents answer as the path of a request says.
type puppet struct{ env Environment }

func (p puppet) Deploy(_ context.Context, agent value.Value) (Agent, error) {
	if agent.GetString("id") == "broken" {
		return nil, errors.New("no such component")
	}
	return puppetAgent(p), nil
}

func (p puppet) Operate(_ context.Context, agent value.Value, op Op) (value.Value, error) {
	switch op.Name {
	case "fields":
		return op.Fields, nil
	case "agent":
		return agent, nil
	}
	return value.Value{}, fault.Newf(fault.Unsupported, "cannot %s", op.Name)
}

type puppetAgent struct{ env Environment }

func (puppetAgent) Close() {}

func (a puppetAgent) Run(ctx context.Context, r Request) Response {
	switch r.Path {
	case "/hang":
		<-ctx.Done()
		return Response{Threw: ctx.Err().Error()}
	case "/fetch":
		for _, url := range r.Body.Items() {
			if err := call(ctx, url.Plain()); err != nil {
				return Response{Threw: err.Error()}
			}
		}
		return Response{Data: value.Of("fetched")}
	case "/vault":
		return Response{Data: a.env.Vault}
	}
	return Response{Data: r.Body}
}

func call(ctx context.Context, url string) error {
	body := http.NoBody
	method := http.MethodGet
	if strings.Contains(url, "/v1/") {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer k")
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func bootPuppet(_ testing.TB, env Environment) Subject { return puppet{env} }

// loadOne makes a case of its files.
func loadOne(t *testing.T, spec, agent, expected string) *Case {
	t.Helper()
	files := fstest.MapFS{
		"a/b/case.json": &fstest.MapFile{Data: []byte(spec)}, "a/b/expected.json": &fstest.MapFile{Data: []byte(expected)},
		"a/b/agent.smyth": &fstest.MapFile{Data: []byte(agent)},
	}
	cases, err := Load(files, &Shared{Vault: value.Obj(value.M("at", value.Of("${HTTP_HOST}")))})
	if err != nil {
		t.Fatal(err)
	}
	return cases[0]
}

func TestRunner_Run(t *testing.T) {
	t.Parallel()
	const agent = `{"id":"x","components":[{"name":"X"}]}`
	const none = `,"llm_requests":[],"http_requests":[]}`
	for name, c := range map[string]struct {
		spec, agent, expected, table string
		class                        string
		differs                      string
	}{
		"same":          {`{"requests":[{"path":"/","body":{"a":1}}]}`, agent, `{"responses":[{"data":{"a":1}}]` + none, "", "same", ""},
		"differs":       {`{"requests":[{"path":"/","body":{"a":1}}]}`, agent, `{"responses":[{"data":{"a":2}}]` + none, "", "differs", "/responses/0/data/a"},
		"quirk differs": {`{"quirk":true,"requests":[{"path":"/","body":1}]}`, agent, `{"responses":[{"data":2}]` + none, "", "quirk differs", "/responses/0/data"},
		"promised": {`{"quirk":true,"requests":[{"path":"/","body":1}]}`, agent, `{"responses":[{"data":2}]` + none,
			`[{"case":"a/b","reason":"better.","set":{"/responses/0/data":1}}]`, "differs as promised", ""},
		"promise broken": {`{"quirk":true,"requests":[{"path":"/","body":2}]}`, agent, `{"responses":[{"data":2}]` + none,
			`[{"case":"a/b","reason":"better.","set":{"/responses/0/data":1}}]`, "differs", "/responses/0/data"},
		"promise of nothing": {`{"requests":[{"path":"/","body":2}]}`, agent, `{"responses":[{"data":2}]` + none,
			`[{"case":"a/b","reason":"better.","set":{"/x/y":1}}]`, "not run", ""},
		"noise is ignored": {`{"requests":[{"path":"/","body":1}]}`, agent, `{"responses":[{"data":1,"unhandled":["x"]}],"unhandled":[]` + none, "", "same", ""},
		"earlier response": {`{"requests":[{"path":"/","body":{"id":"dbg-ABCDEFGHIJKLMNOPQRSTUVWX27"}},{"path":"/","body":["${RESP:0:data.id}"]}]}`, agent,
			`{"responses":[{"data":{"id":"dbg-<UID>"}},{"data":["dbg-<UID>"]}]` + none, "", "same", ""},
		"all at once": {`{"parallel":true,"requests":[{"path":"/","body":1},{"path":"/","body":2},{"path":"/","body":3}]}`, agent,
			`{"responses":[{"data":1},{"data":2},{"data":3}]` + none, "", "same", ""},
		"time runs out": {`{"requests":[{"path":"/hang","timeout_ms":5}]}`, agent, `{"responses":[{"timeout":true}]` + none, "", "same", ""},
		"not deployed": {`{"requests":[{"path":"/"},{"path":"/"}]}`, `{"id":"broken","components":[]}`,
			`{"responses":[{"threw":"no such component"},{"threw":"no such component"}]` + none, "", "same", ""},
		"environment": {`{"requests":[{"path":"/vault"}]}`, agent, `{"responses":[{"data":{"at":"${HTTP_HOST}"}}]` + none, "", "same", ""},
		"requests to servers": {`{"http":{"GET /r":{"headers":{"location":"${HTTP_BASE_URL}"}}},"requests":[{"path":"/fetch","body":["${HTTP_BASE_URL}/r?x=1","${HTTP_BASE_URL}/text","${LLM_BASE_URL}/embeddings"]}]}`, agent,
			`{"responses":[{"data":"fetched"}],"llm_requests":[{"path":"/embeddings","authorization":"of another","body":""}],
			 "http_requests":[{"method":"GET","path":"/text","query":{},"headers":{"authorization":"Bearer k"}},{"method":"GET","path":"/r","query":{"x":"1"},"headers":{"authorization":"Bearer k"}}]}`, "", "same", ""},
		"other requests": {`{"requests":[{"path":"/fetch","body":["${HTTP_BASE_URL}/text","${LLM_BASE_URL}/messages"]}]}`, agent,
			`{"responses":[{"data":"fetched"}],"llm_requests":[{"path":"/messages","authorization":"Bearer other","body":""}],"http_requests":[]}`, "", "other requests",
			"/llm_requests/0/authorization /http_requests/0"},
		"ops": {`{"kind":"kernel","ops":[{"op":"fields","a":"${LLM_HOST}"},{"op":"nope"},{"op":"none"}]}`, "",
			`{"results":[{"value":{"a":"${LLM_HOST}"}},{"error":"cannot nope"},{"error":"cannot none"}]` + none, "", "same", ""},
		"op on the agent":   {`{"kind":"kernel","ops":[{"op":"agent"}]}`, agent, `{"results":[{"value":` + agent + `}]` + none, "", "same", ""},
		"op gives nothing":  {`{"kind":"sdk","ops":[{"op":"agent"}]}`, "", `{"results":[{"undefined":true}]` + none, "", "same", ""},
		"no conversations":  {`{"kind":"conversation","prompts":[]}`, agent, `{"turns":[]` + none, "", "not run", ""},
		"script not known":  {`{"llm":[{"reply":{"x":1}}],"requests":[{}]}`, agent, `{"responses":[{}]` + none, "", "not run", ""},
		"agent is no JSON":  {`{"requests":[{}]}`, `{`, `{"responses":[{}]` + none, "", "not run", ""},
		"unclear recording": {`{"nondeterministic":"shape","requests":[{}]}`, agent, `{}`, "", "unclear", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := []Difference{}
			if c.table != "" {
				var err error
				if table, err = ParseDifferences(c.table); err != nil {
					t.Fatal(err)
				}
			}
			o := NewRunner(bootPuppet, table, nil).Run(t, loadOne(t, c.spec, c.agent, c.expected))
			if o.class() != c.class || pointers(slices.Concat(o.Data, o.Wire)) != c.differs {
				t.Errorf("Run() is %q at %q, want %q at %q\n%s", o.class(), pointers(slices.Concat(o.Data, o.Wire)), c.class, c.differs, o)
			}
			wantFailed := !slices.Contains([]string{"same", "differs as promised", "unclear"}, c.class)
			if o.Failed() != wantFailed {
				t.Errorf("Failed() = %v, want %v", o.Failed(), wantFailed)
			}
			if text := o.String(); !strings.HasPrefix(text, "a/b ("+c.class+")") {
				t.Errorf("String() = %q", text)
			}
		})
	}
}

func TestRunner_Waits(t *testing.T) {
	t.Parallel()
	c := loadOne(t, `{"requests":[{"path":"/","body":1,"wait_ms":40,"settle_ms":60}]}`, `{"components":[{}]}`, `{"responses":[{"data":1}]}`)
	source := &noter{}
	if o := NewRunner(bootPuppet, nil, source).Run(t, c); o.Failed() {
		t.Error(o)
	}
	if want := []time.Duration{40 * time.Millisecond, 60 * time.Millisecond}; !slices.Equal(source.slept, want) {
		t.Errorf("slept %v, want %v", source.slept, want)
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	diff := []Diff{{Pointer: "/x"}}
	s := Summary{Outcomes: []Outcome{
		{Case: &Case{Name: "b/2", Area: "b", Quirk: true}, Data: diff},
		{Case: &Case{Name: "b/1", Area: "b", Quirk: true}},
		{Case: &Case{Name: "a/2", Area: "a"}, Data: diff, Wire: diff},
		{Case: &Case{Name: "a/1", Area: "a", Quirk: true}, Promised: true},
	}}
	s.sort()
	if got, want := s.Failed(""), []string{"a/2", "b/2"}; !slices.Equal(got, want) {
		t.Errorf("Failed() = %q, want %q", got, want)
	}
	if got, want := s.Failed("quirk differs"), []string{"b/2"}; !slices.Equal(got, want) {
		t.Errorf("Failed(quirk differs) = %q, want %q", got, want)
	}
	want := `
area               cases  same differs as promised differs quirk differs other requests not run unclear
a                      2     0                   1       1             0              0       0       0
b                      2     1                   0       0             1              0       0       0
all                    4     1                   1       1             1              0       0       0
differs: a/2
quirk differs: b/2
`
	if got := s.String(); got != want {
		t.Errorf("String() = %q\nwant %q", got, want)
	}
}

// Run must find its own recordings from wherever it is called, and the recorded results must equal themselves.
func TestRun_ItsOwnRecordings(t *testing.T) {
	t.Parallel()
	table, err := Differences()
	if err != nil {
		t.Fatal(err)
	}
	changed := make(map[string]bool)
	for _, d := range table {
		changed[d.Case] = true
	}
	subject := parrot{recorded(t)}
	boot := func(testing.TB, Environment) Subject { return subject }
	s := Run(t, boot, Options{Areas: []string{"endpoint", "flow"}, Source: &noter{}, Select: func(c *Case) bool {
		return !changed[c.Name] && !c.Parallel && c.Expected.Get("llm_requests").Len()+c.Expected.Get("http_requests").Len() == 0
	}})
	if len(s.Outcomes) < 40 || len(s.Failed("")) > 0 {
		t.Errorf("%d cases ran, %q failed", len(s.Outcomes), s.Failed(""))
	}
}

// parrot answers requests with what was recorded for the agent.
type parrot struct{ cases []*Case }

func (p parrot) Deploy(_ context.Context, agent value.Value) (Agent, error) {
	for _, c := range p.cases {
		if own, err := value.Parse(places.Text(c.Agent)); err == nil && own.GetString("id") == agent.GetString("id") &&
			own.GetString("name") == agent.GetString("name") && c.Kind == KindAgent {
			return &parrotAgent{responses: c.Expected.Get("responses").Items()}, nil
		}
	}
	return nil, errors.New("no such agent")
}

type parrotAgent struct {
	responses []value.Value
	mu        sync.Mutex
	next      int
}

func (*parrotAgent) Close() {}

func (a *parrotAgent) Run(context.Context, Request) Response {
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.responses[a.next]
	a.next++
	response := Response{Data: unvary(v.Get("data")), Threw: v.GetString("threw")}
	if status, ok := v.Get("status").Num(); ok {
		response.Status = int(status)
	}
	for _, e := range v.Get("sse").Items() {
		response.SSE = append(response.SSE, Event{e.GetString("event"), unvary(e.Get("data"))})
	}
	return response
}

// unvary puts a value of the right kind where a recording only names the kind.
func unvary(v value.Value) value.Value {
	switch v.Kind() {
	case value.String:
		if kind, varies := variesKind(v); varies {
			return map[string]value.Value{"number": value.OfInt(1), "string": value.Of("x"), "boolean": value.OfBool(true)}[kind]
		}
	case value.Array:
		items := make([]value.Value, v.Len())
		for i, item := range v.Items() {
			items[i] = unvary(item)
		}
		return value.OfItems(items)
	case value.Object:
		b := value.NewBuilder(v.Len())
		for _, m := range v.Members() {
			b.Set(m.Key, unvary(m.Value))
		}
		return b.Build()
	}
	return v
}
