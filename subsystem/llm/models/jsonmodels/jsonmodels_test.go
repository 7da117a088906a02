package jsonmodels_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/subsystem/llm/models/jsonmodels"
	"github.com/sre-go/sre/subsystem/llm/models/modelstest"
	"github.com/sre-go/sre/value"
)

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func settings(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSuite(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t testing.TB, dir string) value.Value{
		"settings": func(t testing.TB, _ string) value.Value {
			return value.Obj(value.M("models", settings(t, modelstest.Data)))
		},
		"file": func(t testing.TB, dir string) value.Value {
			write(t, filepath.Join(dir, "catalogue.json"), modelstest.Data)
			return settings(t, `{"models": "catalogue.json", "mode": "merge"}`)
		},
		"absolute file": func(t testing.TB, dir string) value.Value {
			write(t, filepath.Join(dir, "catalogue.json"), modelstest.Data)
			return value.Obj(value.M("models", value.Of(filepath.Join(dir, "catalogue.json"))))
		},
		"usual folder": func(t testing.TB, dir string) value.Value {
			write(t, filepath.Join(dir, "models", "all.json"), modelstest.Data)
			write(t, filepath.Join(dir, "models", "broken.json"), `{"a":`)
			write(t, filepath.Join(dir, "models", "list.json"), `[1]`)
			write(t, filepath.Join(dir, "models", "notes.txt"), `{"modelId": "x"}`)
			write(t, filepath.Join(dir, "models", ".git", "x.json"), `{"modelId": "x"}`)
			write(t, filepath.Join(dir, "models", ".x.json"), `{"modelId": "x"}`)
			return settings(t, `{}`)
		},
		"folder of single entries": func(t testing.TB, dir string) value.Value {
			n := 0
			for _, m := range settings(t, modelstest.Data).Members() {
				n++
				name := filepath.Join(dir, "m", "sub", string(rune('0'+n))+".json")
				write(t, name, value.Obj(value.M(m.Key, m.Value)).JSON())
			}
			return settings(t, `{"models": "m"}`)
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			modelstest.Run(t, jsonmodels.Definition, modelstest.Subject{Prepare: prepare})
		})
	}
}

func TestMode(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]bool{"merge": true, "replace": false} {
		s := modelstest.Open(t, jsonmodels.Definition, modelstest.Subject{Prepare: func(t testing.TB, _ string) value.Value {
			return settings(t, `{"mode": "`+mode+`", "models": {"modelId": "one", "provider": "P"}}`)
		}})
		h := modelstest.As(t, s, "public")
		if _, err := h.Find(t.Context(), "Echo"); (err == nil) != want {
			t.Errorf("%s: Find(Echo) error = %v, want it there: %t", mode, err, want)
		}
		if _, err := h.Find(t.Context(), "one"); err != nil {
			t.Errorf("%s: Find(one) error = %v", mode, err)
		}
	}
}

func open(t testing.TB, dir, text string) (models.Connector, error) {
	t.Helper()
	c, err := jsonmodels.Definition.Open(t.Context(), connector.Env{Log: slog.New(slog.DiscardHandler), Dir: dir, Effects: effect.System{}}, settings(t, text))
	if err != nil {
		return nil, err
	}
	return c.(models.Connector), nil
}

func TestOpen_Refused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, settings string
		kind           fault.Kind
	}{
		{"no such file", `{"models": "nothing.json"}`, fault.NotFound},
		{"no path", `{"models": ""}`, fault.Invalid},
		{"a number", `{"models": 5}`, fault.Invalid},
		{"a list", `{"models": []}`, fault.Invalid},
		{"an unknown mode", `{"mode": "add"}`, fault.Invalid},
	}
	for _, test := range tests {
		if _, err := open(t, t.TempDir(), test.settings); !fault.Is(err, test.kind) {
			t.Errorf("%s: error = %v, want kind %v", test.name, err, test.kind)
		}
	}
}

// A later file takes the place of an earlier one, and a change counts within a second.
func TestReload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		c, err := open(t, dir, `{}`)
		if err != nil {
			t.Fatal(err)
		}
		label := func() string {
			t.Helper()
			all, err := c.Catalog(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			m, _ := all.Find("m")
			return m.Label
		}
		pass := func() {
			t.Helper()
			if err := (effect.System{}).Sleep(context.Background(), time.Second); err != nil {
				t.Fatal(err)
			}
		}
		if got := label(); got != "" {
			t.Errorf("without a folder: %q, want no model", got)
		}
		folder := filepath.Join(dir, "models")
		write(t, filepath.Join(folder, "1.json"), `{"modelId": "m", "label": "first"}`)
		pass()
		if got := label(); got != "first" {
			t.Errorf("after the folder was made: %q, want first", got)
		}
		write(t, filepath.Join(folder, "2.json"), `{"m": {"modelId": "m", "label": "second"}}`)
		pass()
		if got := label(); got != "second" {
			t.Errorf("after another file: %q, want second", got)
		}
		write(t, filepath.Join(folder, "2.json"), `{"m": `)
		pass()
		if got := label(); got != "first" {
			t.Errorf("after the file broke: %q, want first", got)
		}
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		pass()
		if got := label(); got != "" {
			t.Errorf("after the folder was removed: %q, want no model", got)
		}
	})
}

// TestT12_Links: a link in the folder leads nowhere.
func TestT12_Links(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "outside.json"), `{"modelId": "outside"}`)
	write(t, filepath.Join(dir, "models", "in.json"), `{"modelId": "inside"}`)
	if err := os.Symlink(filepath.Join(dir, "outside.json"), filepath.Join(dir, "models", "link.json")); err != nil {
		t.Fatal(err)
	}
	c, err := open(t, dir, `{}`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := all.Find("inside"); !ok {
		t.Error("the file of the folder is not there")
	}
	if _, ok := all.Find("outside"); ok {
		t.Error("a link was followed out of the folder")
	}
}

// TestT47_LargeFolder: all files together are bounded.
func TestT47_LargeFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	big := `{"modelId": "big", "label": "` + strings.Repeat("x", 6<<20) + `"}`
	write(t, filepath.Join(dir, "models", "1.json"), big)
	write(t, filepath.Join(dir, "models", "2.json"), big)
	if _, err := open(t, dir, `{}`); !fault.Is(err, fault.Limit) {
		t.Errorf("error = %v, want kind %v", err, fault.Limit)
	}
}

func BenchmarkCatalog(b *testing.B) {
	dir := b.TempDir()
	write(b, filepath.Join(dir, "models", "all.json"), modelstest.Data)
	c, err := open(b, dir, `{}`)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		all, err := c.Catalog(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if _, ok := all.Find("gpt-test"); !ok {
			b.Fatal("not found")
		}
	}
}
