package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/internal/cli"
	"github.com/sre-go/sre/value"
)

// run runs a command in a folder of its own and returns its exit code and what it printed.
func run(t *testing.T, files map[string]string, env map[string]string, args ...string) (code int, out, errs string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var o, e bytes.Buffer
	m := cli.Machine{
		In: strings.NewReader(""), Out: &o, Err: &e, Work: dir, Home: "", Version: "v1", BuildInfo: "test",
		Getenv: func(name string) string { return env[name] },
	}
	code = cli.Main(context.Background(), std.Set(), m, args)
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > len(files) && !strings.Contains(strings.Join(args, " "), "serve") {
		t.Errorf("sre %q left %v behind", args, entries)
	}
	return code, o.String(), e.String()
}

const agent = `{"id":"adder","name":"Adder","components":[
	{"id":"EP","name":"APIEndpoint","title":"add","data":{"endpoint":"add","description":"Adds\n  numbers."},"inputs":[{"name":"a","type":"Number"},{"name":"b","type":"Number","optional":true},{"name":"l","type":"Array","optional":true}],"outputs":[{"name":"body","default":true},{"name":"body.a"}]},
	{"id":"OUT","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"all","type":"Any"},{"name":"need","type":"Any","optional":true}],"outputs":[{"name":"Output","default":true}]}],
	"connections":[{"sourceId":"EP","sourceIndex":0,"targetId":"OUT","targetIndex":0}]}`

func TestCommands(t *testing.T) {
	t.Parallel()
	two := strings.Replace(agent, `"components":[`, `"components":[{"id":"E2","name":"APIEndpoint","data":{"endpoint":"other","method":"GET"},"inputs":[],"outputs":[]},`, 1)
	files := map[string]string{"a.smyth": agent, "two.smyth": two, "note.txt": "5", "bad.smyth": `{"components":[{"id":"x","name":"APIOutput","data":{"format":"fancy"}},{"id":"y","name":"APIOutputt"}]}`, "no.smyth": `{"components":`}
	tests := []struct {
		name string
		args []string
		env  map[string]string
		code int
		out  []string // what standard output holds
		errs []string // what standard error holds
	}{
		{name: "typed inputs", args: []string{"agent", "a.smyth", "--skill", "add", "a=2.5", "b:=3", "l=[1,2]", "--json"}, out: []string{`{"all":{"a":2.5,"b":3,"l":[1,2]}}` + "\n"}},
		{name: "the only skill", args: []string{"agent", "a.smyth", "a=2"}, out: []string{"{\n  \"all\": {\n    \"a\": 2\n  }\n}\n"}},
		{name: "input of a file", args: []string{"agent", "a.smyth", "a=@note.txt", "--json"}, out: []string{`{"all":{"a":5}}`}},
		{name: "several skills", args: []string{"agent", "two.smyth"}, out: []string{"add a=Number [b=Number] [l=Array]", "Adds numbers.", "other"}},
		{name: "missing input", args: []string{"agent", "a.smyth", "--skill", "add"}, code: 2, errs: []string{"the input a is missing", "add a=Number"}},
		{name: "wrong type", args: []string{"agent", "a.smyth", "a=x"}, code: 2, errs: []string{"input a: Invalid Number value", "Number"}},
		{name: "unknown input", args: []string{"agent", "a.smyth", "a=1", "bb=2"}, code: 2, errs: []string{`"bb"`, `did you mean "b"`}},
		{name: "no input at all", args: []string{"agent", "a.smyth", "hello"}, code: 2, errs: []string{"name=value"}},
		{name: "wrong JSON", args: []string{"agent", "a.smyth", "a:=x"}, code: 2, errs: []string{"JSON"}},
		{name: "unknown skill", args: []string{"agent", "a.smyth", "--skill", "ad"}, code: 4, errs: []string{`did you mean "add"`}},
		{name: "no such file", args: []string{"agent", "b.smyth"}, code: 4, errs: []string{"b.smyth"}},
		{name: "no such input file", args: []string{"agent", "a.smyth", "a=@nope"}, code: 4, errs: []string{"nope"}},
		{name: "error as JSON", args: []string{"agent", "b.smyth", "--json"}, code: 4, errs: []string{`"code":"NOT_FOUND"`}},
		{name: "validate", args: []string{"validate", "a.smyth"}, out: []string{"a.smyth: ok"}},
		{name: "validate faults", args: []string{"validate", "bad.smyth", "a.smyth", "no.smyth"}, code: 3, out: []string{"bad.smyth: error: /components/0/data/format", "must be one of", "/components/1/name", `did you mean "APIOutput"`, "a.smyth: ok", "no.smyth: fatal"}, errs: []string{"2 of 3 files"}},
		{name: "validate as JSON", args: []string{"validate", "bad.smyth", "--json"}, code: 3, out: []string{`"ok":false`, `"pointer":"/components/0/data/format"`}},
		{name: "describe", args: []string{"describe", "a.smyth"}, out: []string{"Adder  (adder)", "add a=Number", "vault keys   -", "APIEndpoint, APIOutput"}},
		{name: "list components", args: []string{"list", "components"}, out: []string{"NAME", "ForEach"}},
		{name: "list connectors", args: []string{"list", "connectors", "--json"}, out: []string{`{"service":"Cache","name":"RAM"`}},
		{name: "list services", args: []string{"list", "services"}, out: []string{"Vault", "Account"}},
		{name: "boot", args: []string{"boot", "--explain"}, out: []string{"1  core services", "4  agent runtime preparation", "default; from defaults", "booted in"}},
		{name: "boot as JSON", args: []string{"boot", "--json"}, out: []string{`"name":"connector setup"`}},
		{name: "doctor", args: []string{"doctor"}, out: []string{"does not exist", "DummyAccount"}},
		{name: "version", args: []string{"version"}, out: []string{"sre v1 (test)"}},
		{name: "no such command", args: []string{"agnt"}, code: 2, errs: []string{"agent"}},
		{name: "no such flag", args: []string{"boot", "--exlain"}, code: 2, errs: []string{"--exlain", "did you mean --explain?", "--help"}},
		{name: "no such flag of any command", args: []string{"boot", "--jsn"}, code: 2, errs: []string{"did you mean --json?"}},
		{name: "no such flag by far", args: []string{"serve", "a.smyth", "--port", "80"}, code: 2, errs: []string{"--port; sre serve has --help, --host, --listen", "see sre serve --help"}},
		{name: "no such letter", args: []string{"boot", "-q"}, code: 2, errs: []string{"-q", "--help"}},
		{name: "no file", args: []string{"validate"}, code: 2, errs: []string{"agent files"}},
		{name: "wrong limit", args: []string{"boot"}, env: map[string]string{"SRE_LIMIT_STEPS": "many"}, code: 3, errs: []string{"steps", "10000", "environment"}},
		{name: "wrong connector", args: []string{"doctor"}, env: map[string]string{"SRE_SERVICE_CACHE": "RAMM"}, code: 3, out: []string{"bad"}, errs: []string{`"RAM"`}},
		{name: "wrong log level", args: []string{"boot", "--log-level", "loud"}, code: 2, errs: []string{"loud"}},
		{name: "help", args: []string{"agent", "--help"}, out: []string{"name=@path", "Examples:"}},
		{name: "completion", args: []string{"__complete", "agent", "two.smyth", "--skill", ""}, out: []string{"other\nadd\n"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := run(t, files, test.env, test.args...)
			if code != test.code {
				t.Errorf("exit code %d, want %d\n%s%s", code, test.code, out, errs)
			}
			for _, want := range test.out {
				if !strings.Contains(out, want) {
					t.Errorf("printed\n%s\nwant it to hold %q", out, want)
				}
			}
			for _, want := range test.errs {
				if !strings.Contains(errs, want) {
					t.Errorf("reported\n%s\nwant it to hold %q", errs, want)
				}
			}
		})
	}
}

// TestLayers: a file of the data folder counts over the defaults, the environment over the file.
func TestLayers(t *testing.T) {
	t.Parallel()
	files := map[string]string{"a.smyth": agent, ".smyth/config.json": `{"services":{"Cache":{"Connector":"RAM","Id":"mine"}},"limits":{"steps":1}}`}
	code, out, errs := run(t, files, nil, "boot", "--explain")
	if code != 0 || !strings.Contains(out, "Cache/mine") || !strings.Contains(out, filepath.Join(".smyth", "config.json")) {
		t.Errorf("exit code %d\n%s%s\nwant the cache of the file", code, out, errs)
	}
	code, _, errs = run(t, files, nil, "agent", "a.smyth", "a=1")
	if code != 8 || !strings.Contains(errs, "LIMIT_EXCEEDED(steps)") {
		t.Errorf("exit code %d with %s, want the limit of the file", code, errs)
	}
	if code, out, errs = run(t, files, map[string]string{"SRE_LIMIT_STEPS": "10"}, "agent", "a.smyth", "a=1"); code != 0 {
		t.Errorf("exit code %d\n%s%s\nwant the limit of the environment", code, out, errs)
	}
}

// TestSaysWhatItWaitsFor: a run without an answer says which component waits for which input.
func TestSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	waiting := strings.Replace(agent, `"targetIndex":0}]`, `"targetIndex":0},{"sourceId":"EP","sourceIndex":1,"targetId":"OUT","targetIndex":1}]`, 1)
	waiting = strings.Replace(waiting, `{"name":"need","type":"Any","optional":true}`, `{"name":"need","type":"Any"}`, 1)
	waiting = strings.Replace(waiting, `{"name":"body.a"}`, `{"name":"body.nothing"}`, 1)
	code, out, errs := run(t, map[string]string{"w.smyth": waiting}, nil, "agent", "w.smyth", "a=1")
	if code != 3 || !strings.Contains(errs, "OUT waits for need") {
		t.Errorf("exit code %d\n%s%s\nwant the component and its input", code, out, errs)
	}
}

func TestJSONOutputIsJSON(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"list", "components"}, {"boot"}, {"doctor"}, {"version"}, {"describe", "a.smyth"}, {"agent", "a.smyth", "a=1"}, {"validate", "a.smyth"}} {
		code, out, errs := run(t, map[string]string{"a.smyth": agent}, nil, append(args, "--json")...)
		if _, err := value.Parse(out); err != nil || code != 0 {
			t.Errorf("sre %q: exit code %d, %v\n%s%s", args, code, err, out, errs)
		}
	}
}
