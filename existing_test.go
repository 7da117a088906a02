package sre_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// A data folder of the TypeScript runtime is used as it is: its vault, its accounts, its models, its files, its keys and
// values, its jobs. What is there is read, and what is written later is read together with it.
func TestExistingFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"vault.json":       `{"team-a":{"openai":"sk-existing-0123456789"},"default":{"other":"x"}}`,
		"account.json":     `{"team-a":{"users":{"user-a":{"email":"a@x.test"}},"agents":{"agent-a":{}},"settings":{}}}`,
		"models/mine.json": `{"my-model":{"provider":"OpenAI","modelId":"my-1","label":"Mine","features":["text"],"tokens":4096,"completionTokens":512}}`,
		"storage/local/teams/team-a.agent/agent-a/notes/a.txt":           "kept before",
		"storage/.local.metadata/teams/team-a.agent/agent-a/notes/a.txt": `{"acl":"h:xxh3|t:5c72bdee62ca5433/r|a:8d99dd9bc6c295e0/o","ContentType":"text/plain"}`,
		"nkv/team_team-a/ns/key":                                         `{"n":1}`,
		"scheduler/jobs/agent-a.agent/j1.json": `{"id":"j1","schedule":{"interval":"10m"},"jobConfig":{"type":"skill","agentId":"agent-a",` +
			`"skillName":"x","args":{"a":1},"metadata":{"retryOnFailure":false,"maxRetries":0,"tags":[]}},` +
			`"acl":{"hashAlgorithm":"xxh3","entries":{"agent":{"8d99dd9bc6c295e0":["owner"]}}},"status":"active"}`,
		"scheduler/.jobs.runtime/agent-a.agent/j1.json": `{"executionHistory":[{"timestamp":"2025-03-01T10:20:30.456Z","success":true,` +
			`"executionTime":12,"retries":0}],"lastRun":"2025-03-01T10:20:30.456Z","nextRun":"2025-03-01T10:30:30.456Z"}`,
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rt, err := sre.Start(t.Context(), std.Set(), sre.WithDir(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	c, err := access.Agent("agent-a")
	if err != nil {
		t.Fatal(err)
	}
	as := rt.As(c)
	if team, err := as.Account().Team(t.Context()); err != nil || team != "team-a" {
		t.Errorf("the team is %q, %v", team, err)
	}
	if v, err := as.Vault().Get(t.Context(), "openai"); err != nil || v.Reveal() != "sk-existing-0123456789" {
		t.Errorf("the vault: %v", err)
	}
	if m, err := as.LLM().Describe(t.Context(), "my-model"); err != nil || m.Model.ModelID != "my-1" {
		t.Errorf("the model: %+v, %v", m, err)
	}
	const file = "teams/team-a.agent/agent-a/notes/a.txt"
	if data, err := as.Storage().Read(t.Context(), file); err != nil || string(data) != "kept before" {
		t.Errorf("the file: %q, %v", data, err)
	}
	if err := as.Storage().Write(t.Context(), file, []byte("written now"), storage.Options{}); err != nil {
		t.Fatal(err)
	}
	if data, err := as.Storage().Read(t.Context(), file); err != nil || string(data) != "written now" {
		t.Errorf("the file after a write: %q, %v", data, err)
	}
	if v, found, err := as.NKV().Get(t.Context(), "ns", "key"); err != nil || !found || v.JSON() != `{"n":1}` {
		t.Errorf("the value: %s, %t, %v", v.JSON(), found, err)
	}
	if err := as.NKV().Set(t.Context(), "ns", "more", value.OfInt(2)); err != nil {
		t.Fatal(err)
	}
	if v, found, err := as.NKV().Get(t.Context(), "ns", "more"); err != nil || !found || v.JSON() != "2" {
		t.Errorf("a new value: %s, %t, %v", v.JSON(), found, err)
	}
	if err := as.Scheduler().Pause(t.Context(), "j1"); err != nil {
		t.Errorf("pausing the job: %v", err)
	}
	if e, err := as.Scheduler().Get(t.Context(), "j1"); err != nil || !e.Paused || e.Job.Skill != "x" || len(e.Progress.History) != 1 {
		t.Errorf("the job: %+v, %v", e, err)
	}
	stranger, err := access.Agent("somebody")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := rt.As(stranger).Storage().Read(t.Context(), file); err == nil {
		t.Errorf("a stranger reads %q", data)
	}
}
