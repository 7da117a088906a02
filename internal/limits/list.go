package limits

import (
	"strconv"
	"time"
)

// Entry describes one limit for a reference page or a settings screen.
type Entry struct {
	Name    string // as errors cite it
	Value   string // with its unit, such as "10 MiB", "5s" or "100"
	Meaning string // what it bounds, as a sentence without a subject
}

// List describes the limits of l in a fixed order.
func (l Limits) List() []Entry {
	return []Entry{
		{HeaderBytes, size(l.HeaderBytes), "All headers of one request to the server."},
		{HeaderTime, span(l.HeaderTime), "Time until the headers of a request have arrived."},
		{BodyTime, span(l.BodyTime), "Time until the body of a request has arrived, after its headers."},
		{IdleTime, span(l.IdleTime), "Time between two requests on one connection."},
		{DrainTime, span(l.DrainTime), "Time for runs to end by themselves when the server stops."},
		{UploadBytes, size(l.UploadBytes), "One request with files, all of its parts."},
		{UploadFiles, count(l.UploadFiles), "Files in one request."},
		{FormFields, count(l.FormFields), "Texts in one form or query."},
		{JSONBytes, size(l.JSONBytes), "One JSON text from outside: a request body, a model's answer, a tool's result."},
		{JSONDepth, count(l.JSONDepth), "Nesting of arrays and objects in one JSON text."},
		{JSONValues, count(l.JSONValues), "Values in one JSON text, members and items included."},
		{SmythBytes, size(l.SmythBytes), "One agent file."},
		{SmythComponents, count(l.SmythComponents), "Components in one agent file."},
		{ConnectTime, span(l.ConnectTime), "Time until an outgoing connection stands."},
		{RequestTime, span(l.RequestTime), "One outgoing request until the end of its answer."},
		{Redirects, count(l.Redirects), "Redirects followed for one outgoing request."},
		{ResponseBytes, size(l.ResponseBytes), "One answer to an outgoing request, after decompression."},
		{ResponseRatio, count(l.ResponseRatio), "How many times larger than received an answer may become by decompression."},
		{ArchiveEntries, count(l.ArchiveEntries), "Files in one archive."},
		{ArchiveBytes, size(l.ArchiveBytes), "All files of one archive, unpacked."},
		{ArchiveDepth, count(l.ArchiveDepth), "Nesting of archives within archives."},
		{ModelFirstByteTime, span(l.ModelFirstByteTime), "Time until the first byte of a model's answer."},
		{ModelIdleTime, span(l.ModelIdleTime), "Time between two pieces of a model's answer."},
		{ModelTime, span(l.ModelTime), "One model call in all."},
		{EventBufferBytes, size(l.EventBufferBytes), "Events waiting for one slow client."},
		{EventWriteTime, span(l.EventWriteTime), "One write of events to a client."},
		{Depth, count(l.Depth), "Agents that call agents, along one path."},
		{Steps, count(l.Steps), "Component calls in one run."},
		{Circular, count(l.Circular), "Calls of one component along one path."},
		{Items, count(l.Items), "Items of one loop."},
		{ToolCalls, count(l.ToolCalls), "Tool calls in one turn of a conversation."},
		{IdenticalToolCalls, count(l.IdenticalToolCalls), "Equal tool calls in one turn that brought nothing new."},
		{ToolResultBytes, size(l.ToolResultBytes), "Part of one tool result that the model is shown; the rest is reached by a handle."},
		{SandboxTime, span(l.SandboxTime), "Wall-clock time of one piece of sandboxed code."},
		{SandboxCPUTime, span(l.SandboxCPUTime), "Processor time of one piece of sandboxed code."},
		{SandboxMemoryBytes, size(l.SandboxMemoryBytes), "Memory of one piece of sandboxed code."},
		{SandboxOutputBytes, size(l.SandboxOutputBytes), "Output of one piece of sandboxed code."},
		{TemplateDepth, count(l.TemplateDepth), "Agent variables that name agent variables."},
		{TemplateBytes, size(l.TemplateBytes), "Result of one template."},
		{LogLineBytes, size(l.LogLineBytes), "One record of a log; longer ones are cut."},
	}
}

func count(n int) string { return strconv.Itoa(n) }

func span(d time.Duration) string { return d.String() }

func size(n int) string {
	switch {
	case n != 0 && n%mib == 0:
		return strconv.Itoa(n/mib) + " MiB"
	case n != 0 && n%kib == 0:
		return strconv.Itoa(n/kib) + " KiB"
	}
	return strconv.Itoa(n) + " B"
}
