package connector

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// lamp is what connectors of the kind of these tests implement.
type lamp interface{ Colour() string }

// house is its guarded service.
type house struct{ lamps Instances[lamp] }

type bulb struct {
	colour string
	closed int
	err    error // of Close
}

func (b *bulb) Colour() string { return b.colour }

func (b *bulb) Close(context.Context) error {
	b.closed++
	return b.err
}

type bulbSettings struct {
	Colour string `json:"colour" default:"white" sre:"enum=white|red|blue"`
}

func lampKind() *Kind[lamp, *house] {
	return &Kind[lamp, *house]{
		Name: "Lamp", Subsystem: "io", Summary: "Gives light.", Requires: []AnyKind{cellarKind()},
		Build: func(_ Env, in Instances[lamp]) (*house, error) { return &house{in}, nil },
	}
}

func cellarKind() *Kind[any, int] {
	return &Kind[any, int]{Name: "Cellar", Build: func(Env, Instances[any]) (int, error) { return 7, nil }}
}

func bulbDefinition() Definition {
	return Define(lampKind(), "Bulb", "A bulb.", func(_ context.Context, _ Env, s bulbSettings) (lamp, error) {
		if s.Colour == "red" {
			return nil, errors.New("out of stock")
		}
		return &bulb{colour: s.Colour}, nil
	})
}

func TestKind(t *testing.T) {
	t.Parallel()
	var k AnyKind = lampKind()
	if got, want := k.KindName()+"|"+k.KindSubsystem()+"|"+k.KindSummary(), "Lamp|io|Gives light."; got != want {
		t.Errorf("the kind is %s, want %s", got, want)
	}
	if needs := k.Needs(); len(needs) != 1 || needs[0].KindName() != "Cellar" {
		t.Errorf("Needs() = %v, want Cellar", needs)
	}
}

func TestDefinition(t *testing.T) {
	t.Parallel()
	d := bulbDefinition().WithDoc("More.")
	if d.Doc != "More." || d.Name != "Bulb" || d.Kind.KindName() != "Lamp" || d.Settings.Field("colour") == nil {
		t.Errorf("definition %+v", d)
	}
	if plain := bulbDefinition(); plain.Doc != "" {
		t.Errorf("WithDoc changed the definition it was called on: %q", plain.Doc)
	}
	tests := []struct {
		name     string
		settings value.Value
		colour   string
		kind     fault.Kind
		text     string // in the error
	}{
		{"default", value.Value{}, "white", 0, ""},
		{"set", value.Obj(value.M("colour", value.Of("blue"))), "blue", 0, ""},
		{"unknown name", value.Obj(value.M("color", value.Of("blue"))), "", fault.Invalid, `did you mean "colour"?`},
		{"rule broken", value.Obj(value.M("colour", value.Of("mauve"))), "", fault.Invalid, "must be one of"},
		{"no object", value.Of("blue"), "", fault.Invalid, "must be an object"},
		{"fails to open", value.Obj(value.M("colour", value.Of("red"))), "", fault.KindOf(errors.New("any")), "out of stock"},
	}
	for _, test := range tests {
		got, err := d.Open(t.Context(), Env{}, test.settings)
		if test.text == "" {
			if b, ok := got.(lamp); err != nil || !ok || b.Colour() != test.colour {
				t.Errorf("%s: Open = %v, %v, want a %s bulb", test.name, got, err, test.colour)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), test.text) || fault.KindOf(err) != test.kind {
			t.Errorf("%s: Open = %v, want %q in an error of kind %v", test.name, err, test.text, test.kind)
		}
	}
	var e *fault.Error
	if _, err := d.Open(t.Context(), Env{}, value.Of("x")); !errors.As(err, &e) || e.Connector != "Bulb" || e.Op != "connector.open" {
		t.Errorf("Open = %v, want an error that names the connector and the operation", err)
	}
}

func TestBuild(t *testing.T) {
	t.Parallel()
	red, blue := &bulb{colour: "red"}, &bulb{colour: "blue"}
	tests := []struct {
		name, def, wantDefault, wantOrder string
		opened                            []Opened
	}{
		{"first is the default", "", "b", "b a", []Opened{{"b", blue}, {"a", red}}},
		{"named default", "a", "a", "b a", []Opened{{"b", blue}, {"a", red}}},
		{"none", "", "", "", nil},
	}
	for _, test := range tests {
		built, err := Build(lampKind(), Env{}, test.def, test.opened, nil)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		in := built.(*house).lamps
		if in.Default != test.wantDefault || strings.Join(in.Order, " ") != test.wantOrder || len(in.ByID) != len(test.opened) {
			t.Errorf("%s: default %q, order %q, want %q, %q", test.name, in.Default, in.Order, test.wantDefault, test.wantOrder)
		}
	}
	if _, err := Build(lampKind(), Env{}, "", []Opened{{"a", "no lamp"}}, nil); err == nil || !strings.Contains(err.Error(), `instance "a" of Lamp is a string`) {
		t.Errorf("a connector of another kind: %v", err)
	}
}

func TestServices(t *testing.T) {
	t.Parallel()
	all := NewServices()
	all.Put(lampKind(), &house{})
	all.Put(cellarKind(), 7)
	if got := Service(all, cellarKind()); got != 7 {
		t.Errorf("Service(Cellar) = %d, want 7", got)
	}
	some := all.Only(lampKind().Needs())
	if got, ok := Find(some, cellarKind()); !ok || got != 7 {
		t.Errorf("Find(required) = %d, %t, want 7", got, ok)
	}
	if got, ok := Find(some, lampKind()); ok || got != nil {
		t.Errorf("Find(not required) = %v, %t, want nothing", got, ok)
	}
	if _, ok := Find(nil, lampKind()); ok {
		t.Error("Find among no services found one")
	}
	if _, ok := Find(all, &Kind[lamp, int]{Name: "Lamp"}); ok {
		t.Error("Find found a service of another type")
	}
	if got := len(NewServices().Only(lampKind().Needs()).byName); got != 0 {
		t.Errorf("Only kept %d services that are not there", got)
	}
}

// TestService_NotRequired: a definition that uses what it did not ask for is a bug, and says so by a panic.
func TestService_NotRequired(t *testing.T) {
	t.Parallel()
	defer func() {
		if p, _ := recover().(string); !strings.Contains(p, "Lamp was used without being required") {
			t.Errorf("panic %q", p)
		}
	}()
	Service(NewServices(), lampKind())
	t.Error("Service returned what is not there")
}

func TestEnv_Variable(t *testing.T) {
	t.Parallel()
	env := Env{Getenv: func(name string) string { return "<" + name + ">" }}
	if got := env.Variable("HOME"); got != "<HOME>" {
		t.Errorf("Variable(HOME) = %q", got)
	}
	if got := (Env{}).Variable("HOME"); got != "" {
		t.Errorf("Variable without an environment = %q, want nothing", got)
	}
}

// TestGuard: a denial reaches the bus once, and what is allowed does not.
func TestGuard(t *testing.T) {
	t.Parallel()
	var bus event.Bus
	var denied []access.Decision
	defer event.On(&bus, func(_ context.Context, d access.Decision) { denied = append(denied, d) })()
	guard := Env{Events: &bus, Effects: effect.System{}}.Guard(nil)
	ada, err := access.User("ada")
	if err != nil {
		t.Fatal(err)
	}
	bob, err := access.User("bob")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := access.Authorize[access.Read](t.Context(), guard, "lamp.read", ada, "r", access.OwnedBy(ada)); err != nil {
		t.Errorf("the owner: %v", err)
	}
	if _, err := access.Authorize[access.Read](t.Context(), guard, "lamp.read", bob, "r", access.OwnedBy(ada)); !fault.Is(err, fault.Denied) {
		t.Errorf("a stranger: %v, want a denial", err)
	}
	if len(denied) != 1 || denied[0].Candidate != bob || denied[0].Operation != "lamp.read" {
		t.Errorf("the bus carried %+v, want the one denial", denied)
	}
}
