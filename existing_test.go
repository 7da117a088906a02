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
// values. What is there is read, and what is written later is read together with it.
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
	stranger, err := access.Agent("somebody")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := rt.As(stranger).Storage().Read(t.Context(), file); err == nil {
		t.Errorf("a stranger reads %q", data)
	}
}
