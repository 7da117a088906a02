package plugins

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// fakeHost holds conversations: it uses the first tool that it is given, and says what that answered.
type fakeHost struct {
	component.Host // everything else is not to be called
	args           value.Value
	err            error
	talks          []component.Talk
}

func (h *fakeHost) Converse(ctx context.Context, _ *component.Call, t component.Talk) (string, error) {
	h.talks = append(h.talks, t)
	if h.err != nil || len(t.Tools) == 0 {
		return "nothing to do", h.err
	}
	v, err := t.Tools[0].Do(ctx, component.ToolUse{Args: h.args, Headers: value.Obj(value.M("x-conversation-id", value.Of("conv_1")))})
	if err != nil {
		return "failed: " + err.Error(), nil
	}
	return v.Plain(), nil
}

func parse(t *testing.T, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return v
}

// run calls a component with one input.
func run(t *testing.T, d component.Definition, call *component.Call, settings, name, text string) (string, error) {
	t.Helper()
	inst := d.Compile(parse(t, settings))
	if len(inst.Violations) > 0 {
		t.Fatalf("settings %s: %s", settings, inst.Violations[0].Message)
	}
	out, err := inst.Run(t.Context(), call, component.Input{Ports: []component.NodePort{{Name: name}}, Values: []value.Value{value.Of(text)}})
	return out.GetString("Output"), err
}

// service answers with a document and echoes everything else.
type service struct {
	*httptest.Server
	reads atomic.Int64
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/openapi.json":
			s.reads.Add(1)
			fmt.Fprint(w, `{"info":{"title":"Shop","description":"Sells."},"paths":{"/echo/{id}":{"post":{"operationId":"echo","parameters":[{"name":"id","in":"path"}],"requestBody":{"content":{"application/json":{"schema":{"type":"object"}}}}}}}}`)
		case "/headers.json":
			fmt.Fprint(w, `{"paths":{"/headers":{"get":{"parameters":[{"name":"X-Trace","in":"header"},{"name":"session","in":"cookie"},{"name":"X-Conversation-Id","in":"header"},{"name":"Host","in":"header"}]}}}}`)
		case "/headers":
			fmt.Fprintf(w, `{"trace":%q,"cookie":%q,"conversation":%q}`, r.Header.Get("X-Trace"), r.Header.Get("Cookie"), r.Header.Get("x-conversation-id"))
		case "/gone.json":
			w.WriteHeader(http.StatusGone)
		case "/echo/empty":
			w.WriteHeader(http.StatusTeapot)
		case "/echo/text":
			fmt.Fprint(w, "not JSON")
		default:
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			fmt.Fprintf(w, `{"path":%q,"body":%s,"conversation":%q,"authorization":%q}`, r.URL.Path, body, r.Header.Get("x-conversation-id"), r.Header.Get("authorization"))
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func settingsFor(s *service, file string) string {
	return `{"specUrl":"` + s.URL + file + `","descForModel":"","name":"","desc":"","openAiModel":"m"}`
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	s := newService(t)
	tests := []struct{ name, input, args, want string }{
		{"a call", "Prompt", `{"id":"7","n":1}`, `{"path":"/echo/7","body":{"n":1},"conversation":"conv_1","authorization":""}`},
		{"older input", "Query", `{"id":"text"}`, "not JSON"},
		{"a status without a text", "Prompt", `{"id":"empty"}`, "failed: the service answered with status 418 I'm a teapot"},
		{"an argument is missing", "Prompt", `{}`, `failed: the argument "id" is missing`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			host := &fakeHost{args: parse(t, test.args)}
			call := &component.Call{Host: host, HTTP: s.Client(), Request: &component.Request{}}
			got, err := run(t, openAPI("OpenAPI", &shelf{}), call, settingsFor(s, "/openapi.json"), test.input, "hi")
			if err != nil || got != test.want {
				t.Errorf("Output = %s, %v; want %s", got, err, test.want)
			}
			if talk := host.talks[0]; talk.Assistant != "Shop" || talk.System != "Sells." || talk.Model != "m" || talk.Prompt != "hi" || talk.AgentID != "" {
				t.Errorf("the conversation was %+v", talk)
			}
		})
	}
}

// What a document declares as headers and cookies is sent as such, but it does not replace what the conversation sends, and
// what would make another request of it is refused.
func TestOpenAPI_HeadersAndCookies(t *testing.T) {
	t.Parallel()
	s := newService(t)
	tests := []struct{ name, args, want string }{
		{"both", `{"X-Trace":"t 1","session":"a,b"}`, `{"trace":"t 1","cookie":"session=\"a,b\"","conversation":"conv_1"}`},
		{"neither", `{}`, `{"trace":"","cookie":"","conversation":"conv_1"}`},
		{"another conversation", `{"X-Conversation-Id":"conv_2"}`, `{"trace":"","cookie":"","conversation":"conv_1"}`},
		{"another line", `{"X-Trace":"t\r\nX-Admin: 1"}`, `failed: the argument "X-Trace" goes into a header and has a line break or another control character (leave it out of the text)`},
		{"another host", `{"Host":"evil.test"}`, `failed: "Host" is no header or cookie that an operation may set (leave the argument out)`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			call := &component.Call{Host: &fakeHost{args: parse(t, test.args)}, HTTP: s.Client(), Request: &component.Request{}}
			got, err := run(t, openAPI("OpenAPI", &shelf{}), call, settingsFor(s, "/headers.json"), "Prompt", "hi")
			if err != nil || got != test.want {
				t.Errorf("Output = %s, %v; want %s", got, err, test.want)
			}
		})
	}
}

// TestOpenAPI_ReadOnce: a document is read once a run, and each run reads its own.
func TestOpenAPI_ReadOnce(t *testing.T) {
	t.Parallel()
	s, read := newService(t), &shelf{}
	for n := range maxKept + 10 {
		request := &component.Request{}
		for range 3 {
			call := &component.Call{Host: &fakeHost{args: parse(t, `{"id":"1"}`)}, HTTP: s.Client(), Request: request}
			if _, err := run(t, openAPI("GPTPlugin", read), call, settingsFor(s, "/openapi.json"), "Prompt", "hi"); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.reads.Load(); got != int64(n+1) {
			t.Fatalf("the document was read %d times in %d runs", got, n+1)
		}
	}
	if len(read.kept) > maxKept || len(read.order) > maxKept {
		t.Errorf("%d documents are kept, want at most %d", len(read.kept), maxKept)
	}
}

func TestOpenAPI_Fails(t *testing.T) {
	t.Parallel()
	s := newService(t)
	tests := []struct {
		name, settings, prompt, want string
		err                          error
	}{
		{"no prompt", settingsFor(s, "/openapi.json"), "", "Please provide a prompt", nil},
		{"no document", settingsFor(s, "/gone.json"), "hi", "Error on running Open API!\nthe document was answered with status 410 Gone", nil},
		{"no OpenAPI", settingsFor(s, "/echo/text"), "hi", "Error on running Open API!\nit is no OpenAPI document: it has no paths (give the address of the document itself, not of a page that shows it)", nil},
		{"the model", settingsFor(s, "/openapi.json"), "hi", "Error on running Open API!\n400 nope", &fault.Error{Op: "llm.stream", Kind: fault.Invalid, Err: llm.Refused(400, "nope")}},
	}
	for _, test := range tests {
		call := &component.Call{Host: &fakeHost{err: test.err}, HTTP: s.Client(), Request: &component.Request{}}
		if _, err := run(t, openAPI("OpenAPI", &shelf{}), call, test.settings, "Prompt", test.prompt); err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

func TestMCPClient(t *testing.T) {
	t.Parallel()
	host := &fakeHost{}
	call := &component.Call{Host: host, KeepLog: true}
	got, err := run(t, mcpClient(), call, `{"mcpUrl":"https://mcp.test/","name":"","model":"m","prompt":"Ask {{Who}}.","descForModel":"For {{Who}}"}`, "Who", "{{Ada}}")
	if err != nil || got != "nothing to do" {
		t.Errorf("Output = %q, %v", got, err)
	}
	if len(host.talks) != 1 || host.talks[0].MCP != "https://mcp.test/" || host.talks[0].Prompt != "Ask {{Ada}}." || host.talks[0].System != "For {{Ada}}" || host.talks[0].Model != "m" {
		t.Errorf("the conversation was %+v", host.talks)
	}
	if log := call.LogText(); !strings.Contains(log, "=== MCP Client Log ===") || !strings.Contains(log, "Response: nothing to do") {
		t.Errorf("the log is %q", log)
	}
	if _, err := run(t, mcpClient(), call, `{"mcpUrl":"mcp:files","name":"","prompt":""}`, "Who", "Ada"); err == nil || err.Error() != "Please provide a prompt" {
		t.Errorf("without a prompt: %v", err)
	}
	host.err = fault.Newf(fault.Unavailable, "nobody there")
	if _, err := run(t, mcpClient(), call, `{"mcpUrl":"mcp:files","name":"","prompt":"x"}`, "Who", "Ada"); err == nil || err.Error() != "Error on running MCP Client!\nnobody there" || !fault.Is(err, fault.Unavailable) {
		t.Errorf("a server that fails: %v", err)
	}
}

func TestViolations(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, settings, want string }{
		{"OpenAPI", `{}`, `"specUrl" is required`},
		{"OpenAPI", `{"specUrl":"nowhere","descForModel":"","name":"","desc":""}`, `"specUrl" must be a valid uri`},
		{"GPTPlugin", `{"specUrl":"https://x.test","name":"","desc":""}`, `"descForModel" is required`},
		{"MCPClient", `{"mcpUrl":"nowhere","name":""}`, `"mcpUrl" must be a valid uri`},
		{"MCPClient", `{"mcpUrl":"https://x.test"}`, `"name" is required`},
	}
	for _, test := range tests {
		for _, d := range Definitions() {
			if d.Name != test.name {
				continue
			}
			found := d.Violations(parse(t, test.settings))
			if len(found) == 0 || found[0].Message != test.want {
				t.Errorf("%s %s: violations %v, want %q", test.name, test.settings, found, test.want)
			}
		}
	}
}
