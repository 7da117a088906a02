package kernel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
)

// folder makes a data folder with a configuration file.
func folder(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ConfigFile), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFile(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"no folder": filepath.Join(t.TempDir(), "none"), "no file": t.TempDir()} {
		l, err := File(dir, nil)
		if err != nil || !l.Value.IsAbsent() {
			t.Errorf("%s: %s, %v, want an empty layer", name, l.Value.JSON(), err)
		}
	}
	dir := folder(t, `{"limits":{"steps":5}}`)
	l, err := File(dir, nil)
	if err != nil || l.Value.JSON() != `{"limits":{"steps":5}}` || l.Origin != filepath.Join(dir, "config.json") {
		t.Errorf("File() = %+v, %v", l, err)
	}
	for name, text := range map[string]string{
		"broken": `{"limits":`, "duplicate": `{"limits":{},"limits":{}}`, "deep": strings.Repeat("[", 200) + strings.Repeat("]", 200), "empty": "", "too large": `"` + strings.Repeat("x", maxConfig) + `"`,
	} {
		if _, err := File(folder(t, text), nil); err == nil || fault.Is(err, fault.Internal) {
			t.Errorf("%s: error = %v, want it refused", name, err)
		}
	}
}

// Each value tells the layer it comes from, and what a stronger layer replaces is forgotten.
func TestSources(t *testing.T) {
	t.Parallel()
	c, err := Merge([]Layer{
		{Origin: "defaults", Value: parse(t, `{"services":{"A":{"Connector":"x","Settings":{"k":1}},"AB":{"Connector":"y"}},"limits":{"steps":1,"depth":2},"egress":{"allowPrivate":true,"allowHosts":["a","b"]}}`)},
		{Origin: "nothing", Value: parse(t, `{}`)},
		{Origin: "file", Value: parse(t, `{"services":{"A":[{"Connector":"z"},{"Connector":"z","Id":"two"}]},"limits":{"steps":3},"egress":{"allowHosts":[]},"server":{"port":"$env(PORT)"},"compatibility":{"countCalls":true}}`),
			Getenv: func(string) string { return "1" }},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Sources{
		"services.A[0].Connector": "file", "services.A[1].Connector": "file", "services.A[1].Id": "file", "services.AB.Connector": "defaults",
		"limits.steps": "file", "limits.depth": "defaults", "egress.allowHosts": "file", "server.port": "file", "compatibility.countCalls": "file",
	}
	for path, origin := range want {
		if c.Sources[path] != origin {
			t.Errorf("%s comes from %q, want %q", path, c.Sources[path], origin)
		}
	}
	if len(c.Sources) != len(want) {
		t.Errorf("sources are %v, want %v", c.Sources, want)
	}
	if len(c.Origins) != 2 || c.Server.Value.GetString("port") != "1" {
		t.Errorf("origins %q, server %s", c.Origins, c.Server.Value.JSON())
	}
}

// TestT31_Environment: only a layer that may read the environment does, once, and what it reads is not read again.
func TestT31_Environment(t *testing.T) {
	t.Parallel()
	const config = `{"services":{"A":{"Connector":"x","Settings":{"k":"a $env(X) b $env(X)","list":["$env(X)"],"$env(X)":1}}}}`
	for name, test := range map[string]struct {
		getenv func(string) string
		want   string
	}{
		"an operator's file": {func(string) string { return "$env(PATH)" }, `{"k":"a $env(PATH) b $env(PATH)","list":["$env(PATH)"],"$env(X)":1}`},
		"a program's layer":  {nil, `{"k":"a $env(X) b $env(X)","list":["$env(X)"],"$env(X)":1}`},
	} {
		c, err := Merge([]Layer{{Origin: "here", Value: parse(t, config), Getenv: test.getenv}})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Services["A"][0].Settings.JSON(); got != test.want {
			t.Errorf("%s: settings are %s, want %s", name, got, test.want)
		}
	}
}
