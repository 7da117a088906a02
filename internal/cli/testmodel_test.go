package cli

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/value"
)

// modelling is the command while it runs.
type modelling struct {
	url  string
	out  *lines
	stop func() int // ends it and returns its exit code
}

// lines is a writer whose first line can be waited for.
type lines struct {
	mu    sync.Mutex
	text  strings.Builder
	first chan string
	given bool
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	if line, _, ok := strings.Cut(l.text.String(), "\n"); ok && !l.given {
		l.given = true
		l.first <- line
	}
	return len(p), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// runModel runs sre testmodel --json in a folder until it listens.
func runModel(t *testing.T, dir string, args ...string) *modelling {
	t.Helper()
	out := &lines{first: make(chan string, 1)}
	var errs bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan int, 1)
	go func() {
		m := Machine{In: strings.NewReader(""), Out: out, Err: &errs, Work: dir, Getenv: func(string) string { return "" }}
		code := Main(ctx, std.Set(), m, append([]string{"testmodel", "--listen", "127.0.0.1:0", "--json"}, args...))
		if out.String() == "" {
			out.first <- errs.String()
		}
		done <- code
	}()
	line := <-out.first
	v, err := value.Parse(line)
	if err != nil || v.GetString("url") == "" {
		cancel()
		t.Fatalf("the command says %q, %v", line, err)
	}
	return &modelling{url: v.GetString("url"), out: out, stop: func() int {
		cancel()
		return <-done
	}}
}

// An agent asks the model, and its requests are told, one line of JSON each.
func TestTestModel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.smyth", shouter)
	write(t, dir, "script.json", `{"llm":[{"when":{"last_role":"user"},"reply":{"tools":[{"name":"shout","args":{"text":"ada"}}]}},{"reply":{"text":"I shouted"}}]}`)
	m := runModel(t, dir, "--script", "script.json")
	code, out, errs := in(t, dir, "", "agent", "a.smyth", "--prompt", "go", "--model", "testmodel", "--base-url", m.url)
	if code != 0 || out != "I shouted\n" || !strings.Contains(errs, "shout") {
		t.Errorf("exit %d, out %q, err %q", code, out, errs)
	}
	if code := m.stop(); code != 0 {
		t.Errorf("exit %d of a command that was interrupted, want 0", code)
	}
	want := `{"request":1,"path":"/chat/completions","model":"testmodel","stream":true,"lastRole":"user","rule":0,"answer":"tools"}` + "\n" +
		`{"request":2,"path":"/chat/completions","model":"testmodel","stream":true,"lastRole":"tool","rule":1,"answer":"text"}` + "\n"
	if _, told, _ := strings.Cut(m.out.String(), "\n"); told != want {
		t.Errorf("the requests are told as\n%swant\n%s", told, want)
	}
}

// What the command prints as an entry of the catalogue works as it is.
func TestTestModel_CatalogueEntry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.smyth", shouter)
	m := runModel(t, dir)
	announced, _, _ := strings.Cut(m.out.String(), "\n")
	v, err := value.Parse(announced)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, ".smyth/models/testmodel.json", v.Get("models").JSON())
	code, out, errs := in(t, dir, "", "agent", "a.smyth", "--prompt", "say this", "--model", "testmodel")
	if code != 0 || out != "say this\n" {
		t.Errorf("exit %d, out %q, err %q", code, out, errs)
	}
	if code := m.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTestModel_Faults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		args   []string
		status int
		cut    bool
	}{
		{"status", []string{"--status", "529"}, 529, false},
		{"cut", []string{"--cut", "20"}, 200, true},
		{"latency", []string{"--latency", "1ms"}, 200, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := runModel(t, t.TempDir(), tt.args...)
			defer m.stop()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.url+"/chat/completions", strings.NewReader(`{"messages":[{"role":"user","content":"x"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if resp.StatusCode != tt.status || (err != nil) != tt.cut || tt.cut && len(body) != 20 {
				t.Errorf("status %d, %d bytes, %v", resp.StatusCode, len(body), err)
			}
		})
	}
}

func TestTestModel_Refused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "broken.json", `[{"reply":`)
	write(t, dir, "object.json", `{"reply":{}}`)
	write(t, dir, "unknown.json", `[{"reply":{"txt":"x"}}]`)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	tests := []struct {
		name string
		args []string
		code int
		err  string
	}{
		{"no script", []string{"--script", "nope.json"}, 4, "nope.json"},
		{"broken script", []string{"--script", "broken.json"}, 3, "broken.json"},
		{"no list", []string{"--script", "object.json"}, 3, "list of rules"},
		{"unknown member", []string{"--script", "unknown.json"}, 3, `unknown member "txt"`},
		{"status of success", []string{"--status", "200"}, 2, "400 to 599"},
		{"others reach it", []string{"--listen", "0.0.0.0:0"}, 2, "127.0.0.1"},
		{"a name that is not this machine", []string{"--listen", ":0"}, 2, "127.0.0.1"},
		{"taken", []string{"--listen", taken.Addr().String()}, 9, "another program"},
		{"no address", []string{"--listen", "here"}, 3, "127.0.0.1:5053"},
		{"an argument", []string{"x"}, 2, "no arguments"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, _, errs := in(t, dir, "", append([]string{"testmodel"}, tt.args...)...)
			if code != tt.code || !strings.Contains(errs, tt.err) {
				t.Errorf("exit %d, %q; want %d, %q", code, errs, tt.code, tt.err)
			}
		})
	}
}
