package egress

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

func parse(t *testing.T, text string) value.Value {
	t.Helper()
	v, err := value.Decode([]byte(text), value.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, config string
		// what refuses "host port address"; nothing is "-"
		want map[string]string
	}{
		{"default", `{}`, map[string]string{
			"a.com 443 8.8.8.8": "-", "a.com 443 127.0.0.1": "loopback", "a.com 80 10.0.0.1": "private", "a.com 80 169.254.169.254": "metadata",
		}},
		{"private", `{"allowPrivate":true}`, map[string]string{
			"localhost 80 127.0.0.1": "-", "x 80 10.0.0.1": "-", "x 80 fd00::1": "-", "x 80 169.254.169.254": "metadata", "x 80 fd00:ec2::254": "metadata",
			"x 80 64:ff9b::a9fe:a9fe": "metadata", "x 80 169.254.1.1": "link-local", "x 80 224.0.0.1": "multicast", "a.com 80 8.8.8.8": "-",
		}},
		{"networks", `{"allowNetworks":["10.1.0.0/16","127.0.0.1","0.0.0.0/0"]}`, map[string]string{
			"x 80 10.1.2.3": "-", "x 80 127.0.0.1": "-", "x 80 169.254.169.254": "metadata", "x 80 fd00::1": "private", "a.com 80 2606:4700::1111": "-",
		}},
		{"the metadata service by its address", `{"allowNetworks":["169.254.169.254/32"]}`, map[string]string{
			"x 80 169.254.169.254": "-", "x 80 169.254.170.2": "metadata",
		}},
		{"hosts", `{"allowHosts":["api.example.com","*.example.org"]}`, map[string]string{
			"api.example.com 443 8.8.8.8": "-", "API.Example.Com. 443 8.8.8.8": "-", "x.example.org 443 8.8.8.8": "-", "example.org 443 8.8.8.8": "host",
			"badexample.org 443 8.8.8.8": "host", "api.example.com.evil.test 443 8.8.8.8": "host", "api.example.com 443 127.0.0.1": "loopback",
		}},
		{"deny", `{"allowPrivate":true,"denyHosts":["*.evil.test","10.0.0.0/8","8.8.4.4"]}`, map[string]string{
			"x.evil.test 80 8.8.8.8": "deny", "x 80 10.1.1.1": "deny", "x 80 8.8.4.4": "deny", "x 80 192.168.0.1": "-", "x 80 ::ffff:10.1.1.1": "deny",
		}},
		{"rules", `{"allowHosts":["api.example.com"],"rules":[{"host":"ollama.lan","networks":["192.168.1.0/24"],"ports":[11434]},{"host":"hooks.example.net"}]}`, map[string]string{
			"ollama.lan 11434 192.168.1.7": "-", "ollama.lan 22 192.168.1.7": "host", "ollama.lan 11434 192.168.2.7": "host", "other.lan 11434 192.168.1.7": "host",
			"hooks.example.net 443 8.8.8.8": "-", "hooks.example.net 443 10.0.0.1": "host", "api.example.com 443 8.8.8.8": "-",
		}},
		{"closed", `{"closed":true,"allowPrivate":true,"rules":[{"host":"a.com"}]}`, map[string]string{"a.com 443 8.8.8.8": "closed"}},
	}
	for _, test := range tests {
		p, err := Parse(parse(t, test.config))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		r, _, err := newRules(p)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		for dest, want := range test.want {
			host, rest, _ := strings.Cut(dest, " ")
			port, addr, _ := strings.Cut(rest, " ")
			_, n, err := split("x:" + port)
			if err != nil {
				t.Fatal(err)
			}
			got := r.check(host, n, netip.MustParseAddr(addr)).rule
			if got == "" {
				got = "-"
			}
			if got != want {
				t.Errorf("%s: check(%s) = %q, want %q", test.name, dest, got, want)
			}
		}
	}
}

func TestPolicyFaults(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{"allowPrivat":true}`: `did you mean "allowPrivate"`, `{"allowPrivate":"maybe"}`: "must be a boolean", `[]`: "must be an object",
		`{"allowNetworks":["x"]}`: "is no network", `{"allowNetworks":["::ffff:10.0.0.0/104"]}`: "is no network", `{"rules":{}}`: "rules are a list",
		`{"rules":[{"networks":["10.0.0.0/8"]}]}`: `"host" is required`, `{"rules":[{"host":"a","networks":["y"]}]}`: "is no network",
		`{"rules":[{"host":"a","ports":[70000]}]}`: "is no port", `{"rules":[{"host":"a","port":80}]}`: `did you mean "ports"`, `{"rules":["a"]}`: "must be an object",
	} {
		_, err := FromConfig(parse(t, config), limits.Default())
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "egress") {
			t.Errorf("%s: error = %v, want INVALID about egress with %q", config, err, want)
		}
	}
	for _, v := range []value.Value{{}, value.NullValue(), value.Obj()} {
		if p, err := Parse(v); err != nil || p.AllowPrivate || p.Closed {
			t.Errorf("Parse(%s) = %+v, %v, want the default policy", v.JSON(), p, err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	r, _, err := newRules(Policy{AllowHosts: []string{"*.example.com"}})
	if err != nil {
		b.Fatal(err)
	}
	a := netip.MustParseAddr(publicIP)
	b.ReportAllocs()
	for b.Loop() {
		if r.check("api.example.com", 443, a).rule != "" {
			b.Fatal("refused")
		}
	}
}
