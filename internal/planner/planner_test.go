package planner

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// step is one call of a tool.
type step struct{ name, args string }

// plan is a plan of two tasks, one of them in parts.
func plan() []step {
	return []step{
		{planTasks, `{"tasksList":{"2":{"summary":"second","description":"d2"},"1":{"summary":"first","description":"d1","status":"ongoing"}}}`},
		{addSubTasks, `{"taskId":"1","subTasksList":{"a":{"summary":"part","description":"p"}}}`},
		{updateTasks, `{"taskId":"1.a","status":"completed"}`},
		{updateTasks, `{"taskId":1,"status":"completed"}`},
	}
}

const planned = `{"2":{"description":"d2","summary":"second","status":"planned"},"1":{"description":"d1","summary":"first","status":"completed","subtasks":{"a":{"description":"p","summary":"part","status":"completed"}}}}`

// take calls a tool and returns what it tells.
func take(t *testing.T, p *Planner, s step) (name string, data value.Value, err error) {
	t.Helper()
	args, err := conversation.ParseArguments(s.args)
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range p.Tools() {
		if tool.Name == s.name {
			_, err = tool.Do(t.Context(), conversation.Use{Args: args, Tell: func(n string, d value.Value) { name, data = n, d }})
			return name, data, err
		}
	}
	t.Fatalf("there is no tool %s", s.name)
	return "", value.Value{}, nil
}

func TestPlanner(t *testing.T) {
	t.Parallel()
	p := New(nil)
	var told []string
	for _, s := range plan() {
		name, data, err := take(t, p, s)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		told = append(told, name)
		if got, want := data.Get("tasks").JSON(), p.Tasks().JSON(); got != want {
			t.Errorf("%s tells of %s, want %s", s.name, got, want)
		}
		if data.Get("arguments").JSON() != s.args {
			t.Errorf("%s tells of the arguments %s, want %s", s.name, data.Get("arguments").JSON(), s.args)
		}
	}
	if got := p.Tasks().JSON(); got != planned {
		t.Errorf("tasks = %s, want %s", got, planned)
	}
	if got, want := strings.Join(told, " "), "TasksAdded SubTasksAdded TasksUpdated TasksUpdated"; got != want {
		t.Errorf("events = %s, want %s", got, want)
	}
	if _, _, err := take(t, p, step{tasksCompleted, `{}`}); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "2") {
		t.Errorf("with an open task: %v, want it named", err)
	}
	if _, _, err := take(t, p, step{updateTasks, `{"taskId":"2","status":"completed"}`}); err != nil {
		t.Error(err)
	}
	if name, _, err := take(t, p, step{tasksCompleted, `{}`}); err != nil || name != TasksCompleted {
		t.Errorf("all completed: %q, %v", name, err)
	}
	if name, _, err := take(t, p, step{clearTasks, `{}`}); err != nil || name != TasksCleared || p.Tasks().Len() != 0 {
		t.Errorf("cleared: %q, %v, %s", name, err, p.Tasks().JSON())
	}
}

// What is wrong changes nothing and tells nobody.
func TestPlanner_Refuses(t *testing.T) {
	t.Parallel()
	many := value.NewBuilder(maxTasks + 1)
	for i := range maxTasks + 1 {
		many.Add(value.OfInt(i).Text(), value.Obj(value.M("summary", value.Of("s"))))
	}
	tests := []struct {
		name string
		step step
	}{
		{"no list", step{planTasks, `{}`}},
		{"empty list", step{planTasks, `{"tasksList":{}}`}},
		{"list of another type", step{planTasks, `{"tasksList":["a"]}`}},
		{"task of another type", step{planTasks, `{"tasksList":{"3":{"summary":"s"},"4":"x"}}`}},
		{"no text", step{planTasks, `{"tasksList":{"3":{}}}`}},
		{"no id", step{planTasks, `{"tasksList":{"":{"summary":"s"}}}`}},
		{"status", step{planTasks, `{"tasksList":{"3":{"summary":"s","status":"done"}}}`}},
		{"long text", step{planTasks, `{"tasksList":{"3":{"summary":"` + strings.Repeat("x", maxText+1) + `"}}}`}},
		{"too many", step{planTasks, value.Obj(value.M("tasksList", many.Build())).JSON()}},
		{"parts of nothing", step{addSubTasks, `{"taskId":"9","subTasksList":{"a":{"summary":"s"}}}`}},
		{"unknown task", step{updateTasks, `{"taskId":"9","status":"completed"}`}},
		{"unknown part", step{updateTasks, `{"taskId":"1.z","status":"completed"}`}},
		{"unknown status", step{updateTasks, `{"taskId":"1","status":"finished"}`}},
	}
	p := New(nil)
	for _, s := range plan() {
		if _, _, err := take(t, p, s); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range tests {
		name, _, err := take(t, p, tt.step)
		if err == nil || name != "" || p.Tasks().JSON() != planned {
			t.Errorf("%s: %v, told %q, tasks %s", tt.name, err, name, p.Tasks().JSON())
		}
	}
}

// A conversation that is resumed has the plan that it had; calls that failed are not done again.
func TestNew_FromHistory(t *testing.T) {
	t.Parallel()
	var history []conversation.Entry
	add := func(id string, s step, failed bool) {
		history = append(history,
			conversation.Entry{Message: llm.Message{Role: llm.Assistant, Content: []llm.Content{llm.ToolCall{ID: id, Name: s.name, Arguments: s.args}}}},
			conversation.Entry{Message: llm.Message{Role: llm.Tool, Content: []llm.Content{llm.ToolResult{CallID: id, Name: s.name, Text: "{}", Failed: failed}}}})
	}
	for i, s := range plan() {
		add(string(rune('a'+i)), s, false)
	}
	add("x", step{clearTasks, "{}"}, true)
	add("y", step{"shout", `{"text":"a"}`}, false)
	history = append(history, conversation.Entry{Message: llm.Message{Role: llm.Assistant, Content: []llm.Content{llm.ToolCall{ID: "z", Name: clearTasks, Arguments: "{}"}}}})
	if got := New(history).Tasks().JSON(); got != planned {
		t.Errorf("tasks = %s, want %s", got, planned)
	}
}

// Instruction names the tools that there are, and no others.
func TestInstruction(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, tool := range New(nil).Tools() {
		known[tool.Name] = true
		if !strings.Contains(Instruction(), tool.Name) {
			t.Errorf("%s is not mentioned", tool.Name)
		}
		if tool.Parameters.GetString("type") != "object" || tool.Description == "" {
			t.Errorf("%s is not described", tool.Name)
		}
	}
	for _, word := range strings.FieldsFunc(Instruction(), func(r rune) bool { return r != '_' && (r < 'A' || r > 'z') }) {
		if strings.HasPrefix(word, "_sre_") && !known[word] {
			t.Errorf("there is no tool %s", word)
		}
	}
}
