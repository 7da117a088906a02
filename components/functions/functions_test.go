package functions

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/value"
)

// recording is one call: settings and inputs as JSON, and the JSON of the first output or the text of the error.
type recording struct{ name, settings, inputs, want, err string }

func parse(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return v
}

func definition(t testing.TB, name string) component.Definition {
	t.Helper()
	for _, d := range Definitions() {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("there is no component type %s", name)
	return component.Definition{}
}

// run calls a component type once, outside of any agent.
func run(t testing.TB, name string, settings, inputs value.Value, call *component.Call) (value.Value, error) {
	t.Helper()
	inst := definition(t, name).Compile(settings)
	for _, v := range inst.Violations {
		t.Fatalf("Compile(%s) has the violation %q", settings.JSON(), v.Message)
	}
	in := component.Input{}
	for _, m := range inputs.Members() {
		in.Ports = append(in.Ports, component.NodePort{Name: m.Key})
		in.Values = append(in.Values, m.Value)
	}
	call.Node = &component.Node{ID: "C", Type: name, Settings: settings}
	if call.Effects == nil {
		call.Effects = effect.System{}
	}
	return inst.Run(t.Context(), call, in)
}

// check runs a recording and compares the output of that name.
func (r recording) check(t *testing.T, component, output string, call *component.Call) {
	t.Helper()
	settings := parse(t, strings.ReplaceAll(r.settings, `"PEM"`, value.Of(testKey(t)).JSON()))
	got, err := run(t, component, settings, parse(t, r.inputs), call)
	switch {
	case r.err != "":
		if err == nil || err.Error() != r.err {
			t.Errorf("Run(%s) = %s, %v; want the error %q", r.inputs, got.JSON(), err, r.err)
		}
	case err != nil:
		t.Errorf("Run(%s) failed: %v; want %s", r.inputs, err, r.want)
	default:
		if g := got.Get(output); !value.Equal(g, parse(t, r.want)) {
			t.Errorf("Run(%s) = %s, want %s %s", r.inputs, got.JSON(), output, r.want)
		}
	}
}

func testKey(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("testdata/rsa_key.pem")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRecorded(t *testing.T) {
	t.Parallel()
	outputs := map[string]string{"FHash": "Hash", "FEncDec": "Output", "FSign": "Signature", "FSleep": "Output"}
	for name, recordings := range recorded() {
		for _, r := range recordings {
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				r.check(t, name, outputs[name], &component.Call{})
			})
		}
	}
}

// The log lines are those that the reference shows in a debug session.
func TestRecordedLogs(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, component, settings, inputs, want string }{
		{"encode", "FEncDec", `{"action":"Encode","encoding":"hex"}`, `{"Data":"x"}`, "debug: hex Encode data"},
		{"sleep", "FSleep", `{"delay":"x"}`, `{"Input":"x"}`, "debug: Sleeping for NaN seconds"},
		{"sign", "FSign", `{"key":"k"}`, `{"Data":"x"}`, "debug:  Data to sign =  x\ndebug:  Signing data using HMAC algorithm and hex encoding\ndebug:  Signature generated: 442ba079e8ec6206f7f5534d4653db0f"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			call := &component.Call{KeepLog: true, Debug: true}
			if _, err := run(t, test.component, parse(t, test.settings), parse(t, test.inputs), call); err != nil {
				t.Fatal(err)
			}
			if got := call.LogText(); got != test.want {
				t.Errorf("LogText() = %q, want %q", got, test.want)
			}
		})
	}
}

// The duration is part of the output in debug sessions, of the components that measure it.
func TestDebugTime(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"FSleep": true, "FTimestamp": true, "FHash": false, "FEncDec": false} {
		for _, debug := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				settings := value.Obj(value.M("delay", value.OfInt(2)), value.M("algorithm", value.Of("md5")), value.M("encoding", value.Of("hex")))
				synctest.Test(t, func(t *testing.T) {
					got, err := run(t, name, settings, value.Obj(value.M("Data", value.Of("x"))), &component.Call{Debug: debug})
					if err != nil {
						t.Fatal(err)
					}
					if has := got.Has(component.KeyDebugTime); has != (want && debug) {
						t.Errorf("debug %v: output %s, want %s: %v", debug, got.JSON(), component.KeyDebugTime, want && debug)
					}
				})
			})
		}
	}
}

func TestTraits(t *testing.T) {
	t.Parallel()
	cheap := map[string]bool{"FHash": true, "FEncDec": true, "FTimestamp": true, "FSign": false, "FSleep": false}
	for _, d := range Definitions() {
		want, known := cheap[d.Name]
		if got := (component.Traits{Cheap: want}); !known || d.Traits != got {
			t.Errorf("%s has the traits %+v, want %+v", d.Name, d.Traits, got)
		}
	}
}
