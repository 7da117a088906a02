package workflow

import (
	"os"
	"testing"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/internal/leak"
	"github.com/sre-go/sre/value"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

func parse(t *testing.T, text string) value.Value {
	t.Helper()
	if text == "" {
		return value.Value{}
	}
	v, err := value.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSplitPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/api/go": "/api/go", "/api/": "/api/", "/api": "/api", "/trigger/mail": "/trigger/mail", "/v1/api/go": "/api/go", "/v2.10/trigger/x": "/trigger/x",
		"": "", "/": "", "/apigo": "", "/foo/api/go": "", "/v/api/go": "", "/v1x/api/go": "", "/v1": "", "/API/go": "", "api/go": "", "/v1./api/go": "/api/go",
	} {
		got, ok := SplitPath(path)
		if got != want || ok != (want != "") {
			t.Errorf("SplitPath(%q) = %q, %t; want %q", path, got, ok, want)
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ held, arrived, want string }{
		{"", `1`, `1`}, {"", `[1]`, `[1]`}, {`1`, `2`, `[1,2]`}, {`[1,2]`, `3`, `[1,2,3]`}, {`1`, `[2]`, `[1,[2]]`}, {`[1]`, `[2]`, `[1,[2]]`},
		{`[]`, `1`, `1`}, {`null`, `1`, `[null,1]`}, {`1`, `null`, `[1,null]`}, {`1`, `1`, `[1,1]`},
	} {
		if got := merge(parse(t, test.held), parse(t, test.arrived)).JSON(); got != test.want {
			t.Errorf("merge(%s, %s) = %s, want %s", test.held, test.arrived, got, test.want)
		}
	}
	held := parse(t, `[1]`)
	merge(held, value.OfInt(2))
	merge(held, value.OfInt(3))
	if held.JSON() != `[1]` {
		t.Errorf("merge changed what was held: %s", held.JSON())
	}
}

func TestMemberOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ v, name, want string }{
		{`{"a":1}`, "a", `1`}, {`{"length":1}`, "length", `1`}, {`[1,2]`, "length", `2`}, {`[1,2]`, "1", `2`}, {`[1,2]`, "01", ""}, {`[1,2]`, "5", ""},
		{`[1]`, "-1", ""}, {`"abc"`, "length", `3`}, {`5`, "length", ""}, {`null`, "a", ""}, {"", "a", ""}, {`{"a":1}`, "__proto__", ""},
	} {
		if got := memberOf(parse(t, test.v), test.name); got.JSON() != parse(t, test.want).JSON() {
			t.Errorf("memberOf(%s, %q) = %s, want %s", test.v, test.name, got.JSON(), test.want)
		}
	}
}

func TestMocked(t *testing.T) {
	t.Parallel()
	list := parse(t, `[{"id":"a","ctx":{"output":{"x":"","y":""}}},{"id":"b","ctx":{"output":{"x":"","y":0}}},{"id":"c","ctx":{}}]`)
	for id, want := range map[string]string{"a": "", "b": `{"x":"","y":0}`, "c": "", "d": ""} {
		if got := Mocked(list, id); got.JSON() != parse(t, want).JSON() {
			t.Errorf("Mocked(%q) = %s, want %s", id, got.JSON(), want)
		}
	}
	if got := Mocked(parse(t, `"no list"`), "a"); !got.IsAbsent() {
		t.Errorf("Mocked() of a text = %s, want nothing", got.JSON())
	}
}

// plan compiles an agent of components that need no type.
func plan(t *testing.T, text string) *Plan {
	t.Helper()
	doc, err := agentfile.Parse([]byte(text), agentfile.Bounds{Bytes: 1 << 20, Components: 100, Depth: 50, Values: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	return Compile(doc, func(string) (component.Definition, bool) { return component.Definition{}, false }, Options{})
}

func TestCompile_Shape(t *testing.T) {
	t.Parallel()
	p := plan(t, `{"components":[
		{"id":"a","name":"X","outputs":[{"name":"o","default":true},{"name":"_error"}]},
		{"id":"b","name":"X","inputs":[{"name":"i"},{"name":"j","optional":true},{"name":"k","defaultVal":"d"},{"name":"l"}],"outputs":[{"name":"o","default":true}]}],
		"connections":[{"sourceId":"a","sourceIndex":0,"targetId":"b","targetIndex":0},{"sourceId":"a","sourceIndex":1,"targetId":"b","targetIndex":1},
		{"sourceId":"a","sourceIndex":0,"targetId":"b","targetIndex":2},{"sourceId":"b","sourceIndex":0,"targetId":"b","targetIndex":0}]}`)
	a, b := &p.nodes[0], &p.nodes[1]
	if len(a.targets) != 1 || len(a.targets[0].edges) != 3 || a.targets[0].back {
		t.Errorf("a sends to %+v, want one group of three forward", a.targets)
	}
	if len(b.targets) != 1 || !b.targets[0].back {
		t.Errorf("b sends to %+v, want itself, backwards", b.targets)
	}
	if len(b.required) != 1 || b.required[0] != 0 {
		t.Errorf("b requires %v, want its first input alone: the others are optional, have a default or no connection", b.required)
	}
	if !a.targets[0].edges[1].handler || a.targets[0].edges[0].handler {
		t.Error("the connection of the error is not told from the others")
	}
}

func TestProblems_UnknownType(t *testing.T) {
	t.Parallel()
	problems := plan(t, `{"components":[{"id":"a","name":"APIOutputt"}],"connections":[]}`).Problems([]string{"APIOutput", "Note"})
	if len(problems) != 1 || problems[0].Pointer != "/components/0/name" || problems[0].Level != agentfile.Error {
		t.Errorf("Problems() = %v, want one at the name of the type", problems)
	}
}
