package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/value"
)

// reloading is a folder of agents that is served, without a listener.
type reloading struct {
	t   *testing.T
	dir string
	*serving
	entered, leave chan struct{} // of a run of the component Wait
}

func newReloading(t *testing.T) *reloading {
	t.Helper()
	r := &reloading{t: t, dir: t.TempDir(), entered: make(chan struct{}), leave: make(chan struct{})}
	r.write("agents/a.smyth", says("one"))
	set := std.Set()
	set.Kinds = slices.DeleteFunc(set.Kinds, func(k connector.AnyKind) bool { return k.KindName() == "Component" })
	set.Connectors = slices.DeleteFunc(set.Connectors, func(d connector.Definition) bool { return d.Kind.KindName() == "Component" })
	set.Components = append(set.Components, component.Define(component.Spec{Name: "Wait"}, func(_ context.Context, c *component.Call, _ *struct{}, _ component.Input) (value.Value, error) {
		r.entered <- struct{}{}
		<-r.leave
		return value.Obj(value.M("Output", c.Agent.Variables.Get("text"))), nil
	}))
	a := &app{
		Machine: Machine{In: strings.NewReader(""), Out: io.Discard, Err: &bytes.Buffer{}, Work: r.dir, Getenv: func(string) string { return "" }},
		set:     set, dir: filepath.Join(r.dir, ".smyth"),
	}
	s, _, err := a.newServing(t.Context(), []string{"agents"}, serveFlags{open: true})
	if err != nil {
		t.Fatal(err)
	}
	r.serving = s
	t.Cleanup(func() {
		s.old.Wait()
		if err := s.rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

// says is an agent that answers with a text.
func says(text string) string {
	return `{"id":"a","name":"A","version":"1","variables":{"text":"` + text + `"},"components":[
		{"id":"SLOW","name":"APIEndpoint","data":{"endpoint":"slow"},"inputs":[],"outputs":[{"name":"body","default":true}]},
		{"id":"W","name":"Wait","inputs":[{"name":"in","type":"Any"}],"outputs":[{"name":"Output"}]},
		{"id":"END","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"said","type":"Any"}],"outputs":[]}],
		"connections":[{"sourceId":"SLOW","sourceIndex":0,"targetId":"W","targetIndex":0},{"sourceId":"W","sourceIndex":0,"targetId":"END","targetIndex":0}]}`
}

func (r *reloading) path(name string) string { return filepath.Join(r.dir, filepath.FromSlash(name)) }

func (r *reloading) write(name, text string) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Dir(r.path(name)), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(r.path(name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *reloading) ask() string {
	w := httptest.NewRecorder()
	r.relay.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "http://localhost/api/slow", strings.NewReader("{}")))
	return fmt.Sprint(w.Code, " ", w.Body.String())
}

// answers compares what the agent says.
func (r *reloading) answers(when, want string) {
	r.t.Helper()
	if got := r.ask(); !strings.Contains(got, want) {
		r.t.Errorf("%s: the agent answers %s, want %s", when, got, want)
	}
}

// pass lets runs of the component Wait through.
func (r *reloading) pass() (stop func()) {
	ended := make(chan struct{})
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			select {
			case <-r.entered:
				r.leave <- struct{}{}
			case <-ended:
				return
			}
		}
	}()
	return func() {
		close(ended)
		<-gone
	}
}

func TestF17_AgentFiles(t *testing.T) {
	t.Parallel()
	r := newReloading(t)
	defer r.pass()()
	file := r.path("agents/a.smyth")
	r.answers("at first", `"one"`)
	r.write("agents/a.smyth", says("two"))
	if err := r.changed(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	r.answers("after a change", `"two"`)
	for name, text := range map[string]string{
		"half written":         says("three")[:200],
		"with an unknown type": strings.Replace(says("three"), `"Wait"`, `"Wayt"`, 1),
		"empty":                "",
	} {
		r.write("agents/a.smyth", text)
		if err := r.changed(t.Context(), file); err == nil {
			t.Errorf("a file that is %s was taken over", name)
		}
		r.answers("after a file that is "+name, `"two"`)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := r.gone(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	if got := r.ask(); !strings.HasPrefix(got, "404") {
		t.Errorf("without its file the agent answers %s, want 404", got)
	}
}

func TestF17_RunsKeepTheirSnapshot(t *testing.T) {
	t.Parallel()
	r := newReloading(t)
	old := make(chan string, 1)
	go func() { old <- r.ask() }()
	<-r.entered // the run of the first program is in its component
	r.write("agents/a.smyth", says("two"))
	if err := r.changed(t.Context(), r.path("agents/a.smyth")); err != nil {
		t.Fatal(err)
	}
	r.write(".smyth/config.json", `{"limits":{"steps":500}}`)
	if err := r.changed(t.Context(), r.path(".smyth/config.json")); err != nil {
		t.Fatal(err)
	}
	r.leave <- struct{}{}
	if got := <-old; !strings.Contains(got, `"one"`) {
		t.Errorf("the run that began before the changes answers %s, want what it began with", got)
	}
	stop := r.pass()
	r.answers("a new run", `"two"`)
	stop()
}

func TestF17_Configuration(t *testing.T) {
	t.Parallel()
	r := newReloading(t)
	defer r.pass()()
	file := r.path(".smyth/config.json")
	for _, tt := range []struct {
		text  string
		steps int // the limit afterwards
		fails bool
	}{
		{`{"limits":{"steps":500}}`, 500, false},
		{`{"limits":{"steps":`, 500, true},
		{`{"limits":{"stepps":7}}`, 500, true},
		{`{"services":{"Cache":{"Connector":"Nonsense"}}}`, 500, true},
		{`{"limits":{"steps":600}}`, 600, false},
	} {
		r.write(".smyth/config.json", tt.text)
		if err := r.changed(t.Context(), file); (err != nil) != tt.fails {
			t.Errorf("%s: %v, want an error: %v", tt.text, err, tt.fails)
		}
		if got := r.rt.Limits().Steps; got != tt.steps {
			t.Errorf("%s: the limit is %d, want %d", tt.text, got, tt.steps)
		}
		r.answers(tt.text, `"one"`)
	}
}
