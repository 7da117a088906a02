package sre_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/audit"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// withVault starts a runtime whose team default has a secret.
func withVault(t *testing.T, config string, opts ...sre.Option) (rt *sre.Runtime, dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "vault.json"), []byte(`{"default":{"key":"canary-0123456789"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := value.Parse(config)
	if err != nil {
		t.Fatal(err)
	}
	if rt, err = sre.Start(t.Context(), std.Set(), append(opts, sre.WithDir(dir), sre.WithConfig(v))...); err != nil {
		t.Fatal(err)
	}
	return rt, dir
}

func vaultGet(t *testing.T, rt *sre.Runtime) (secret.Value, error) {
	t.Helper()
	team, err := access.Team("default")
	if err != nil {
		t.Fatal(err)
	}
	as := rt.As(team)
	ctx := access.WithActing(t.Context(), access.Acting{Candidate: team, Team: "default", Run: "run-7"})
	return as.Vault().Get(ctx, "key")
}

// TestR6_AuditOfARuntime: what is read from the vault and what is refused is recorded, also what the door to the network
// refuses, and a runtime that does neither leaves no trace.
func TestR6_AuditOfARuntime(t *testing.T) {
	t.Parallel()
	rt, dir := withVault(t, `{}`)
	if err := rt.Health(t.Context())["Audit"]; err != nil {
		t.Errorf("health of the audit = %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "audit")); err == nil {
		t.Error("the audit has a folder before there is anything to record")
	}
	if v, err := vaultGet(t, rt); err != nil || v.Reveal() != "canary-0123456789" {
		t.Fatalf("Get = %v", err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://169.254.169.254/canary-0123456789", nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := rt.HTTPClient().Do(req); err == nil {
		t.Errorf("the metadata service answered %s", res.Status)
		_ = res.Body.Close()
	}
	outsider, err := access.Team("outsider")
	if err != nil {
		t.Fatal(err)
	}
	as := rt.As(outsider)
	if _, err := as.Vault().Get(t.Context(), "key"); !fault.Is(err, fault.Denied) {
		t.Errorf("Get by an outsider = %v, want ACCESS_DENIED", err)
	}
	if err := rt.Close(context.Background()); err != nil {
		t.Error(err)
	}
	r, err := audit.Open(filepath.Join(dir, "audit"))
	if err != nil {
		t.Fatal(err)
	}
	var got []audit.Entry
	for e, err := range r.Entries(0) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(e.Resource, "canary") {
			t.Errorf("the record %+v holds a secret", e)
		}
		got = append(got, e)
	}
	if rep, err := r.Verify(); err != nil || rep.Broken != nil {
		t.Errorf("Verify = %v, %v", rep.Broken, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if len(got) != 3 || got[0].Operation != "vault.get" || !got[0].Allowed || got[0].Who != "team:default" || got[0].Run != "run-7" || got[0].Team != "default" ||
		got[1].Operation != "egress" || got[1].Allowed || got[2].Who != "team:outsider" || got[2].Allowed {
		t.Errorf("records are %+v", got)
	}
}

// Without an audit secrets are handed out only where the configuration says that this is meant.
func TestAudit_SwitchedOff(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]bool{
		`{"audit":{"enabled":false}}`: false, `{"audit":{"enabled":false,"required":false}}`: true, `{"audit":{"folder":"kept"}}`: true, `{"audit":{"required":false}}`: true,
	} {
		rt, dir := withVault(t, config)
		_, err := vaultGet(t, rt)
		if want != (err == nil) || err != nil && fault.CodeOf(err) != "AUDIT_UNAVAILABLE" {
			t.Errorf("%s: Get = %v, want a secret: %v", config, err, want)
		}
		if ill := rt.Health(t.Context())["Audit"]; (ill == nil) != want {
			t.Errorf("%s: health of the audit = %v", config, ill)
		}
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
		folder := "audit"
		if strings.Contains(config, "kept") {
			folder = "kept"
		}
		if _, err := os.Stat(filepath.Join(dir, folder)); (err == nil) != !strings.Contains(config, "enabled") {
			t.Errorf("%s: the folder of the audit: %v", config, err)
		}
	}
	v, err := value.Parse(`{"audit":{"enabeld":false}}`)
	if err != nil {
		t.Fatal(err)
	}
	if rt, err := sre.Start(t.Context(), std.Set(), sre.WithDir(t.TempDir()), sre.WithConfig(v)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "enabled") {
		t.Errorf("Start with a wrong name = %v, %v, want the right name", rt, err)
	}
}

// T19: a runtime that has no place for an audit hands out no secrets, unless it is told to do without.
func TestT19_NoPlaceForAnAudit(t *testing.T) {
	t.Parallel()
	vault := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(vault, []byte(`{"default":{"key":"canary-0123456789"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for audit, want := range map[string]bool{`{}`: false, `{"required":true}`: false, `{"required":false}`: true} {
		config, err := value.Parse(`{"audit":` + audit + `,"services":{"Storage":{"Connector":"RAMStorage"},"ManagedVault":{"Connector":"NullManagedVault"},"Vault":{"Connector":"JSONFileVault","Settings":{"file":` + value.Of(vault).JSON() + `}}}}`)
		if err != nil {
			t.Fatal(err)
		}
		rt, err := sre.Start(t.Context(), std.Set(), sre.WithConfig(config))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := vaultGet(t, rt); want != (err == nil) || err != nil && fault.CodeOf(err) != "AUDIT_UNAVAILABLE" {
			t.Errorf("%s: Get = %v, want a secret: %t", audit, err, want)
		}
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

// TestT29_LogOfARuntime: the log of a runtime has no secret that it handed out.
func TestT29_LogOfARuntime(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	rt, _ := withVault(t, `{}`, sre.WithLog(slog.New(slog.NewJSONHandler(&out, nil))))
	if _, err := vaultGet(t, rt); err != nil {
		t.Fatal(err)
	}
	rt.Log().Error("the server said canary-0123456789", "sent", "Y2FuYXJ5LTAxMjM0NTY3ODk=")
	if err := rt.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if got := out.String(); strings.Contains(got, "canary") || strings.Contains(got, "Y2FuYX") || !strings.Contains(got, "the server said "+secret.Redacted) {
		t.Errorf("the log is %s", got)
	}
}

// A log that keeps records gets them also when the log of the runtime says little.
func TestRecordsAreKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	v, err := value.Parse(`{"services":{"Log":{"Connector":"FileLog"}}}`)
	if err != nil {
		t.Fatal(err)
	}
	rt, err := sre.Start(t.Context(), std.Set(), sre.WithDir(dir), sre.WithConfig(v))
	if err != nil {
		t.Fatal(err)
	}
	agent, err := rt.LoadFile(t.Context(), "examples/hello.smyth")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := agent.Call(t.Context(), "greet", ada()); err != nil {
		t.Fatal(err)
	}
	if err := rt.Close(context.Background()); err != nil {
		t.Error(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "logs", "agents-*.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v, want one", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil || !strings.Contains(string(text), "@APIEndpoint@") || !strings.Contains(string(text), "Ada") {
		t.Errorf("the log holds %s, %v", text, err)
	}
}
