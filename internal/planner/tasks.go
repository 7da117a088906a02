package planner

import (
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Status is how far a task is.
type Status string

// The states of a task.
const (
	Planned   Status = "planned"
	Ongoing   Status = "ongoing"
	Completed Status = "completed"
)

// Task is a step of a plan.
type Task struct {
	ID          string
	Description string
	Summary     string
	Status      Status
	Subtasks    []*Task
}

// List is a plan: tasks in the order in which they were added. The zero List is empty.
type List struct{ tasks []*Task }

// The bounds of a list.
const (
	maxTasks = 200 // in all
	maxText  = 2000
)

// Value returns the list as {id: {description, summary, status, subtasks}}.
func (l *List) Value() value.Value { return tasksValue(l.tasks) }

func tasksValue(tasks []*Task) value.Value {
	b := value.NewBuilder(len(tasks))
	for _, t := range tasks {
		v := value.Obj(value.M("description", value.Of(t.Description)), value.M("summary", value.Of(t.Summary)), value.M("status", value.Of(string(t.Status))))
		if len(t.Subtasks) > 0 {
			v = v.With("subtasks", tasksValue(t.Subtasks))
		}
		b.Add(t.ID, v)
	}
	return b.Build()
}

// count returns how many tasks there are in all.
func (l *List) count() int {
	n := len(l.tasks)
	for _, t := range l.tasks {
		n += len(t.Subtasks)
	}
	return n
}

// find returns a task by its id: "parent.sub" for a part of a task.
func (l *List) find(id string) *Task {
	if t := in(l.tasks, id); t != nil {
		return t
	}
	for _, t := range l.tasks {
		if rest, ok := strings.CutPrefix(id, t.ID+"."); ok {
			if sub := in(t.Subtasks, rest); sub != nil {
				return sub
			}
		}
	}
	return nil
}

func in(tasks []*Task, id string) *Task {
	for _, t := range tasks {
		if t.ID == id {
			return t
		}
	}
	return nil
}

// open returns the tasks that are not completed.
func (l *List) open() []string {
	var out []string
	for _, t := range l.tasks {
		if t.Status != Completed {
			out = append(out, t.ID)
		}
		for _, sub := range t.Subtasks {
			if sub.Status != Completed {
				out = append(out, t.ID+"."+sub.ID)
			}
		}
	}
	return out
}

// add reads {id: {description, summary, status}} into tasks: new ones at the end, known ones in their place.
func (l *List) add(into *[]*Task, v value.Value) error {
	if !v.IsObject() || v.Len() == 0 {
		return fault.Newf(fault.Invalid, "the tasks are to be an object of at least one: {\"1\": {\"summary\": …, \"description\": …}}")
	}
	next := append([]*Task(nil), *into...)
	added := 0
	for _, m := range v.Members() {
		t, err := readTask(m.Key, m.Value)
		if err != nil {
			return err
		}
		known := -1
		for i, old := range next {
			if old.ID == t.ID {
				known, t.Subtasks = i, old.Subtasks
			}
		}
		if known >= 0 {
			next[known] = t
			continue
		}
		next = append(next, t)
		added++
	}
	if l.count()+added > maxTasks {
		return fault.Newf(fault.Invalid, "there are more than %d tasks", maxTasks)
	}
	*into = next
	return nil
}

func readTask(id string, v value.Value) (*Task, error) {
	t := &Task{ID: id, Description: v.GetString("description"), Summary: v.GetString("summary"), Status: Planned}
	switch {
	case id == "" || len(id) > 64:
		return nil, fault.Newf(fault.Invalid, "the id of a task is to have 1 to 64 bytes")
	case !v.IsObject() || t.Description == "" && t.Summary == "":
		return nil, fault.Newf(fault.Invalid, "task %q has neither a summary nor a description", id)
	case len(t.Description) > maxText || len(t.Summary) > maxText:
		return nil, fault.Newf(fault.Invalid, "the texts of task %q are longer than %d bytes", id, maxText)
	}
	if s := v.Get("status"); !s.IsNil() {
		status, err := readStatus(s)
		if err != nil {
			return nil, err
		}
		t.Status = status
	}
	return t, nil
}

func readStatus(v value.Value) (Status, error) {
	text, _ := v.Str()
	switch s := Status(text); s {
	case Planned, Ongoing, Completed:
		return s, nil
	}
	return "", fault.Newf(fault.Invalid, "the status is to be %q, %q or %q", Planned, Ongoing, Completed)
}
