package logic

import (
	"testing"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

func definition(t *testing.T, name string) component.Definition {
	t.Helper()
	for _, d := range Definitions() {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("there is no component type %s", name)
	return component.Definition{}
}

func parse(t *testing.T, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return v
}

// input gives the named ports the members of an object.
func input(ports []string, given, variables value.Value) component.Input {
	in := component.Input{Variables: variables}
	for _, p := range ports {
		in.Ports = append(in.Ports, component.NodePort{Name: p})
		in.Values = append(in.Values, given.Get(p))
	}
	return in
}

const (
	verified   = `{"Output":true,"Verified":true}`
	unverified = `{"Unverified":true}`
	neither    = `{}`
)

func TestGates(t *testing.T) {
	t.Parallel()
	inputs := []string{
		`{"a":1,"b":1,"c":1}`, `{"a":1,"b":1,"c":0}`, `{"a":1}`, `{"a":0,"b":0,"c":0}`, `{"a":"x","b":"","c":false}`,
		`{"a":[],"b":{},"c":"false"}`, `{"a":null}`,
	}
	tests := []struct {
		name, component, settings string
		want                      []string // for each of the inputs
	}{
		{"and", "LogicAND", `{}`, []string{verified, unverified, unverified, unverified, unverified, verified, unverified}},
		{"or", "LogicOR", `{}`, []string{verified, verified, verified, unverified, verified, verified, unverified}},
		{"xor", "LogicXOR", `{}`, []string{unverified, unverified, verified, unverified, verified, unverified, unverified}},
		{"at least 3", "LogicAtLeast", `{"minSetInputs":3}`, []string{verified, unverified, unverified, unverified, unverified, verified, unverified}},
		{"at least 4 of 3", "LogicAtLeast", `{"minSetInputs":4}`, []string{neither, neither, neither, neither, neither, neither, neither}},
		{"at least 2 as text", "LogicAtLeast", `{"minSetInputs":"2"}`, []string{verified, verified, unverified, unverified, unverified, verified, unverified}},
		{"at least 0", "LogicAtLeast", `{"minSetInputs":0}`, []string{verified, verified, verified, verified, verified, verified, verified}},
		{"at least nothing said", "LogicAtLeast", `{}`, []string{neither, neither, neither, neither, neither, neither, neither}},
		{"at most 0", "LogicAtMost", `{"maxSetInputs":0}`, []string{unverified, unverified, unverified, verified, unverified, unverified, verified}},
		{"at most 1", "LogicAtMost", `{"maxSetInputs":1}`, []string{unverified, unverified, verified, verified, verified, unverified, verified}},
		{"at most 3", "LogicAtMost", `{"maxSetInputs":3}`, []string{verified, verified, verified, verified, verified, verified, verified}},
		{"at most 4 of 3", "LogicAtMost", `{"maxSetInputs":4}`, []string{neither, neither, neither, neither, neither, neither, neither}},
		{"at most nothing said", "LogicAtMost", `{}`, []string{neither, neither, neither, neither, neither, neither, neither}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inst := definition(t, test.component).Compile(parse(t, test.settings))
			if len(inst.Violations) > 0 {
				t.Fatalf("Compile(%s) has the violation %q", test.settings, inst.Violations[0].Message)
			}
			for i, given := range inputs {
				in := input([]string{"a", "b", "c"}, parse(t, given), value.Value{})
				got, err := inst.Run(t.Context(), &component.Call{}, in)
				if err != nil || got.JSON() != test.want[i] {
					t.Errorf("Run(%s) = %s, %v; want %s", given, got.JSON(), err, test.want[i])
				}
			}
		})
	}
}

func TestViolations(t *testing.T) {
	t.Parallel()
	const low, high = `"Minimum Inputs" failed custom validation because The value for 'Minimum Inputs' `, `"Maximum Inputs" failed custom validation because The value for 'Maximum Inputs' `
	tests := []struct{ name, component, settings, want string }{
		{"absent", "LogicAtLeast", `{}`, ""},
		{"least allowed", "LogicAtLeast", `{"minSetInputs":0}`, ""},
		{"most allowed", "LogicAtLeast", `{"minSetInputs":"9"}`, ""},
		{"over", "LogicAtLeast", `{"minSetInputs":10}`, low + "must be from 0 to 9"},
		{"under", "LogicAtLeast", `{"minSetInputs":-1}`, low + "must be from 0 to 9"},
		{"empty", "LogicAtLeast", `{"minSetInputs":""}`, `"Minimum Inputs" is not allowed to be empty`},
		{"no number", "LogicAtLeast", `{"minSetInputs":"x"}`, low + "must be a number"},
		{"not a number", "LogicAtLeast", `{"minSetInputs":"NaN"}`, low + "must be a number"},
		{"null", "LogicAtLeast", `{"minSetInputs":null}`, `"Minimum Inputs" must be one of [string, number]`},
		{"most over", "LogicAtMost", `{"maxSetInputs":"10"}`, high + "must be from 0 to 9"},
		{"most no number", "LogicAtMost", `{"maxSetInputs":"x"}`, high + "must be a number"},
		{"most empty", "LogicAtMost", `{"maxSetInputs":""}`, `"Maximum Inputs" is not allowed to be empty`},
		{"unknown settings", "LogicAND", `{"minSetInputs":"x"}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if found := definition(t, test.component).Violations(parse(t, test.settings)); len(found) > 0 {
				got = found[0].Message
			}
			if got != test.want {
				t.Errorf("Violations(%s) = %q, want %q", test.settings, got, test.want)
			}
		})
	}
}

func TestGateWithoutInputs(t *testing.T) {
	t.Parallel()
	tests := map[string]string{"LogicAND": verified, "LogicOR": unverified, "LogicXOR": unverified}
	for name, want := range tests {
		inst := definition(t, name).Compile(value.Obj())
		got, err := inst.Run(t.Context(), &component.Call{}, component.Input{})
		if err != nil || got.JSON() != want {
			t.Errorf("%s without inputs = %s, %v; want %s", name, got.JSON(), err, want)
		}
	}
}

// A variable of the agent counts for an input of its name that did not arrive.
func TestVariablesCount(t *testing.T) {
	t.Parallel()
	inst := definition(t, "LogicAND").Compile(value.Obj())
	in := input([]string{"a", "b"}, parse(t, `{"a":1}`), parse(t, `{"b":"x"}`))
	if got, err := inst.Run(t.Context(), &component.Call{}, in); err != nil || got.JSON() != verified {
		t.Errorf("Run() = %s, %v; want %s", got.JSON(), err, verified)
	}
}

func TestTraits(t *testing.T) {
	t.Parallel()
	for _, d := range Definitions() {
		if !d.Traits.Cheap || !d.Traits.Quiet {
			t.Errorf("%s has the traits %+v, want cheap and quiet", d.Name, d.Traits)
		}
	}
}

func BenchmarkGate(b *testing.B) {
	inst := Definitions()[0].Compile(value.Obj())
	one := value.OfInt(1)
	in := component.Input{Ports: []component.NodePort{{Name: "a"}, {Name: "b"}}, Values: []value.Value{one, one}}
	call := &component.Call{}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := inst.Run(b.Context(), call, in); err != nil {
			b.Fatal(err)
		}
	}
}
