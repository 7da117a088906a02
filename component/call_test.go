package component

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/value"
)

func TestCall_Logs(t *testing.T) {
	t.Parallel()
	var heard []string
	sink := func(level, message string) { heard = append(heard, level+"="+message) }
	tests := []struct {
		name        string
		call        Call
		logs        bool
		heard, kept string
	}{
		{"nobody listens", Call{}, false, "", ""},
		{"heard", Call{Sink: sink}, true, "debug=a b|info=c|error=d", ""},
		{"kept", Call{KeepLog: true}, true, "", "debug: a b\ninfo: c\nerror: d"},
		{"both", Call{Sink: sink, KeepLog: true}, true, "debug=a b|info=c|error=d", "debug: a b\ninfo: c\nerror: d"},
	}
	for _, test := range tests {
		heard = nil
		if got := test.call.Logs(); got != test.logs {
			t.Errorf("%s: Logs() = %t, want %t", test.name, got, test.logs)
		}
		test.call.LogDebug("a", "b")
		test.call.LogInfo("c")
		test.call.LogError("d")
		if got := strings.Join(heard, "|"); got != test.heard {
			t.Errorf("%s: heard %q, want %q", test.name, got, test.heard)
		}
		if got := test.call.LogText(); got != test.kept {
			t.Errorf("%s: kept %q, want %q", test.name, got, test.kept)
		}
	}
}

// TestCall_LogNothing: a call that nobody watches pays nothing for its log lines.
func TestCall_LogNothing(t *testing.T) {
	var call Call
	if got := testing.AllocsPerRun(100, func() { call.LogInfo("one", "two") }); got != 0 {
		t.Errorf("LogInfo allocates %g times, want 0", got)
	}
}

func TestInput(t *testing.T) {
	t.Parallel()
	in := Input{
		Ports:     []NodePort{{Name: "a"}, {Name: "b"}, {Name: "c"}},
		Values:    []value.Value{value.OfInt(1), {}, value.NullValue()},
		Extra:     value.Obj(value.M("x", value.OfInt(9)), value.M("a", value.OfInt(8))),
		Variables: value.Obj(value.M("b", value.OfInt(5)), value.M("c", value.OfInt(6)), value.M("v", value.OfInt(7))),
	}
	tests := []struct{ name, get, lookup string }{
		{"a", "1", "1"},
		{"b", "", "5"},        // did not arrive: the variable counts
		{"c", "null", "null"}, // arrived as null: it hides the variable
		{"x", "9", "9"},
		{"v", "", "7"},
		{"A", "", ""}, // names are exact
		{"", "", ""},
	}
	for _, test := range tests {
		if got := in.Get(test.name).JSON(); got != test.get {
			t.Errorf("Get(%q) = %q, want %q", test.name, got, test.get)
		}
		if got := in.Lookup(test.name).JSON(); got != test.lookup {
			t.Errorf("Lookup(%q) = %q, want %q", test.name, got, test.lookup)
		}
	}
	if got := (Input{}).Lookup("a"); !got.IsAbsent() {
		t.Errorf("Lookup in no input = %s, want nothing", got.JSON())
	}
}

func TestInput_Object(t *testing.T) {
	t.Parallel()
	ports := []NodePort{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	tests := []struct {
		name string
		in   Input
		want string
	}{
		{"nothing", Input{}, `{}`},
		{"in order of the ports", Input{Ports: ports, Values: []value.Value{value.OfInt(1), {}, value.NullValue()}}, `{"a":1,"c":null}`},
		{"with more", Input{Ports: ports[:1], Values: []value.Value{{}}, Extra: value.Obj(value.M("x", value.OfInt(9)))}, `{"x":9}`},
		{"without the variables", Input{Variables: value.Obj(value.M("v", value.OfInt(7)))}, `{}`},
	}
	for _, test := range tests {
		if got := test.in.Object().JSON(); got != test.want {
			t.Errorf("%s: Object() = %s, want %s", test.name, got, test.want)
		}
	}
}
