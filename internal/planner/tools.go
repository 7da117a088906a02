package planner

import (
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// The names of the tools.
const (
	planTasks      = "_sre_Plan_Tasks"
	addSubTasks    = "_sre_AddSubTasks"
	updateTasks    = "_sre_UpdateTasks"
	tasksCompleted = "_sre_TasksCompleted"
	clearTasks     = "_sre_clearTasks"
)

// operation is what one tool does to the list.
type operation struct {
	name, about, event string
	properties         []property
	do                 func(l *List, args value.Value) error
}

// Owns reports whether a tool of this name is of this package.
func Owns(name string) bool {
	for _, o := range operations() {
		if o.name == name {
			return true
		}
	}
	return false
}

// property is an argument, which is required.
type property struct {
	name   string
	schema value.Value
}

func operations() []operation {
	return []operation{
		{
			planTasks, "Adds tasks to the list, in their order. A task that is listed already is replaced.", TasksAdded,
			[]property{{"tasksList", tasksSchema("The tasks by id, in the order of the work.")}},
			func(l *List, args value.Value) error { return l.add(&l.tasks, args.Get("tasksList")) },
		},
		{
			addSubTasks, "Splits a task of the list into parts.", SubTasksAdded,
			[]property{{"taskId", textSchema("The id of the task.")}, {"subTasksList", tasksSchema("Its parts by id, in the order of the work.")}},
			func(l *List, args value.Value) error {
				t := in(l.tasks, args.Get("taskId").Text())
				if t == nil {
					return l.unknown(args.Get("taskId").Text())
				}
				return l.add(&t.Subtasks, args.Get("subTasksList"))
			},
		},
		{
			updateTasks, "Sets how far a task is.", TasksUpdated,
			[]property{{"taskId", textSchema("The id of a task, or taskId.subTaskId for a part of one.")}, {"status", statusSchema()}},
			func(l *List, args value.Value) error {
				t := l.find(args.Get("taskId").Text())
				if t == nil {
					return l.unknown(args.Get("taskId").Text())
				}
				status, err := readStatus(args.Get("status"))
				if err == nil {
					t.Status = status
				}
				return err
			},
		},
		{
			tasksCompleted, "Says that every task of the list is completed.", TasksCompleted, nil,
			func(l *List, _ value.Value) error {
				if open := l.open(); len(open) > 0 {
					return fault.Newf(fault.Invalid, "these tasks are not completed: %s", strings.Join(open, ", "))
				}
				return nil
			},
		},
		{
			clearTasks, "Empties the list, for another plan.", TasksCleared, nil,
			func(l *List, _ value.Value) error {
				l.tasks = nil
				return nil
			},
		},
	}
}

// unknown is the error that a task is not there; it names those that are.
func (l *List) unknown(id string) error {
	ids := make([]string, len(l.tasks))
	for i, t := range l.tasks {
		ids[i] = t.ID
	}
	return fault.Newf(fault.NotFound, "there is no task %q; there are: %s", id, strings.Join(ids, ", "))
}

// parameters is the JSON Schema of the arguments.
func (o operation) parameters() value.Value {
	all := value.NewBuilder(len(o.properties))
	names := make([]string, len(o.properties))
	for i, p := range o.properties {
		all.Add(p.name, p.schema)
		names[i] = p.name
	}
	return value.Obj(value.M("type", value.Of("object")), value.M("properties", all.Build()), value.M("required", value.Strings(names)))
}

func textSchema(about string) value.Value {
	return value.Obj(value.M("type", value.Of("string")), value.M("description", value.Of(about)))
}

func statusSchema() value.Value {
	return value.Obj(value.M("type", value.Of("string")), value.M("enum", value.Strings([]string{string(Planned), string(Ongoing), string(Completed)})))
}

func tasksSchema(about string) value.Value {
	task := value.Obj(
		value.M("type", value.Of("object")),
		value.M("properties", value.Obj(
			value.M("summary", textSchema("What to do, in a few words.")),
			value.M("description", textSchema("What to do, and when it is done.")),
			value.M("status", statusSchema()),
		)),
		value.M("required", value.Strings([]string{"summary", "description"})),
	)
	return value.Obj(value.M("type", value.Of("object")), value.M("description", value.Of(about)), value.M("additionalProperties", task))
}
