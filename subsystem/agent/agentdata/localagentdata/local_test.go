package localagentdata_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/subsystem/agent/agentdata/agentdatatest"
	"github.com/sre-go/sre/subsystem/agent/agentdata/localagentdata"
	"github.com/sre-go/sre/value"
)

func prepare(t *testing.T, dir string) value.Value {
	t.Helper()
	for folder, ids := range map[string][]string{"dev": {"one", "two"}, "prod": {"one"}} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			write(t, filepath.Join(dir, folder, id+".smyth"), agentdatatest.Agents()[id].JSON())
		}
	}
	return value.Obj(value.M("devDir", value.Of("dev")), value.M("prodDir", value.Of("prod")))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	agentdatatest.Run(t, localagentdata.Definition, agentdatatest.Subject{Prepare: prepare})
}

// TestT43_BrokenFiles: a file that is no agent is left out, and the others are served.
func TestT43_BrokenFiles(t *testing.T) {
	t.Parallel()
	svc, _ := agentdatatest.Open(t, localagentdata.Definition, agentdatatest.Subject{Prepare: func(t *testing.T, dir string) value.Value {
		settings := prepare(t, dir)
		write(t, filepath.Join(dir, "dev", "broken.smyth"), `{"components":[`)
		write(t, filepath.Join(dir, "dev", "again.smyth"), agentdatatest.Agents()["one"].JSON())
		write(t, filepath.Join(dir, "dev", "evil.smyth"), `{"id":"../up","components":[],"connections":[]}`)
		write(t, filepath.Join(dir, "dev", "notes.txt"), "no agent")
		return settings
	}})
	one, err := access.Agent("one")
	if err != nil {
		t.Fatal(err)
	}
	page, err := svc.For(one).List(t.Context(), "", "", 0)
	if err != nil || len(page.IDs) != 1 {
		t.Errorf("List() = %+v, %v; want one agent", page, err)
	}
}
