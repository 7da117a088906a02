package egress

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

// Each refusal of an address names the change of the configuration that allows it, and that change alone does.
func TestRefusalNamesTheSetting(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, config, team, url, rule, setting string
	}{
		{"private", `{}`, "", "http://x.test/", "private", "egress.allowNetworks: 10.1.2.3"},
		{"IPv4 in the clothes of IPv6", `{}`, "", "http://[::ffff:10.1.2.3]/", "private", "egress.allowNetworks: 10.1.2.3"},
		{"a translated address", `{}`, "", "http://[64:ff9b::a01:203]/", "private", "egress.allowNetworks: 10.1.2.3"},
		{"loopback as a number", `{}`, "", "http://2130706433/", "loopback", "egress.allowNetworks: 127.0.0.1"},
		{"metadata", `{"allowPrivate":true}`, "", "http://meta.test/", "metadata", "egress.allowNetworks: 169.254.169.254"},
		{"IPv6", `{}`, "", "http://six.test/", "private", "egress.allowNetworks: fd00::1"},
		{"not among the hosts", `{"allowHosts":["api.test"]}`, "", "http://Pub.test/", "host", "egress.allowHosts: pub.test"},
		{"not among the hosts, nor public", `{"allowHosts":["api.test"]}`, "", "http://x.test:8080/", "host", `egress.rules: {"host": "x.test", "networks": ["10.1.2.3"], "ports": [8080]}`},
		{"among the hosts, not public", `{"allowHosts":["x.test"]}`, "", "http://x.test/", "private", "egress.allowNetworks: 10.1.2.3"},
		{"denied", `{"denyHosts":["a.test","*.test"]}`, "", "http://pub.test/", "deny", `egress.denyHosts without "*.test"`},
		{"denied by its network", `{"allowPrivate":true,"denyHosts":["10.0.0.0/8"]}`, "", "http://x.test/", "deny", `egress.denyHosts without "10.0.0.0/8"`},
		{"closed", `{"closed":true}`, "", "http://pub.test/", "closed", "egress.closed: false"},
		{"a team without a section", `{"teams":{"blue":{}}}`, "red", "http://x.test/", "private", "egress.allowNetworks: 10.1.2.3"},
		{"a team with one", `{"teams":{"red":{}}}`, "red", "http://x.test/", "private", "egress.teams.red.allowNetworks: 10.1.2.3"},
		{"hosts of a team", `{"teams":{"red":{"allowHosts":["api.test"]}}}`, "red", "http://pub.test/", "host", "egress.teams.red.allowHosts: pub.test"},
		{"hosts of everyone for a team", `{"allowHosts":["api.test"],"teams":{"red":{}}}`, "red", "http://pub.test/", "host", "egress.allowHosts: pub.test"},
		{"hosts of a team, not public", `{"teams":{"red":{"allowHosts":["api.test"]}}}`, "red", "http://x.test/", "host", `egress.teams.red.rules: {"host": "x.test", "networks": ["10.1.2.3"], "ports": [80]}`},
		{"denied to a team", `{"teams":{"red":{"denyHosts":["pub.test"]}}}`, "red", "http://pub.test/", "deny", `egress.teams.red.denyHosts without "pub.test"`},
		{"denied to everyone", `{"denyHosts":["pub.test"],"teams":{"red":{"allowHosts":["pub.test"]}}}`, "red", "http://pub.test/", "deny", `egress.denyHosts without "pub.test"`},
		{"a closed team", `{"teams":{"red":{"closed":true}}}`, "red", "http://pub.test/", "closed", "egress.teams.red.closed: false"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			srv := w.serve("pub.test", publicIP, hello)
			for name, ip := range map[string]string{"x.test": "10.1.2.3", "meta.test": "169.254.169.254", "six.test": "fd00::1", "loop": "127.0.0.1", "nat.test": "64:ff9b::a01:203"} {
				w.at(name, ip, srv)
			}
			ctx := access.WithActing(t.Context(), access.Acting{Team: tt.team})
			config := parse(t, tt.config)
			_, err := get(ctx, w.configured(config), tt.url)
			if got := code(err); got != "EGRESS_DENIED("+tt.rule+")" {
				t.Fatalf("error = %v, want EGRESS_DENIED(%s)", err, tt.rule)
			}
			var denial *Denial
			if !errors.As(err, &denial) || denial.Setting != tt.setting || !strings.Contains(err.Error(), "an operator allows it with "+tt.setting) {
				t.Fatalf("error = %v, want it to name the setting %s", err, tt.setting)
			}
			if tt.rule != ruleClosed && !denial.Address.IsValid() {
				t.Errorf("error = %v, want the address", err)
			}
			if denial.Address.Is4In6() {
				t.Errorf("the address %s is not shown plainly", denial.Address)
			}
			if body, err := get(ctx, w.configured(changed(t, config, tt.setting)), tt.url); err != nil || body != "hello" {
				t.Errorf("with %s: %q, %v, want it reached", tt.setting, body, err)
			}
		})
	}
}

// configured is a client with a policy as the configuration has it.
func (w *world) configured(section value.Value) *http.Client {
	w.t.Helper()
	p, err := Parse(section)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.client(p, limits.Default())
}

// changed does to a configuration what a refusal advises.
func changed(t *testing.T, config value.Value, setting string) value.Value {
	t.Helper()
	path, text, without := strings.Cut(setting, " without ")
	if !without {
		path, text, _ = strings.Cut(setting, ": ")
	}
	keys := strings.Split(path, ".")[1:]
	var change func(v value.Value, keys []string) value.Value
	change = func(v value.Value, keys []string) value.Value {
		if len(keys) > 0 {
			if v.IsNil() {
				v = value.Obj()
			}
			return v.With(keys[0], change(v.Get(keys[0]), keys[1:]))
		}
		switch items := v.Items(); {
		case without:
			return value.OfItems(slices.DeleteFunc(slices.Clone(items), func(it value.Value) bool { return it.JSON() == text }))
		case text == "false":
			return value.OfBool(false)
		case strings.HasPrefix(text, "{"):
			return value.OfItems(append(slices.Clone(items), parse(t, text)))
		default:
			return value.OfItems(append(slices.Clone(items), value.Of(text)))
		}
	}
	return change(config, keys)
}

// An address that no setting opens is not said to be opened by one.
func TestRefusalWithoutSetting(t *testing.T) {
	t.Parallel()
	c := newWorld(t).client(Policy{}, limits.Default())
	_, err := get(t.Context(), c, "http://[fe80::1%25lo]/")
	if denial := denialOf(err); denial == nil || denial.Setting != "" || !strings.Contains(err.Error(), "no setting allows it") {
		t.Errorf("error = %v, want a refusal that no setting changes", err)
	}
}

// What is refused is told with who asked, in which team and run, and reaches the listener before the caller has the error.
func TestDecisionSaysWho(t *testing.T) {
	t.Parallel()
	who, err := access.Agent("a1")
	if err != nil {
		t.Fatal(err)
	}
	bus := new(event.Bus)
	var got access.Decision
	var acting access.Acting
	event.On(bus, func(ctx context.Context, d access.Decision) { got, acting = d, access.ActingOf(ctx) })
	c, err := New(Policy{}, limits.Default(), WithEvents(bus))
	if err != nil {
		t.Fatal(err)
	}
	want := access.Acting{Candidate: who, Team: "red", Run: "run-1"}
	if _, err := get(access.WithActing(t.Context(), want), c, "http://127.0.0.1/?canary"); !fault.Is(err, fault.Denied) {
		t.Fatalf("error = %v, want it denied", err)
	}
	decision := access.Decision{Candidate: who, Run: "run-1", Operation: "egress", Level: "connect", Resource: "http://127.0.0.1 at 127.0.0.1", Rule: "loopback"}
	if got != decision || acting != want {
		t.Errorf("told %+v for %+v, want %+v for %+v", got, acting, decision, want)
	}
}
