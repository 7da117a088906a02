package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/testmodel"
	"github.com/sre-go/sre/value"
)

const shouter = `{"id":"shouter","name":"Shouter","behavior":"You shout.","components":[
	{"id":"EP","name":"APIEndpoint","data":{"endpoint":"shout","description":"Shouts a text."},"inputs":[{"name":"text","type":"Text"}],"outputs":[{"name":"body.text"}]},
	{"id":"OUT","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"shouted","type":"Any"}],"outputs":[]}],
	"connections":[{"sourceId":"EP","sourceIndex":0,"targetId":"OUT","targetIndex":0}]}`

// talkTo runs a command in a folder with an agent and a scripted model server.
func talkTo(t *testing.T, script string, in io.Reader, more func(*Machine), args ...string) (code int, out, errs string) {
	t.Helper()
	code, out, errs, _ = talkToServer(t, script, in, more, args...)
	return code, out, errs
}

// talkToServer also returns what the model server was asked.
func talkToServer(t *testing.T, script string, in io.Reader, more func(*Machine), args ...string) (code int, out, errs string, requests value.Value) {
	t.Helper()
	v, err := value.Parse(script)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := testmodel.ParseScript(v)
	if err != nil {
		t.Fatal(err)
	}
	server, err := testmodel.Start(t.Context(), rules, effect.System{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.smyth":              shouter,
		".smyth/config.json":   `{"egress":{"allowPrivate":true}}`,
		".smyth/models/m.json": `{"fake":{"provider":"OpenAI","modelId":"fake","baseURL":"` + server.URL() + `","credentials":"none","tokens":100000,"completionTokens":1000}}`,
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var o, e bytes.Buffer
	m := Machine{In: in, Out: &o, Err: &e, Work: dir, Getenv: func(string) string { return "" }}
	if more != nil {
		more(&m)
	}
	code = Main(context.Background(), std.Set(), m, append([]string{"agent", "a.smyth"}, args...))
	return code, o.String(), e.String(), server.Requests()
}

const tooled = `[{"when":{"last_role":"user"},"reply":{"tools":[{"name":"shout","args":{"text":"ada"}}]}},{"reply":{"text":"I shouted"}}]`

func TestPrompt(t *testing.T) {
	t.Parallel()
	code, out, errs := talkTo(t, tooled, nil, nil, "--prompt", "go", "--model", "fake")
	if code != 0 || out != "I shouted\n" || errs != "· shout {\"text\":\"ada\"}\n  → {\"shouted\":\"ada\"}\n" {
		t.Errorf("exit %d, out %q, err %q", code, out, errs)
	}
	code, out, errs = talkTo(t, tooled, nil, nil, "--prompt", "go", "--model", "fake", "--json")
	if want := `{"text":"I shouted","model":"fake","finish":"stop","toolCalls":1,"usage":{"input":20,"cacheRead":0,"cacheWrite":0,"output":10,"thinking":0}}` + "\n"; code != 0 || out != want || errs != "" {
		t.Errorf("exit %d, out %q, err %q, want %q", code, out, errs, want)
	}
}

func TestPrompt_Echo(t *testing.T) {
	t.Parallel()
	code, out, errs := talkTo(t, `[]`, nil, nil, "--prompt", "hello there")
	if code != 0 || out != "hello there\n" || !strings.Contains(errs, "Echo answers") || !strings.Contains(errs, "sre vault set") {
		t.Errorf("exit %d, out %q, err %q, want an echo and how to set a real model", code, out, errs)
	}
}

func TestPrompt_Failures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, script string
		args         []string
		code         int
		err          string
	}{
		{"unknown model", `[]`, []string{"--prompt", "x", "--model", "fakke"}, 4, `did you mean "fake"`},
		{"no key", `[]`, []string{"--prompt", "x", "--model", "openai/gpt-x"}, 5, "OPENAI_API_KEY"},
		{"refused", `[{"reply":{"error":{"status":400,"message":"bad request"}}}]`, []string{"--prompt", "x", "--model", "fake"}, 3, "400 bad request"},
		{"both", `[]`, []string{"--prompt", "x", "--chat"}, 2, "exclude each other"},
		{"a skill as well", `[]`, []string{"--prompt", "x", "--skill", "shout"}, 2, "without --chat"},
		{"a model for a skill", `[]`, []string{"--skill", "shout", "--model", "fake"}, 2, "--model needs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, _, errs := talkTo(t, tt.script, nil, nil, tt.args...)
			if code != tt.code || !strings.Contains(errs, tt.err) {
				t.Errorf("exit %d, %q; want %d, %q", code, errs, tt.code, tt.err)
			}
		})
	}
}

func TestChat(t *testing.T) {
	t.Parallel()
	lines := "go\n/usage\n/tools\n/nope\n/model nobody\n/clear\n/help\n\n/exit\nnever\n"
	code, out, errs := talkTo(t, tooled, strings.NewReader(lines), nil, "--chat", "--model", "fake")
	if code != 0 || out != "I shouted\n" {
		t.Errorf("exit %d, out %q", code, out)
	}
	for _, want := range []string{"Shouter with fake", "· shout", "20 tokens in, 10 out, 1 tool calls", "Shouts a text.", "no command /nope", "nobody", "a new conversation with fake", "Ctrl-C"} {
		if !strings.Contains(errs, want) {
			t.Errorf("err %q, want %q in it", errs, want)
		}
	}
}

// typed gives a line when it is told to.
type typed struct {
	lines chan string
	rest  string
}

func (r *typed) Read(p []byte) (int, error) {
	if r.rest == "" {
		line, ok := <-r.lines
		if !ok {
			return 0, io.EOF
		}
		r.rest = line + "\n"
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// noticing is a writer that tells when something was written.
type noticing struct {
	io.Writer
	once sync.Once
	want string
	seen chan struct{}
}

func (n *noticing) Write(p []byte) (int, error) {
	if strings.Contains(string(p), n.want) {
		n.once.Do(func() { close(n.seen) })
	}
	return n.Writer.Write(p)
}

// An interrupt stops the answer, and the conversation goes on.
func TestChat_Interrupt(t *testing.T) {
	t.Parallel()
	script := `[{"when":{"last_contains":"slow"},"reply":{"text":"one two three four","chunk_delay_ms":60000}},{"reply":{"text":"still here"}}]`
	in := &typed{lines: make(chan string)}
	interrupts := new(Interrupts)
	var started, stopped *noticing
	done := make(chan struct{})
	var code int
	var out, errs string
	ready := make(chan struct{})
	go func() {
		defer close(done)
		code, out, errs = talkTo(t, script, in, func(m *Machine) {
			started = &noticing{Writer: m.Out, want: "one", seen: make(chan struct{})}
			stopped = &noticing{Writer: m.Err, want: "stopped", seen: make(chan struct{})}
			m.Out, m.Err, m.Interrupts = started, stopped, interrupts
			close(ready)
		}, "--chat", "--model", "fake")
	}()
	<-ready
	in.lines <- "a slow one"
	<-started.seen
	if !interrupts.Interrupt() {
		t.Error("nobody took the interrupt")
	}
	<-stopped.seen
	if interrupts.Interrupt() {
		t.Error("an interrupt at the prompt is taken, so the chat cannot be left")
	}
	in.lines <- "and now"
	close(in.lines)
	<-done
	if code != 0 || !strings.Contains(out, "still here") || !strings.Contains(errs, "stopped") {
		t.Errorf("exit %d, out %q, err %q", code, out, errs)
	}
}

func TestT57_Harmless(t *testing.T) {
	t.Parallel()
	if got, want := harmless("a\x1b[31mred\x07\u009b\nb\tc"), "a[31mred\nb\tc"; got != want {
		t.Errorf("harmless = %q, want %q", got, want)
	}
}
