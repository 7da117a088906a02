package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sre-go/sre/value"
)

// hostile is a text that steers a terminal: it clears the screen, sets the title, rings and goes back over the line.
const hostile = "a\x1b[2J\x1b]0;owned\x07\u009b31mred\x08\x08\x08b\x00c\rd"

func steers(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r <= 0x9f })
}

// What a model, a provider or a script says is shown as text: it cannot steer the terminal.
func TestT57_ControlCodes(t *testing.T) {
	t.Parallel()
	quoted := value.Of(hostile).JSON()
	tests := []struct {
		name, reply string
		args        []string
	}{
		{"text", `{"text":` + quoted + `}`, nil},
		{"text in pieces", `{"chunks":["a\u001b","[2J","b"]}`, nil},
		{"name of a tool", `{"tools":[{"name":` + quoted + `,"args":{}}]}`, nil},
		{"arguments of a tool", `{"tools":[{"name":"shout","args":{"text":` + quoted + `}}]}`, nil},
		{"arguments that are no JSON", `{"tools":[{"name":"shout","args":` + quoted + `}]}`, nil},
		{"refusal of the provider", `{"error":{"status":400,"message":` + quoted + `,"type":` + quoted + `}}`, nil},
		{"page of a proxy", `{"body":` + quoted + `,"status":400}`, nil},
		{"name of the model", `{"text":"x"}`, []string{"--model", "no-such-" + hostile}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"--prompt", "go", "--model", "fake"}, tt.args...)
			for _, more := range [][]string{nil, {"--json"}} {
				_, out, errs := talkTo(t, fmt.Sprintf(`[{"when":{"last_role":"user"},"reply":%s},{"reply":{"text":"end"}}]`, tt.reply), nil, nil, append(args, more...)...)
				if steers(out) || steers(errs) {
					t.Errorf("%v: out %q, err %q steer the terminal", more, out, errs)
				}
				if out == "" && errs == "" {
					t.Errorf("%v: nothing is said", more)
				}
			}
		})
	}
}

// F09: an answer that breaks off is not shown as if it were complete: the command fails and says so.
func TestF09_BrokenAnswer(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]string{
		"cut": `{"text":"one two three","abort_after":2}`, "cut in a byte": `{"text":"one two three","cut_bytes":400}`, "no reason": `{"text":"one two three","no_finish":true}`,
		"error inside": `{"text":"one two three","error_after":1,"error":{"status":500,"message":"lost"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := talkTo(t, `[{"reply":`+reply+`}]`, nil, nil, "--prompt", "go", "--model", "fake")
			if code == 0 || errs == "" {
				t.Errorf("exit %d, out %q, err %q; want a failure that is told", code, out, errs)
			}
			code, out, errs = talkTo(t, `[{"reply":`+reply+`}]`, nil, nil, "--prompt", "go", "--model", "fake", "--json")
			if v, err := value.Parse(strings.TrimSpace(errs)); code == 0 || out != "" || err != nil || v.GetString("error") == "" {
				t.Errorf("with --json: exit %d, out %q, err %q; want no answer and an error", code, out, errs)
			}
		})
	}
}

// F10: what is no answer ends the command with an error of its own, never with an empty answer.
func TestF10_Garbage(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]string{
		"page": `{"body":"<html>Sign in</html>"}`, "nothing": `{"body":""}`, "no choices": `{"body":"{\"choices\":[]}","content_type":"application/json"}`,
		"only nonsense": `{"tools":[{"name":"nonsense","args":{"n":"${count}"}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := talkTo(t, `[{"reply":`+reply+`}]`, nil, nil, "--prompt", "go", "--model", "fake")
			if code == 0 || strings.TrimSpace(out) != "" || errs == "" {
				t.Errorf("exit %d, out %q, err %q; want a failure without an answer", code, out, errs)
			}
		})
	}
}

// T50, T52: whatever a model asks for, the command ends with an ordinary answer, and only skills of the agent have run,
// with what they declare.
func TestT50_HostileModel(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, tools string
		ran         int    // calls of the skill that were made
		told        string // what the command says of it
	}{
		{"unknown tool", `{"name":"delete_everything","args":{}}`, 0, "there is no tool"},
		{"skill by its path", `{"name":"/api/shout","args":{"text":"a"}}`, 0, "there is no tool"},
		{"component instead of a skill", `{"name":"APIEndpoint","args":{"text":"a"}}`, 0, "there is no tool"},
		{"argument missing", `{"name":"shout","args":{}}`, 0, "INVALID_TOOL_CALL"},
		{"arguments that are no JSON", `{"name":"shout","args":"{\"text\": \"a"}`, 0, "no JSON object"},
		{"placeholder for a secret", `{"name":"shout","args":{"text":"{{KEY(openai)}}"}}`, 1, "{{KEY(openai)}}"},
		{"a thousand calls", `{"name":"shout","args":{"text":"a"},"repeat":1000}`, 50, "goes in circles"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			script := `[{"times":1,"reply":{"tools":[` + tt.tools + `]}},{"reply":{"text":"that is all"}}]`
			code, out, errs := talkTo(t, script, nil, nil, "--prompt", "go", "--model", "fake")
			if code != 0 || out != "that is all\n" || !strings.Contains(errs, tt.told) {
				t.Errorf("exit %d, out %q, err %q; want an ordinary end and %q", code, out, errs, tt.told)
			}
			if ran := strings.Count(errs, "· shout "); ran != tt.ran {
				t.Errorf("the skill ran %d times, want %d: %s", ran, tt.ran, errs)
			}
		})
	}
	t.Run("TestT52_ToolLoop", func(t *testing.T) {
		t.Parallel()
		const script = `[{"when":{"has_tools":false},"reply":{"text":"I give up"}},{"reply":{"tools":[{"name":"shout","args":{"text":"a"}}]}}]`
		code, out, errs := talkTo(t, script, nil, nil, "--prompt", "go", "--model", "fake")
		if code != 0 || out != "I give up\n" || strings.Count(errs, "· shout ") != 3 || !strings.Contains(errs, "goes in circles") {
			t.Errorf("exit %d, out %q, err %q; want an end after three equal calls", code, out, errs)
		}
	})
}

// F07: a provider that is busy all the time ends the command with an error that says what to do, after three attempts.
func TestF07_AlwaysBusy(t *testing.T) {
	t.Parallel()
	code, out, errs := talkTo(t, `[{"reply":{"error":{"status":429,"message":"slow down"}}}]`, nil, nil, "--prompt", "go", "--model", "fake")
	if code == 0 || out != "" || !strings.Contains(errs, "429 slow down") {
		t.Errorf("exit %d, out %q, err %q; want the refusal", code, out, errs)
	}
}
