package kernel

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// trace records what happens to parts, in order.
type trace struct{ lines []string }

func (tr *trace) add(line string) { tr.lines = append(tr.lines, line) }

// part is a connector that does what its settings say.
type part struct {
	name     string
	trace    *trace
	settings partSettings
}

type partSettings struct {
	Fail string `json:"fail" sre:"enum=open|start|close|check" doc:"What goes wrong."`
	Size int    `json:"size"`
}

func (p *part) Start(context.Context) error { p.trace.add("start " + p.name); return p.fail("start") }
func (p *part) Close(context.Context) error { p.trace.add("close " + p.name); return p.fail("close") }
func (p *part) Check(context.Context) error { return p.fail("check") }

func (p *part) fail(when string) error {
	if p.settings.Fail == when {
		return fault.Newf(fault.Unavailable, "it does not %s", when)
	}
	return nil
}

type service struct {
	conns connector.Instances[*part]
	needs []string
}

// kind declares a service over parts.
func kind(name string, needs ...connector.AnyKind) *connector.Kind[*part, *service] {
	return &connector.Kind[*part, *service]{
		Name: name, Subsystem: "test", Requires: needs,
		Build: func(env connector.Env, in connector.Instances[*part]) (*service, error) {
			s := &service{conns: in}
			for _, n := range needs {
				s.needs = append(s.needs, n.KindName())
			}
			return s, nil
		},
	}
}

// world is a set of three services: C requires B, B requires A.
func world() (Set, *trace) {
	tr := &trace{}
	a := kind("A")
	b := kind("B", a)
	c := kind("C", b, a)
	set := Set{Kinds: []connector.AnyKind{c, b, a}}
	for _, k := range []*connector.Kind[*part, *service]{a, b, c} {
		set.Connectors = append(set.Connectors, connector.Define(k, "Part"+k.Name, "A part.", func(_ context.Context, _ connector.Env, s partSettings) (*part, error) {
			p := &part{name: k.Name, trace: tr, settings: s}
			tr.add("open " + k.Name)
			return p, p.fail("open")
		}))
	}
	return set, tr
}

func options(t *testing.T, layers ...string) Options {
	t.Helper()
	all := []Layer{{Origin: "defaults", Value: parse(t, `{"services":{"A":{"Connector":"PartA"},"B":{"Connector":"PartB"},"C":{"Connector":"PartC"}}}`)}}
	for i, l := range layers {
		all = append(all, Layer{Origin: "layer " + string(rune('1'+i)), Value: parse(t, l), Getenv: func(name string) string {
			return map[string]string{"SIZE": "7", "NAME": "PartA"}[name]
		}})
	}
	c, err := Merge(all)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Config: c, Log: slog.New(slog.DiscardHandler), HTTP: http.DefaultClient, Effects: effect.System{}, Events: &event.Bus{}}
}

func parse(t *testing.T, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestStart_Order(t *testing.T) {
	t.Parallel()
	set, tr := world()
	o := options(t)
	prepared := false
	o.Prepare = func(_ context.Context, s *connector.Services) error {
		prepared = true
		return nil
	}
	k, err := Start(t.Context(), set, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"open A", "open B", "open C", "start A", "start B", "start C", "close C", "close B", "close A"}
	if !slices.Equal(tr.lines, want) || !prepared {
		t.Errorf("got %q, prepared %t\nwant %q", tr.lines, prepared, want)
	}
	var phases []string
	for _, p := range k.Report().Phases {
		phases = append(phases, p.Name)
		if len(p.Steps) == 0 {
			t.Errorf("the phase %q has no steps", p.Name)
		}
	}
	if want := []string{PhaseCore, PhaseRegister, PhaseConnect, PhaseReadiness}; !slices.Equal(phases, want) {
		t.Errorf("phases %q, want %q", phases, want)
	}
	if err := k.Close(t.Context()); err != nil || len(tr.lines) != len(want) {
		t.Errorf("a second Close did something: %q, %v", tr.lines, err)
	}
}

func TestStart_Unwinds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, layer string
		want        []string
	}{
		{"open", `{"services":{"B":{"Connector":"PartB","Settings":{"fail":"open"}}}}`, []string{"open A", "open B", "close A"}},
		{"start", `{"services":{"B":{"Connector":"PartB","Settings":{"fail":"start"}}}}`, []string{"open A", "open B", "open C", "start A", "start B", "close C", "close B", "close A"}},
	} {
		set, tr := world()
		_, err := Start(t.Context(), set, options(t, test.layer))
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "B") || !slices.Equal(tr.lines, test.want) {
			t.Errorf("%s: error = %v after %q\nwant %q", test.name, err, tr.lines, test.want)
		}
	}
	set, tr := world()
	o := options(t)
	o.Prepare = func(context.Context, *connector.Services) error { return errors.New("no agents") }
	if _, err := Start(t.Context(), set, o); err == nil || tr.lines[len(tr.lines)-1] != "close A" {
		t.Errorf("preparation failed: error = %v after %q, want everything closed", err, tr.lines)
	}
}

func TestStart_Circle(t *testing.T) {
	t.Parallel()
	a := kind("A")
	b := kind("B", a)
	a.Requires = []connector.AnyKind{b}
	_, err := Start(t.Context(), Set{Kinds: []connector.AnyKind{a, b}}, Options{Effects: effect.System{}, Log: slog.New(slog.DiscardHandler), Events: &event.Bus{}})
	if err == nil || !strings.Contains(err.Error(), "A → B → A") {
		t.Errorf("Start() error = %v, want one that names the circle", err)
	}
}

func TestStart_ReportsAllFaults(t *testing.T) {
	t.Parallel()
	set, tr := world()
	_, err := Start(t.Context(), set, options(t, `{"services":{"D":{"Connector":"PartA"},"A":{"Connector":"PrtA"},"B":{"Connector":"PartB","Settings":{"sise":1}}}}`))
	for _, want := range []string{`"D"`, `"PartA"`, `"size"`, "layer 1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start() error = %v, want one that names %s", err, want)
		}
	}
	if len(tr.lines) != 0 {
		t.Errorf("%q was done with a wrong configuration", tr.lines)
	}
}

func TestInstances(t *testing.T) {
	t.Parallel()
	set, _ := world()
	k, err := Start(t.Context(), set, options(t, `{"services":{"A":[{"Connector":"PartA","Id":"one","Settings":{"size":"$env(SIZE)"}},{"Connector":"$env(NAME)","Id":"two","Default":true}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := k.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	svc, _ := connector.Find(k.Services(), set.Kinds[2].(*connector.Kind[*part, *service]))
	if svc.conns.Default != "two" || svc.conns.ByID["one"].settings.Size != 7 {
		t.Errorf("default %q, size %d; want two and 7", svc.conns.Default, svc.conns.ByID["one"].settings.Size)
	}
	other, release, err := svc.conns.With(t.Context(), "one", value.Obj(value.M("size", value.OfInt(9))))
	release()
	if err != nil || other.settings.Size != 9 || svc.conns.ByID["one"].settings.Size != 7 {
		t.Errorf("With() = %+v, %v; want an instance of its own", other, err)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	set, _ := world()
	k, err := Start(t.Context(), set, options(t, `{"services":{"B":{"Connector":"PartB","Settings":{"fail":"check"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	health := k.Health(t.Context())
	if health["A/PartA"] != nil || health["B/PartB"] == nil {
		t.Errorf("Health() = %v, want B to be ill alone", health)
	}
	if err := k.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestTwoKernels: two kernels in one process know nothing of each other.
func TestTwoKernels(t *testing.T) {
	t.Parallel()
	first, tr1 := world()
	second, tr2 := world()
	k1, err := Start(t.Context(), first, options(t))
	if err != nil {
		t.Fatal(err)
	}
	k2, err := Start(t.Context(), second, options(t, `{"services":{"A":{"Connector":"PartA","Settings":{"fail":"close"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := k2.Close(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "A/PartA") {
		t.Errorf("Close() error = %v, want that of A", err)
	}
	if len(tr2.lines) != 9 || len(tr1.lines) != 6 {
		t.Errorf("the first kernel did %d things, the second %d; want 6 and 9", len(tr1.lines), len(tr2.lines))
	}
	if err := k1.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMerge_Refuses(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`[]`:                                   "one JSON object",
		`{"servces":{}}`:                       `"services"`,
		`{"services":[]}`:                      "object of service names",
		`{"services":{"A":"PartA"}}`:           "object or a list",
		`{"services":{"A":{"Id":"x"}}}`:        "Connector is missing",
		`{"services":{"A":{"connector":"x"}}}`: `"Connector"`,
		`{"services":{"A":[{"Connector":"x"},{"Connector":"x"}]}}`:                               "another Id",
		`{"services":{"A":[{"Connector":"x","Default":true},{"Connector":"y","Default":true}]}}`: "two defaults",
		`{"limits":{"stps":1}}`:                            `"steps"`,
		`{"limits":{"steps":"many"}}`:                      "10000",
		`{"services":{"A":{"Connector":"$env(NOT_SET)"}}}`: "NOT_SET",
		`{"services":{"A":{"Connector":"$env(NOT"}}}`:      "does not close",
	} {
		_, err := Merge([]Layer{{Origin: "here", Value: parse(t, config), Getenv: func(string) string { return "" }}})
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "here") {
			t.Errorf("%s: error = %v, want one that says %s and where", config, err, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	env := map[string]string{"SRE_SERVICE_CACHE": "RAM", "SRE_LIMIT_STEPS": "500", "SRE_LIMIT_JSON_BYTES": "1 MiB", "SRE_SERVICE_NOPE": "x"}
	c, err := Merge([]Layer{Environment(func(name string) string { return env[name] }, []string{"Cache", "Storage"})})
	if err != nil {
		t.Fatal(err)
	}
	if c.Limits.Steps != 500 || c.Limits.JSONBytes != 1<<20 || len(c.Services) != 1 || c.Services["Cache"][0].Connector != "RAM" {
		t.Errorf("got steps %d, bytes %d and services %v", c.Limits.Steps, c.Limits.JSONBytes, c.Services)
	}
}

func FuzzMerge(f *testing.F) {
	f.Add(`{"services":{"A":[{"Connector":"x","Id":"y","Settings":{"k":"$env(X)"}}]},"limits":{"steps":1},"egress":{},"server":{}}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := value.Parse(text)
		if err != nil {
			return
		}
		c, err := Merge([]Layer{{Origin: "here", Value: v, Getenv: func(string) string { return "x" }}})
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("Merge() error of kind %v: %v", fault.KindOf(err), err)
		}
		for name, list := range c.Services {
			defaults := 0
			for _, in := range list {
				if in.Default {
					defaults++
				}
			}
			if len(list) > 0 && defaults != 1 {
				t.Errorf("service %q has %d defaults", name, defaults)
			}
		}
	})
}
