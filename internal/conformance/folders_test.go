package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
)

func TestFromFolders(t *testing.T) {
	t.Parallel()
	folder := func(area string) string {
		root := t.TempDir()
		dir := filepath.Join(root, area, "one")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{
			"case.json": `{"requests":[{}]}`, "agent.smyth": `{"components":[]}`, "expected.json": `{"responses":[{}]}`,
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return root
	}
	own, err := FromFolders(" ")
	if err != nil || len(own) != len(recorded(t)) {
		t.Fatalf("FromFolders() = %d cases, %v; want the %d recorded ones", len(own), err, len(recorded(t)))
	}
	cases, err := FromFolders(folder("a") + ":" + folder("b") + ":")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range cases {
		names = append(names, c.Name)
		if c.Shared.Vault.Len() == 0 {
			t.Errorf("%s has no vault", c.Name)
		}
	}
	if got, want := strings.Join(names, " "), "a/one b/one"; got != want {
		t.Errorf("FromFolders() = %q, want %q", got, want)
	}
	if _, err := FromFolders(folder("a") + ":" + t.TempDir()); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), FoldersVariable) {
		t.Errorf("FromFolders() with an empty folder: error = %v, want one of kind %v that names %s", err, fault.NotFound, FoldersVariable)
	}
}
