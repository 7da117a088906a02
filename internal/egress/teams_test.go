package egress

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

// What a team may reach is what its section says on top of what everyone may.
func TestTeams(t *testing.T) {
	t.Parallel()
	const open = "-"
	tests := []struct {
		name, config string
		want         map[string]string // rule by "team url", "-" when it is reached
	}{
		{"hosts of a team take the place of those of everyone", `{"allowHosts":["pub.test"],"teams":{"red":{"allowHosts":["other.test"]}}}`, map[string]string{
			"red http://other.test/": open, "red http://pub.test/": "host", "blue http://pub.test/": open, "blue http://other.test/": "host", " http://other.test/": "host",
		}},
		{"a network for one team", `{"teams":{"red":{"allowNetworks":["10.1.0.0/16"]}}}`, map[string]string{
			"red http://lan.test/": open, "blue http://lan.test/": "private", " http://lan.test/": "private", "red http://pub.test/": open,
		}},
		{"networks add up", `{"allowNetworks":["10.1.2.3"],"teams":{"red":{"allowNetworks":["fd00::1"]}}}`, map[string]string{
			"red http://lan.test/": open, "red http://six.test/": open, "blue http://lan.test/": open, "blue http://six.test/": "private",
		}},
		{"refusals add up", `{"denyHosts":["pub.test"],"teams":{"red":{"denyHosts":["other.test"],"allowHosts":["pub.test"]}}}`, map[string]string{
			"red http://pub.test/": "deny", "red http://other.test/": "deny", "blue http://other.test/": open,
		}},
		{"a rule of a team", `{"allowHosts":["pub.test"],"teams":{"red":{"rules":[{"host":"lan.test","networks":["10.0.0.0/8"],"ports":[80]}]}}}`, map[string]string{
			"red http://lan.test/": open, "red http://lan.test:81/": "host", "red http://pub.test/": open, "blue http://lan.test/": "host",
		}},
		{"a rule of everyone counts for the hosts of a team", `{"rules":[{"host":"lan.test","networks":["10.0.0.0/8"]},{"host":"six.test","networks":["fd00::/8"]}],"teams":{"red":{"allowHosts":["lan.test"]},"green":{}}}`, map[string]string{
			"red http://lan.test/": open, "red http://six.test/": "host", "green http://six.test/": open, "blue http://six.test/": open,
		}},
		{"a closed team", `{"allowPrivate":true,"teams":{"red":{"closed":true}}}`, map[string]string{
			"red http://pub.test/": "closed", "blue http://lan.test/": open,
		}},
		{"everyone is closed", `{"closed":true,"teams":{"red":{"closed":false,"allowHosts":["pub.test"]}}}`, map[string]string{"red http://pub.test/": "closed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			srv := w.serve("pub.test", publicIP, hello)
			w.at("other.test", otherIP, srv)
			w.at("lan.test", "10.1.2.3", srv)
			w.at("six.test", "fd00::1", srv)
			c := w.configured(parse(t, tt.config))
			for range 2 { // and again over connections that are open
				for asked, want := range tt.want {
					team, url, _ := strings.Cut(asked, " ")
					_, err := get(access.WithActing(t.Context(), access.Acting{Team: team}), c, url)
					got := open
					if d := denialOf(err); d != nil {
						got = d.Rule
					} else if err != nil {
						t.Fatalf("%s: %v", asked, err)
					}
					if got != want {
						t.Errorf("%s: rule %q, want %q", asked, got, want)
					}
				}
			}
		})
	}
}

// A redirect and a proxy are under the rules of the team, too.
func TestTeams_RedirectAndProxy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("pub.test", publicIP, func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "http://other.test/", http.StatusFound)
	})
	w.serve("other.test", otherIP, hello)
	c := w.configured(parse(t, `{"teams":{"red":{"allowHosts":["pub.test"]}}}`))
	red := access.WithActing(t.Context(), access.Acting{Team: "red"})
	if _, err := get(red, c, "http://pub.test/"); code(err) != "EGRESS_DENIED(host)" {
		t.Errorf("redirect: error = %v, want EGRESS_DENIED(host)", err)
	}
	if body, err := get(t.Context(), c, "http://pub.test/"); err != nil || body != "hello" {
		t.Errorf("redirect of another team: %q, %v", body, err)
	}
	w.denied()
	proxied, err := WithProxy(red, "socks5://other.test:1080")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(proxied, c, "http://pub.test/"); code(err) != "EGRESS_DENIED(host)" || !strings.Contains(err.Error(), "egress.teams.red.allowHosts: other.test") {
		t.Errorf("proxy: error = %v, want EGRESS_DENIED(host) with the setting", err)
	}
	if got := w.denied(); len(got) != 1 || got[0].Resource != "socks5://other.test at "+otherIP {
		t.Errorf("records %+v, want one about the proxy", got)
	}
}

// What a proxy is asked for is under the rules of the team, before the proxy is asked, and a closed team asks nobody.
func TestTeams_BehindProxy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("proxy.test", otherIP, hello)
	w.names["pub.test"] = []string{publicIP}
	c := w.configured(parse(t, `{"teams":{"red":{"allowHosts":["proxy.test"]},"blue":{"closed":true}}}`))
	for team, want := range map[string]string{"red": "EGRESS_DENIED(host)", "blue": "EGRESS_DENIED(closed)", "green": ""} {
		ctx := through(t, access.WithActing(t.Context(), access.Acting{Team: team}), "http://proxy.test:3128")
		if body, err := get(ctx, c, "http://pub.test/"); code(err) != want || want == "" && body != "hello" {
			t.Errorf("%s: %q, %v, want code %q", team, body, err, want)
		}
		if dialled := w.dialled(); want != "" && dialled != nil {
			t.Errorf("%s: dialled %q, want nothing", team, dialled)
		}
	}
}

func TestTeams_Faults(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{"teams":[]}`: "teams are an object", `{"teams":{"a b":{}}}`: "alphanumeric", `{"teams":{"red":{"allowHost":[]}}}`: `did you mean "allowHosts"`,
		`{"teams":{"red":{"allowNetworks":["x"]}}}`: "is no network", `{"teams":{"red":{"rules":[{"host":"a","ports":[0]}]}}}`: "is no port",
		`{"teams":{"red":{"allowPrivate":true}}}`: "allowPrivate", `{"teams":{"red":7}}`: "must be an object",
	} {
		_, err := FromConfig(parse(t, config), limits.Default())
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "egress.teams") {
			t.Errorf("%s: error = %v, want INVALID about egress.teams with %q", config, err, want)
		}
	}
}
