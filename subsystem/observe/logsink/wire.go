package logsink

import (
	"github.com/sre-go/sre/value"
)

// DefaultPreview is how much of an input or output goes into a log that is kept, in characters, unless it is configured.
const DefaultPreview = 1000

// Wire returns the record as logs that are kept hold it, with the names of the TypeScript runtime. Of inputs, outputs,
// results and errors there is the beginning, at most preview characters; "full", the place of the whole text, is null.
// What the record does not say is left out.
func (r Record) Wire(preview int) value.Value {
	b := value.NewBuilder(15)
	text := func(name, s string) {
		if s != "" {
			b.Add(name, value.Of(s))
		}
	}
	text("sourceId", r.Source)
	text("componentId", r.Component)
	text("componentName", r.Name)
	text("domain", r.Domain)
	if r.Step != 0 {
		b.Add("step", value.OfInt(r.Step))
	}
	text("workflowID", r.Workflow)
	text("processID", r.Process)
	text("sessionID", r.Session)
	text("tags", r.Tags)
	if !r.Began.IsZero() {
		b.Add("inputTimestamp", value.Of(stamp(r.Began)))
	}
	if !r.Ended.IsZero() {
		b.Add("outputTimestamp", value.Of(stamp(r.Ended)))
	}
	if !r.Input.IsAbsent() {
		b.Add("input", previewOf(r.Input, preview))
	}
	if !r.Output.IsAbsent() {
		b.Add("output", previewOf(r.Output, preview))
	}
	if !r.Result.IsAbsent() {
		b.Add("result", value.Of(previewOf(r.Result, preview).JSON()))
	}
	if r.Error != "" {
		b.Add("error", value.Of(previewOf(value.Of(r.Error), preview).JSON()))
	}
	return b.Build()
}

func previewOf(v value.Value, most int) value.Value {
	return value.Obj(value.M("preview", value.Of(begin(v.Plain(), most))), value.M("full", value.NullValue()))
}

// begin returns the first characters of a text, with "..." when there are more.
func begin(text string, most int) string {
	n := 0
	for i := range text {
		if n == most {
			return text[:i] + "..."
		}
		n++
	}
	return text
}
