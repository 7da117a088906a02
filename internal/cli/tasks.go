package cli

import "github.com/sre-go/sre/value"

// tasks shows a list of tasks, {id: {summary, status, subtasks}}.
func (t *talk) tasks(list value.Value) {
	if !list.IsObject() {
		return
	}
	t.newLine()
	if list.Len() == 0 {
		t.note("· no tasks")
	}
	t.taskLines(list, "  ")
}

func (t *talk) taskLines(list value.Value, indent string) {
	for _, m := range list.Members() {
		mark := "□ "
		switch m.Value.GetString("status") {
		case "ongoing":
			mark = "▸ "
		case "completed":
			mark = "✓ "
		}
		summary := m.Value.GetString("summary")
		if summary == "" {
			summary = m.Value.GetString("description")
		}
		t.note(indent + mark + clipLine(summary))
		t.taskLines(m.Value.Get("subtasks"), indent+"  ")
	}
}
