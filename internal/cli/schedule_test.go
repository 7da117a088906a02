package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/effect"
)

// scheduled is an agent with a skill, a trigger and no model.
const scheduled = `{"id":"clock","name":"Clock","components":[
	{"id":"IN","name":"APIEndpoint","data":{"endpoint":"greet","method":"POST","description":"Greets."},"inputs":[{"name":"name","type":"Text"}],"outputs":[{"name":"name","expression":"body.name"}]},
	{"id":"OUT","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"said"}],"outputs":[]},
	{"id":"MAIL","name":"FTimestamp","data":{"triggerEndpoint":"mail"},"inputs":[{"name":"Trigger","optional":true}],"outputs":[{"name":"Timestamp"}]}],
	"connections":[{"sourceId":"IN","sourceIndex":0,"targetId":"OUT","targetIndex":0}]}`

func scheduledFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "clock.smyth"), []byte(scheduled), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".smyth"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	dir := scheduledFolder(t)
	steps := []struct {
		args string
		code int
		out  string // part of what is printed
		errs string
	}{
		{"schedule list", 0, "no job is scheduled", ""},
		{"schedule add clock.smyth --skill greet --every 10m name=Ada", 0, "scheduled clock-skill-greet: skill greet of clock, every 10m, next 20", ""},
		{"schedule add clock.smyth --trigger mail --cron 0*8***1-5 --id morning", 0, "cron 0 8 * * 1-5", ""},
		{"schedule list", 0, "clock-skill-greet  agent:clock  skill greet of clock", ""},
		{"schedule list --agent other", 0, "no job is scheduled", ""},
		{"schedule run clock-skill-greet clock.smyth", 0, `"said": "Ada"`, ""},
		{"schedule run morning clock.smyth --json", 0, `"success":true`, ""},
		{"schedule show clock-skill-greet", 0, "inputs {\"name\":\"Ada\"}", ""},
		{"schedule show clock-skill-greet --json", 0, `"executionHistory":[{"timestamp":"`, ""},
		{"schedule pause clock-skill-greet morning", 0, "", "paused clock-skill-greet\npaused morning\n"},
		{"schedule list --json", 0, `"next":"paused"`, ""},
		{"schedule resume morning", 0, "", "resumed morning"},
		{"schedule delete morning --owner agent:clock", 0, "", "deleted morning"},
		{"schedule delete morning", 4, "", `unknown job "morning"`},
		{"schedule show clock-skill-great", 4, "", `did you mean "clock-skill-greet"?`},
		{"schedule run clock-skill-greet other.smyth", 4, "", "other.smyth"},
		{"schedule add clock.smyth --skill greet --every 10m", 2, "", "the input name is missing"},
		{"schedule add clock.smyth --skill grit --every 10m", 4, "", `did you mean "greet"?`},
		{"schedule add clock.smyth --trigger male --every 10m", 4, "", `did you mean "mail"?`},
		{"schedule add clock.smyth --prompt hello --every 10m", 3, "", "set defaultModel in the agent's file"},
		{"schedule add clock.smyth --skill greet name=Ada", 2, "", "say when: --every 10m"},
		{"schedule add clock.smyth --every 10m", 2, "", "one of --skill, --trigger and --prompt"},
		{"schedule add clock.smyth --skill greet --every 10x name=Ada", 2, "", "Invalid interval format"},
		{"schedule add clock.smyth --skill greet --every 1h --cron 0*8*** name=Ada", 2, "", "cannot have both"},
		{"schedule add clock.smyth --skill greet --cron 0*8** name=Ada", 2, "", "five fields"},
		{"schedule add clock.smyth --trigger mail --every 1h name=Ada", 2, "", "only a skill takes inputs"},
		{"schedule add clock.smyth --skill greet --every 1h --starts soon name=Ada", 2, "", "startDate is no date"},
		{"schedule add clock.smyth --skill greet --every 1h --id ../x name=Ada", 3, "", "must not have segments of dots"},
		{"schedule lits", 2, "", `did you mean "list"?`},
	}
	for _, s := range steps {
		args := strings.Fields(s.args)
		for i, arg := range args {
			if i > 0 && args[i-1] == "--cron" { // written without blanks above
				args[i] = strings.NewReplacer("0*8***1-5", "0 8 * * 1-5", "0*8***", "0 8 * * *", "0*8**", "0 8 * *").Replace(arg)
			}
		}
		code, out, errs := in(t, dir, "", args...)
		if code != s.code || !strings.Contains(out, s.out) || !strings.Contains(errs, s.errs) {
			t.Errorf("sre %s: exit %d, out %q, err %q, want %d, %q, %q", s.args, code, out, errs, s.code, s.out, s.errs)
		}
	}
}

// Several owners may have a job of one id.
func TestSchedule_Owners(t *testing.T) {
	t.Parallel()
	dir := scheduledFolder(t)
	second := strings.Replace(scheduled, `"id":"clock"`, `"id":"watch"`, 1)
	if err := os.WriteFile(filepath.Join(dir, "watch.smyth"), []byte(second), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"clock.smyth", "watch.smyth"} {
		if code, _, errs := in(t, dir, "", "schedule", "add", file, "--trigger", "mail", "--every", "1h", "--id", "job"); code != 0 {
			t.Fatalf("exit %d, %s", code, errs)
		}
	}
	if code, _, errs := in(t, dir, "", "schedule", "pause", "job"); code != 2 || !strings.Contains(errs, "--owner: agent:clock, agent:watch") {
		t.Errorf("exit %d, err %q, want both owners named", code, errs)
	}
	if code, _, errs := in(t, dir, "", "schedule", "pause", "job", "--owner", "agent:watch"); code != 0 {
		t.Errorf("exit %d, %s", code, errs)
	}
	if code, out, _ := in(t, dir, "", "schedule", "list"); code != 0 || strings.Count(out, "paused") != 1 {
		t.Errorf("exit %d, out %q, want one paused job", code, out)
	}
}

// A server runs the jobs of the agents that it serves, also such as are added while it runs.
func TestServe_RunsJobs(t *testing.T) {
	t.Parallel()
	dir := scheduledFolder(t)
	served(t, dir, "clock.smyth")
	if code, _, errs := in(t, dir, "", "schedule", "add", "clock.smyth", "--skill", "greet", "--every", "1s", "name=Ada"); code != 0 {
		t.Fatalf("exit %d, %s", code, errs)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	for {
		_, out, _ := in(t, dir, "", "schedule", "show", "clock-skill-greet", "--json")
		if strings.Contains(out, `"success":true`) {
			return
		}
		if err := (effect.System{}).Sleep(ctx, 100*time.Millisecond); err != nil {
			t.Fatalf("the job was not run: %s", out)
		}
	}
}
