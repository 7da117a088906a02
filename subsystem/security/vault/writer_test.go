package vault

import (
	"context"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
)

// writable is a scripted connector that can be changed.
type writable struct {
	scripted
	set error
}

func (w *writable) Set(context.Context, access.Grant[access.Write], secret.Value) error { return w.set }

func (w *writable) Delete(context.Context, access.Grant[access.Write]) error { return w.set }

func (w *writable) Info(context.Context, access.Grant[access.Read]) ([]Info, error) {
	return []Info{{Name: "k", Hosts: []string{"a.test"}}}, w.list
}

// What a connector answers to a change is passed on with its kind, and names the connector.
func TestHandle_WriteErrors(t *testing.T) {
	t.Parallel()
	team, err := access.Team("t")
	if err != nil {
		t.Fatal(err)
	}
	readable, all := access.NewACL().With(team, access.RightRead), access.NewACL().With(team, access.RightRead|access.RightWrite)
	full := fault.Newf(fault.Unavailable, "the disk is full")
	tests := []struct {
		name string
		conn Connector
		want fault.Kind
		ok   bool
	}{
		{"works", &writable{scripted: scripted{acl: all}}, 0, true},
		{"fails", &writable{scripted: scripted{acl: all}, set: full}, fault.Unavailable, false},
		{"may only read", &writable{scripted: scripted{acl: readable}}, fault.Denied, false},
		{"nothing is there", &writable{}, fault.Denied, false},
		{"rights are not known", &writable{scripted: scripted{aclErr: full}}, fault.Unavailable, false},
		{"cannot be changed", &scripted{acl: all}, fault.Unsupported, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			denied := 0
			h := serve(t, &denied, connector.Opened{ID: "mine", Connector: tt.conn}).For(team)
			for op, err := range map[string]error{"vault.set": h.Set(t.Context(), "k", secret.New("canary")), "vault.delete": h.Delete(t.Context(), "k")} {
				if tt.ok != (err == nil) || !tt.ok && (!fault.Is(err, tt.want) || !strings.HasPrefix(err.Error(), op) || strings.Contains(err.Error(), "canary")) {
					t.Errorf("%s: %v, want kind %v", op, err, tt.want)
				}
			}
			if want := map[bool]int{true: 2}[tt.want == fault.Denied]; denied != want {
				t.Errorf("%d records of denials, want %d", denied, want)
			}
		})
	}
}

// A connector that cannot be changed tells the names of its keys; one that can also tells their hosts.
func TestHandle_Info(t *testing.T) {
	t.Parallel()
	team, err := access.Team("t")
	if err != nil {
		t.Fatal(err)
	}
	acl := access.NewACL().With(team, access.RightRead)
	for name, conn := range map[string]Connector{"t/": &scripted{acl: acl}, "k": &writable{scripted: scripted{acl: acl}}} {
		denied := 0
		infos, err := serve(t, &denied, connector.Opened{ID: "mine", Connector: conn}).For(team).Info(t.Context())
		if err != nil || len(infos) != 1 || infos[0].Name != name || (infos[0].Hosts != nil) != (name == "k") {
			t.Errorf("Info = %+v, %v, want the key %q", infos, err, name)
		}
	}
	failed := fault.Newf(fault.Unavailable, "gone")
	for _, conn := range []Connector{&scripted{acl: acl, list: failed}, &writable{scripted: scripted{acl: acl, list: failed}}, &scripted{aclErr: failed}} {
		denied := 0
		if infos, err := serve(t, &denied, connector.Opened{ID: "mine", Connector: conn}).For(team).Info(t.Context()); !fault.Is(err, fault.Unavailable) || infos != nil {
			t.Errorf("Info of a connector that fails = %v, %v, want kind %v", infos, err, fault.Unavailable)
		}
	}
	var none *Service
	if err := none.For(team).Set(t.Context(), "k", secret.New("x")); !fault.Is(err, fault.Unsupported) {
		t.Errorf("Set without a vault: %v, want kind %v", err, fault.Unsupported)
	}
	if _, err := none.For(team).Info(t.Context()); !fault.Is(err, fault.Unsupported) {
		t.Errorf("Info without a vault: %v, want kind %v", err, fault.Unsupported)
	}
}

func TestT30_CheckHosts(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"api.test": true, "API.Test": true, "api.test.": true, "*.api.test": true, "localhost": true, "a_b.test": true, "xn--bcher-kva.test": true,
		"10.0.0.1": true, "::1": true, "fe80::1%eth0": true,
		"": false, "*": false, "*.": false, "**.a": false, "a.*.b": false, "*a.test": false, ".a": false, "a..b": false, "https://a.test": false,
		"a.test/x": false, "a.test:443": false, "[::1]": false, "a b": false, "a@b": false, "b\u00fccher.test": false, "a.test\n": false,
		strings.Repeat("a", 64) + ".test": false, strings.Repeat("a.", 127) + "test": false, "\u212a.test": false,
	} {
		if err := CheckHosts([]string{"ok.test", host}); (err == nil) != want || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("CheckHosts(%q): %v, want accepted: %v", host, err, want)
		}
	}
	for _, none := range [][]string{nil, {}} {
		if err := CheckHosts(none); !fault.Is(err, fault.Invalid) {
			t.Errorf("CheckHosts of nothing: %v, want kind %v", err, fault.Invalid)
		}
	}
}
