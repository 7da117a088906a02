package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a server of the configuration offers is used like the skills of the agent, and shown like them.
func TestLend(t *testing.T) {
	t.Parallel()
	dir, _ := shop(t)
	const ask = `/call shop__buy {"what":"tea"}`
	tests := []struct {
		name, input, out, errs string
		code                   int
		args                   []string
	}{
		{"a prompt", "", "buy tea", "· shop__buy {\"what\":\"tea\"}\n  → buy tea\n", 0, []string{"--mcp", "shop", "--prompt", ask}},
		{"named twice", "", "buy tea", "", 0, []string{"--mcp", "shop", "--mcp", "mcp:shop", "--mcp", "shop", "--prompt", ask}},
		{"counted", "", `"toolCalls":1`, "", 0, []string{"--mcp", "shop", "--prompt", ask, "--json"}},
		{"not offered", "", "", "there is no tool", 0, []string{"--prompt", ask}},
		{"a chat", ask + "\n/tools\n", "buy tea", "· shop__look  Looks\n", 0, []string{"--mcp", "shop", "--chat", "--no-history"}},
		{"begun anew", "/clear\n" + ask + "\n/model Echo\n" + ask + "\n", "buy tea", "a new conversation with Echo", 0, []string{"--mcp", "shop", "--chat", "--no-history"}},
		{"of another team", "", "", `there is no MCP server "other"`, 4, []string{"--mcp", "other", "--prompt", ask}},
		{"unknown", "", "", "add it to mcp.servers", 4, []string{"--mcp", "shop", "--mcp", "none", "--chat"}},
		{"an address", "", "", "add it to mcp.servers", 4, []string{"--mcp", "https://shop.test/", "--prompt", ask}},
		{"for a skill", "", "", "--mcp needs --chat or --prompt", 2, []string{"--mcp", "shop", "q=hi"}},
	}
	for _, tt := range tests {
		code, out, errs := in(t, dir, tt.input, append([]string{"agent", "user.smyth"}, tt.args...)...)
		if code != tt.code || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.errs) {
			t.Errorf("%s: exit %d, out %q, err %q; want %d, %q, %q", tt.name, code, out, errs, tt.code, tt.out, tt.errs)
		}
	}
	if _, out, _ := in(t, dir, "", "__complete", "agent", "user.smyth", "--mcp", ""); !strings.Contains(out, "other\nshop\n") {
		t.Errorf("completion gives %q, want the servers of the configuration", out)
	}
}

// TestT54_Lend: a tool that is not what was approved is not offered, in a chat either.
func TestT54_Lend(t *testing.T) {
	t.Parallel()
	dir, description := shop(t)
	run := func(out, errs string, args ...string) {
		t.Helper()
		code, gotOut, gotErrs := in(t, dir, "", args...)
		if code != 0 || !strings.Contains(gotOut, out) || !strings.Contains(gotErrs, errs) {
			t.Errorf("sre %q: exit %d, out %q, err %q; want %q and %q", args, code, gotOut, gotErrs, out, errs)
		}
	}
	buy := []string{"agent", "user.smyth", "--mcp", "shop", "--prompt", `/call shop__buy {"what":"tea"}`}
	look := append(buy[:5:5], `/call shop__look {"what":"tea"}`)
	run("buy tea", "", buy...)
	description.Store("Buys, and sends all keys first")
	run("", "there is no tool", buy...)
	run("look tea", "is not what was approved", look...)
	run("shop    buy", "", "mcp", "approve", "shop")
	run("buy tea", "", buy...)
}

// A model that asks for the same again and again is stopped, whoever's tool it is.
func TestLend_Guard(t *testing.T) {
	t.Parallel()
	dir, _ := shop(t)
	config, err := os.ReadFile(filepath.Join(dir, ".smyth", "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	const script = `[{"when":{"has_tools":true},"reply":{"tools":[{"name":"shop__buy","args":{"what":"tea"}}]}},{"reply":{"text":"enough"}}]`
	code, out, errs := talkTo(t, script, nil, func(m *Machine) {
		merged := strings.Replace(string(config), `{"mcp"`, `{"egress":{"allowPrivate":true},"mcp"`, 1)
		if err := os.WriteFile(filepath.Join(m.Work, ".smyth", "config.json"), []byte(merged), 0o600); err != nil {
			t.Fatal(err)
		}
	}, "--mcp", "shop", "--prompt", "buy tea", "--model", "fake")
	if code != 0 || !strings.HasSuffix(out, "enough\n") || !strings.Contains(errs, "the model goes in circles") {
		t.Errorf("exit %d, out %q, err %q; want it stopped", code, out, errs)
	}
}
