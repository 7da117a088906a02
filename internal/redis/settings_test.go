package redis

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		hosts string // JSON
		want  []string
	}{
		{`"127.0.0.1:6380"`, []string{"127.0.0.1:6380"}},
		{`"a:1, b:2,"`, []string{"a:1", "b:2"}},
		{`"redis"`, []string{"redis:6379"}},
		{`"[::1]:7000,::1"`, []string{"[::1]:7000", "[::1]:6379"}},
		{`["a:1","b"]`, []string{"a:1", "b:6379"}},
		{`[{"host":"a","port":1},{"host":"b","port":"2"},{"host":"c"}]`, []string{"a:1", "b:2", "c:6379"}},
		{`{"host":"a","port":1}`, []string{"a:1"}},
		{`""`, nil}, {`" , "`, nil}, {`[]`, nil}, {`7`, nil}, {`[7]`, nil}, {`"a:0"`, nil}, {`"a:x"`, nil}, {`"a:70000"`, nil},
		{`":1"`, nil}, {`"redis://a:1"`, nil}, {`"user@a:1"`, nil}, {`"a/b:1"`, nil}, {`[{"port":1}]`, nil}, {`[{"host":"a","port":[]}]`, nil},
		{`"a:1:2"`, nil},
	} {
		v, err := value.Parse(c.hosts)
		if err != nil {
			t.Fatal(err)
		}
		got, err := addresses(v)
		if !slices.Equal(got, c.want) || (err == nil) != (c.want != nil) {
			t.Errorf("addresses(%s) = %q, %v, want %q", c.hosts, got, err, c.want)
		}
		if err != nil && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "REDIS_HOSTS")) {
			t.Errorf("addresses(%s) = %v, want INVALID with a hint", c.hosts, err)
		}
	}
}

// What the settings leave out comes from the environment, and settings win.
func TestOptions_Environment(t *testing.T) {
	t.Parallel()
	variables := map[string]string{"REDIS_HOSTS": "a:1,b:2", "REDIS_MASTER_NAME": "main", "REDIS_PASSWORD": "from outside"}
	env := connector.Env{Getenv: func(name string) string { return variables[name] }}
	o, err := options(env, Settings{})
	if err != nil || !slices.Equal(o.Hosts, []string{"a:1", "b:2"}) || o.Name != "main" || o.Password.Reveal() != "from outside" {
		t.Errorf("options = %+v, %v, want those of the environment", o, err)
	}
	o, err = options(env, Settings{Hosts: value.Of("c:3"), Name: "other", Password: secret.New("own")})
	if err != nil || !slices.Equal(o.Hosts, []string{"c:3"}) || o.Name != "other" || o.Password.Reveal() != "own" {
		t.Errorf("options = %+v, %v, want those of the settings", o, err)
	}
}

func TestNew_Refuses(t *testing.T) {
	t.Parallel()
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no") }
	for name, c := range map[string]struct {
		o    Options
		want fault.Kind
		hint string
	}{
		"no host":               {Options{Dial: dial}, fault.Invalid, "REDIS_HOSTS"},
		"Sentinels, no name":    {Options{Dial: dial, Hosts: []string{"a:1", "b:2"}}, fault.Invalid, "REDIS_MASTER_NAME"},
		"no way out":            {Options{Hosts: []string{"a:1"}}, fault.Unsupported, "no way out"},
		"password of elsewhere": {Options{Dial: dial, Hosts: []string{"a:1"}, Password: secret.New("x").For("b")}, fault.Invalid, "may not go to a"},
		"ca without TLS":        {Options{Dial: dial, Hosts: []string{"a:1"}, CA: "x"}, fault.Invalid, "tls"},
		"ca that is none":       {Options{Dial: dial, Hosts: []string{"a:1"}, TLS: true, CA: "x"}, fault.Invalid, "PEM"},
	} {
		if _, err := New(c.o); !fault.Is(err, c.want) || !strings.Contains(err.Error(), c.hint) {
			t.Errorf("%s: New = %v, want %v with %q", name, err, c.want, c.hint)
		}
	}
}

// A pattern finds the keys that begin with a text, whatever the text.
func TestPattern(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]string{
		"": "*", "a:b:": "a:b:*", "a*b": `a\*b*`, "[x]?": `\[x\]\?*`, `\`: `\\*`, "a-b^": `a\-b\^*`, "ü": "ü*",
	} {
		if got := Pattern(prefix); got != want {
			t.Errorf("Pattern(%q) = %q, want %q", prefix, got, want)
		}
	}
}
