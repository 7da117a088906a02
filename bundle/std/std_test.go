package std_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/bundle/minimal"
	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

// named are the names that definitions of a kind are made with in the sources below a folder.
func named(t *testing.T, folder, call string) map[string]string {
	t.Helper()
	form := regexp.MustCompile(call)
	found := map[string]string{}
	err := filepath.WalkDir(filepath.Join("..", "..", folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(filepath.Dir(path), "test") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range form.FindAllStringSubmatch(string(text), -1) {
			found[m[1]] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestEveryConnectorIsBundled finds connectors that are written and not in the set.
func TestEveryConnectorIsBundled(t *testing.T) {
	t.Parallel()
	bundled := map[string]bool{}
	for _, d := range std.Connectors() {
		bundled[d.Name] = true
	}
	found := named(t, "subsystem", `connector\.Define\([\w.]+, "(\w+)"`)
	if len(found) < 15 {
		t.Fatalf("found %d connectors in the sources, want all of them", len(found))
	}
	for name, path := range found {
		if !bundled[name] {
			t.Errorf("%s defines the connector %s, which bundle/std does not list", path, name)
		}
	}
}

// TestEveryFamilyIsBundled finds families of component types that are written and not in the set.
func TestEveryFamilyIsBundled(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("std.go")
	if err != nil {
		t.Fatal(err)
	}
	families, err := os.ReadDir(filepath.Join("..", "..", "components"))
	if err != nil || len(families) < 5 {
		t.Fatalf("ReadDir() = %d families, %v; want all of them", len(families), err)
	}
	for _, f := range families {
		if !strings.Contains(string(text), f.Name()+".Definitions()") {
			t.Errorf("bundle/std does not list the component types of components/%s", f.Name())
		}
	}
}

// TestSets boots every set with its defaults: no two definitions are at odds, and every service has a connector.
func TestSets(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]sre.Set{"std": std.Set(), "minimal": minimal.Set(), "both": minimal.Set().With(sre.Set{})} {
		rt, err := sre.Start(t.Context(), set, sre.WithDir(filepath.Join(t.TempDir(), ".smyth")))
		if err != nil {
			t.Errorf("%s: Start() error = %v", name, err)
			continue
		}
		seen := map[string]bool{}
		for _, d := range set.Connectors {
			key := d.Kind.KindName() + "/" + d.Name
			if seen[key] {
				t.Errorf("%s: the connector %s is listed twice", name, key)
			}
			seen[key] = true
		}
		if err := rt.Close(t.Context()); err != nil {
			t.Errorf("%s: Close() error = %v", name, err)
		}
	}
}
