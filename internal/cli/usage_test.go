package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/bundle/std"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"a.smyth": shouter, ".smyth/config.json": `{"budgets":{"run":{"tokens":100000}}}`} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) (int, string, string) {
		var o, e bytes.Buffer
		m := Machine{In: strings.NewReader(""), Out: &o, Err: &e, Work: dir, Getenv: func(string) string { return "" }}
		code := Main(context.Background(), std.Set(), m, args)
		return code, o.String(), e.String()
	}
	if code, out, _ := run("usage"); code != 0 || out != "no model was used\n" {
		t.Errorf("before any call: %d %q", code, out)
	}
	for range 2 {
		if code, _, errs := run("agent", "a.smyth", "--prompt", "hello"); code != 0 {
			t.Fatal(errs)
		}
	}
	code, out, errs := run("usage", "--by", "agent,model")
	if lines := strings.Split(out, "\n"); code != 0 || len(lines) != 3 || !strings.HasPrefix(lines[0], "AGENT") || !strings.Contains(lines[1], "shouter  Echo   2      ~") {
		t.Errorf("usage = %d %q %q", code, out, errs)
	}
	if code, out, _ := run("usage", "--by", "model", "--json"); code != 0 || !strings.Contains(out, `"model":"Echo","calls":2`) {
		t.Errorf("usage --json = %d %q", code, out)
	}
	for _, args := range [][]string{{"usage", "--since", "soon"}, {"usage", "--by", "colour"}} {
		if code, _, errs := run(args...); code == 0 || errs == "" {
			t.Errorf("%v is taken", args)
		}
	}
}

func TestSinceDay(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 10, 5, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{"1d": "2026-03-10", "7d": "2026-03-04", "2026-01-31": "2026-01-31", "all": "0001-01-01"} {
		got, err := sinceDay(text, now)
		if err != nil || got.Format(time.DateOnly) != want {
			t.Errorf("sinceDay(%q) = %s, %v, want %s", text, got, err, want)
		}
	}
}
