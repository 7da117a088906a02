package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/audit"
	"github.com/sre-go/sre/internal/cli"
	"github.com/sre-go/sre/value"
)

// recorded is a desk with an audit of four records.
func recorded(t *testing.T) (d *desk, path string) {
	t.Helper()
	d = newDesk(t)
	d.write(t, ".smyth/config.json", `{}`)
	l := audit.New(audit.Options{Folder: filepath.Join(d.dir, ".smyth", "audit"), Effects: effect.System{}})
	for _, r := range []struct {
		who, op, resource string
		allowed           bool
	}{
		{"agent:hello", "vault.get", "red/openai", true}, {"agent:other", "storage.read", "a\x1b[2J\nb", false},
		{"agent:hello", "vault.set", "red/openai", true}, {"agent:hello", "storage.write", "x", false},
	} {
		c, err := access.Parse(r.who)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Record(t.Context(), access.Decision{Candidate: c, Operation: r.op, Resource: r.resource, Allowed: r.allowed, Rule: access.ByTeam}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d, filepath.Join(d.dir, ".smyth", "audit", "audit-000000000001.jsonl")
}

func TestAuditVerify(t *testing.T) {
	t.Parallel()
	d, path := recorded(t)
	code, out, errs := d.sre("", "audit", "verify")
	if code != 0 || !strings.Contains(out, "as they were written: 4, in files: 1") || errs != "" {
		t.Errorf("verify = %d, %q, %q", code, out, errs)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(text, []byte("vault.set"), []byte("vault.get"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs = d.sre("", "audit", "verify")
	if code != 3 || !strings.Contains(out, "as they were written: 2,") || !strings.Contains(errs, "audit-000000000001.jsonl:3: the record was changed") {
		t.Errorf("verify of a changed record = %d, %q, %q, want exit code 3 and its line", code, out, errs)
	}
	code, out, errs = d.sre("", "audit", "verify", "--json")
	v, err := value.Parse(out)
	if err != nil || code != 3 || v.Get("broken").Get("line").Text() != "3" || v.Get("ok").Truthy() || !strings.Contains(errs, "AUDIT_BROKEN") {
		t.Errorf("verify --json = %d, %s, %v, %q", code, out, err, errs)
	}
}

func TestAuditList(t *testing.T) {
	t.Parallel()
	d, _ := recorded(t)
	for _, tt := range []struct {
		args string
		want string // numbers of the records
	}{
		{"list", "1 2 3 4"}, {"list --who agent:hello", "1 3 4"}, {"list --operation vault", "1 3"}, {"list --operation vault.set", "3"}, {"list --denied", "2 4"},
		{"list --allowed --who agent:other", ""}, {"list --since 1h", "1 2 3 4"}, {"list --since 2000-01-01", "1 2 3 4"}, {"list --since 2999-01-01T00:00:00Z", ""},
		{"tail", "1 2 3 4"}, {"tail -n 2", "3 4"}, {"tail -n 1 --denied", "4"}, {"tail -n 0", ""},
	} {
		code, out, errs := d.sre("", append(append([]string{"audit"}, strings.Fields(tt.args)...), "--json")...)
		v, err := value.Parse(out)
		if code != 0 || err != nil {
			t.Errorf("%s = %d, %q, %q, %v", tt.args, code, out, errs, err)
			continue
		}
		var got []string
		for _, e := range v.Items() {
			got = append(got, e.Get("seq").Text())
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s shows %v, want %s", tt.args, got, tt.want)
		}
	}
	_, out, _ := d.sre("", "audit", "list")
	if strings.Count(out, "\n") != 4 || strings.Contains(out, "\x1b") || !strings.Contains(out, `refused agent:other storage.read "a\x1b[2J\nb"`) {
		t.Errorf("list for people is %q", out)
	}
}

func TestAuditUsage(t *testing.T) {
	t.Parallel()
	d, _ := recorded(t)
	for args, want := range map[string]int{
		"list --since soon": 2, "tail -n -1": 2, "list --allowed --denied": 1, "verfy": 2, "": 0, "--dir " + t.TempDir() + " verify": 4, "list extra": 2,
	} {
		if code, _, errs := d.sre("", append([]string{"audit"}, strings.Fields(args)...)...); code != want && !(want == 1 && code != 0) {
			t.Errorf("audit %s = %d, %q, want %d", args, code, errs, want)
		}
	}
}

// watched is an output that tells when it has a text.
type watched struct {
	mu   sync.Mutex
	text string
	want string
	seen func()
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text += string(p)
	if strings.Contains(w.text, w.want) {
		w.seen()
	}
	return len(p), nil
}

// tail --follow shows what is recorded meanwhile, and ends when it is interrupted.
func TestAuditFollow(t *testing.T) {
	t.Parallel()
	d, _ := recorded(t)
	ctx, cancel := context.WithCancel(t.Context())
	shown := make(chan struct{})
	out := &watched{want: "storage.write", seen: sync.OnceFunc(func() { close(shown) })}
	done := make(chan int, 1)
	go func() {
		done <- cli.Main(ctx, std.Set(), cli.Machine{In: strings.NewReader(""), Out: out, Err: &bytes.Buffer{}, Work: d.dir, Getenv: func(string) string { return "" }}, []string{"audit", "tail", "-f", "--json"})
	}()
	<-shown
	l := audit.New(audit.Options{Folder: filepath.Join(d.dir, ".smyth", "audit"), Effects: effect.System{}})
	out.mu.Lock()
	out.want, out.seen = "the-new-one", cancel
	out.mu.Unlock()
	if err := l.Record(t.Context(), access.Decision{Operation: "the-new-one"}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if code := <-done; code != 0 || strings.Count(out.text, "\n") != 5 {
		t.Errorf("tail --follow = %d, %q, want five lines", code, out.text)
	}
}

// The vault leaves a trail: reading and writing secrets is recorded without them.
func TestAuditOfTheVault(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.write(t, ".smyth/config.json", `{}`)
	d.write(t, ".smyth/vault.json", `{"default":{"openai":"canary-0123456789"}}`)
	if code, out, errs := d.sre("", "vault", "get", "openai", "--reveal"); code != 0 || !strings.Contains(out, "canary-0123456789") {
		t.Fatalf("vault get = %d, %q, %q", code, out, errs)
	}
	code, out, errs := d.sre("", "audit", "list", "--operation", "vault.get")
	if code != 0 || !strings.Contains(out, "allowed team:default vault.get") || strings.Contains(out, "canary") {
		t.Errorf("audit list = %d, %q, %q", code, out, errs)
	}
	d.write(t, ".smyth/config.json", `{"audit":{"enabled":false}}`)
	if code, out, errs := d.sre("", "vault", "get", "openai", "--reveal"); code != 6 || strings.Contains(out, "canary") || !strings.Contains(errs, "audit") {
		t.Errorf("without an audit vault get = %d, %q, %q, want exit code 6", code, out, errs)
	}
	if code, out, _ := d.sre("", "doctor"); code == 0 || !strings.Contains(out, "secrets are not handed out") {
		t.Errorf("doctor = %d, %q, want the missing audit", code, out)
	}
	d.write(t, ".smyth/config.json", `{"audit":{"enabled":false,"required":false}}`)
	if code, out, errs := d.sre("", "vault", "get", "openai", "--reveal"); code != 0 || !strings.Contains(out, "canary") {
		t.Errorf("with an audit that is not required vault get = %d, %q, %q", code, out, errs)
	}
}
