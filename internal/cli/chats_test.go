package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/testmodel"
	"github.com/sre-go/sre/value"
)

// in runs commands in one folder, each in a process of its own as far as the runtime can tell.
func in(t *testing.T, dir, input string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	m := Machine{In: strings.NewReader(input), Out: &o, Err: &e, Work: dir, Getenv: func(string) string { return "" }}
	code = Main(context.Background(), std.Set(), m, args)
	return code, o.String(), e.String()
}

// A conversation is kept when its command ends, and another one goes on with it, shows it and deletes it.
func TestChat_IsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.smyth"), []byte(shouter), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := in(t, dir, "", "agent", "a.smyth", "--chat", "--resume"); code != 4 || !strings.Contains(errs, "no conversation with this agent yet") {
		t.Errorf("nothing to resume: exit %d, %q", code, errs)
	}
	if code, out, errs := in(t, dir, "first\n", "agent", "a.smyth", "--chat"); code != 0 || out != "first\n" || !strings.Contains(errs, "--resume=conv_") {
		t.Fatalf("exit %d, out %q, err %q", code, out, errs)
	}
	if code, out, errs := in(t, dir, "unkept\n", "agent", "a.smyth", "--chat", "--no-history"); code != 0 || out != "unkept\n" || strings.Contains(errs, "--resume") {
		t.Errorf("exit %d, out %q, err %q", code, out, errs)
	}
	if code, out, errs := in(t, dir, "", "agent", "a.smyth", "--prompt", "second", "--resume"); code != 0 || out != "second\n" {
		t.Errorf("exit %d, out %q, err %q", code, out, errs)
	}
	code, out, _ := in(t, dir, "", "chat", "list", "--json")
	id := regexp.MustCompile(`conv_\w+`).FindString(out)
	if code != 0 || strings.Count(out, "conv_") != 1 || !strings.Contains(out, `"title":"first"`) || !strings.Contains(out, `"messages":"4"`) {
		t.Fatalf("exit %d, %q, want one conversation", code, out)
	}
	if code, _, errs := in(t, dir, "", "agent", "a.smyth", "--chat", "--resume="+id); code != 0 || !strings.Contains(errs, "> second") {
		t.Errorf("exit %d, err %q, want what was said", code, errs)
	}
	if code, out, _ := in(t, dir, "", "chat", "show", id); code != 0 || out != "> first\nfirst\n> second\nsecond\n" {
		t.Errorf("exit %d, %q", code, out)
	}
	if code, out, _ := in(t, dir, "", "chat", "show", id, "--json"); code != 0 || !strings.Contains(out, `"role":"assistant"`) || !strings.Contains(out, `"user":"local"`) {
		t.Errorf("exit %d, %q", code, out)
	}
	if code, _, errs := in(t, dir, "", "chat", "delete", id); code != 0 {
		t.Errorf("exit %d, %q", code, errs)
	}
	if code, _, errs := in(t, dir, "", "chat", "show", id); code != 4 || !strings.Contains(errs, "sre chat list") {
		t.Errorf("exit %d, %q, want it gone", code, errs)
	}
	if code, out, _ := in(t, dir, "", "chat", "list"); code != 0 || out != "no conversation is kept\n" {
		t.Errorf("exit %d, %q", code, out)
	}
}

const plans = `[
	{"when":{"last_role":"user"},"reply":{"tools":[{"name":"_sre_Plan_Tasks","args":{"tasksList":{"1":{"summary":"look","description":"d"},"2":{"summary":"shout","description":"d"}}}}]}},
	{"when":{"last_contains":"\"1\":{\"description\":\"d\",\"summary\":\"look\",\"status\":\"planned\""},"reply":{"tools":[{"name":"_sre_UpdateTasks","args":{"taskId":"1","status":"completed"}}]}},
	{"reply":{"text":"planned"}}]`

func TestPrompt_Planner(t *testing.T) {
	t.Parallel()
	code, out, errs := talkTo(t, plans, nil, nil, "--prompt", "go", "--model", "fake", "--mode", "planner")
	if want := "  □ look\n  □ shout\n  ✓ look\n  □ shout\n"; code != 0 || out != "planned\n" || errs != want {
		t.Errorf("exit %d, out %q, err %q, want %q", code, out, errs, want)
	}
	if code, _, errs := talkTo(t, plans, nil, nil, "--prompt", "go", "--mode", "plan"); code != 3 || !strings.Contains(errs, "planner") {
		t.Errorf("an unknown mode: exit %d, %q", code, errs)
	}
}

func TestCheckModelFlags_OfConversations(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--resume"}, {"--mode", "planner"}, {"--no-history"}, {"--prompt", "x", "--no-history"}, {"--chat", "--resume", "--no-history"}} {
		if code, _, errs := talkTo(t, `[]`, strings.NewReader(""), nil, args...); code != 2 {
			t.Errorf("%q: exit %d, %q, want 2", args, code, errs)
		}
	}
}

// An answer in a form of one's own is checked, asked for again when it does not fit, and printed alone.
func TestPrompt_Schema(t *testing.T) {
	t.Parallel()
	const script = `[{"when":{"last_contains":"cannot be used"},"reply":{"text":"{\"n\":5}"}},{"reply":{"text":"{\"n\":\"five\"}"}}]`
	schema := filepath.Join(t.TempDir(), "form.json")
	if err := os.WriteFile(schema, []byte(`{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := talkTo(t, script, nil, nil, "--prompt", "go", "--model", "fake", "--schema", schema)
	if code != 0 || strings.Join(strings.Fields(out), "") != `{"n":5}` || !strings.Contains(errs, "tries again") {
		t.Errorf("exit %d, out %q, err %q", code, out, errs)
	}
	code, out, _ = talkTo(t, script, nil, nil, "--prompt", "go", "--model", "fake", "--schema", schema, "--json")
	if code != 0 || !strings.HasPrefix(out, `{"object":{"n":5},"model":"fake"`) {
		t.Errorf("exit %d, out %q", code, out)
	}
	if code, _, errs := talkTo(t, script, nil, nil, "--chat", "--schema", schema); code != 2 || !strings.Contains(errs, "--prompt") {
		t.Errorf("with --chat: exit %d, %q", code, errs)
	}
	if code, _, errs := talkTo(t, script, nil, nil, "--prompt", "go", "--schema", schema+"x"); code != 4 || !strings.Contains(errs, "form.jsonx") {
		t.Errorf("no such file: exit %d, %q", code, errs)
	}
}

// A server on this machine is asked when the operator names it, without any configuration; agents cannot reach it.
func TestPrompt_BaseURL(t *testing.T) {
	t.Parallel()
	rules, err := testmodel.ParseScript(value.List(value.Obj(value.M("reply", value.Obj(value.M("text", value.Of("from here")))))))
	if err != nil {
		t.Fatal(err)
	}
	server, err := testmodel.Start(t.Context(), rules, effect.System{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.smyth"), []byte(shouter), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := in(t, dir, "", "agent", "a.smyth", "--prompt", "go", "--model", "any", "--base-url", server.URL()); code != 0 || out != "from here\n" {
		t.Errorf("exit %d, out %q, err %q", code, out, errs)
	}
	if got := server.Requests().At(0).Get("body").GetString("model"); got != "any" {
		t.Errorf("the server was asked for %q", got)
	}
	if code, _, errs := in(t, dir, "", "agent", "a.smyth", "--prompt", "go", "--base-url", server.URL()); code != 2 || !strings.Contains(errs, "--model") {
		t.Errorf("without a model: exit %d, %q", code, errs)
	}
	if code, _, errs := in(t, dir, "", "agent", "a.smyth", "--prompt", "go", "--model", "openai-compatible/any"); code == 0 || !strings.Contains(errs, "OPENAI_COMPATIBLE_BASE_URL") {
		t.Errorf("without a server: exit %d, %q", code, errs)
	}
}

func TestPrompt_Attach(t *testing.T) {
	t.Parallel()
	picture := filepath.Join(t.TempDir(), "dot.png")
	if err := os.WriteFile(picture, []byte("\x89PNG\r\n\x1a\n0123"), 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `[{"reply":{"text":"seen"}}]`
	code, out, errs, requests := talkToServer(t, script, nil, nil, "--prompt", "look", "--model", "fake", "--attach", picture)
	if code != 0 || out != "seen\n" || !strings.Contains(requests.JSON(), "data:image/png;base64,") {
		t.Errorf("exit %d, out %q, err %q, asked %s", code, out, errs, requests.JSON())
	}
	code, out, errs, requests = talkToServer(t, script, strings.NewReader("/attach "+picture+"\nlook\nagain\n/attach nowhere.png\n"), nil, "--chat", "--model", "fake")
	if code != 0 || out != "seen\nseen\n" || !strings.Contains(errs, "dot.png goes with the next prompt") || !strings.Contains(errs, "nowhere.png") {
		t.Errorf("exit %d, out %q, err %q", code, out, errs)
	}
	if n := strings.Count(requests.At(0).JSON(), "image/png"); n != 1 {
		t.Errorf("the first prompt has %d pictures, want 1", n)
	}
	if code, _, errs := talkTo(t, script, strings.NewReader(""), nil, "--chat", "--attach", picture); code != 2 || !strings.Contains(errs, "/attach") {
		t.Errorf("--attach with --chat: exit %d, %q", code, errs)
	}
}

// Echo calls tools when it is told to, in a chat as well.
func TestChat_EchoCalls(t *testing.T) {
	t.Parallel()
	code, out, errs := talkTo(t, `[]`, strings.NewReader("/call shout {\"text\":\"ada\"}\n"), nil, "--chat")
	if code != 0 || out != "{\"shouted\":\"ada\"}\n" || !strings.Contains(errs, "· shout {\"text\":\"ada\"}") {
		t.Errorf("exit %d, out %q, err %q", code, out, errs)
	}
	if _, _, errs := talkTo(t, `[]`, strings.NewReader("/call shout\n"), nil, "--chat", "--model", "fake"); !strings.Contains(errs, "no command /call") {
		t.Errorf("another model: %q", errs)
	}
}
