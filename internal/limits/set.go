package limits

import (
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
)

// Set changes a limit by name. Counts are numbers, sizes numbers of bytes or "20 MiB" and "64 KiB", times "30s".
func (l *Limits) Set(name, text string) error {
	counts, sizes, spans := l.counts(), l.sizes(), l.spans()
	var err error
	switch {
	case counts[name] != nil:
		*counts[name], err = strconv.Atoi(text)
	case sizes[name] != nil:
		*sizes[name], err = parseSize(text)
	case spans[name] != nil:
		*spans[name], err = time.ParseDuration(text)
	default:
		var names []string
		for _, e := range l.List() {
			names = append(names, e.Name)
		}
		return fault.New(fault.Invalid, schema.UnknownName("limit", name, names))
	}
	if err != nil {
		return fault.Newf(fault.Invalid, "limit %s: %q is no value for it; it is written like %q", name, text, l.example(name))
	}
	return nil
}

func (l *Limits) example(name string) string {
	for _, e := range Default().List() {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}

func parseSize(text string) (int, error) {
	unit := 1
	switch {
	case strings.HasSuffix(text, "KiB"):
		unit = kib
	case strings.HasSuffix(text, "MiB"):
		unit = mib
	}
	n, err := strconv.Atoi(strings.TrimRight(text, " KMiB"))
	return n * unit, err
}

func (l *Limits) counts() map[string]*int {
	return map[string]*int{
		JSONDepth: &l.JSONDepth, JSONValues: &l.JSONValues, SmythComponents: &l.SmythComponents, Redirects: &l.Redirects,
		ResponseRatio: &l.ResponseRatio, ArchiveEntries: &l.ArchiveEntries, ArchiveDepth: &l.ArchiveDepth, Depth: &l.Depth,
		Steps: &l.Steps, Circular: &l.Circular, Items: &l.Items, ToolCalls: &l.ToolCalls,
		IdenticalToolCalls: &l.IdenticalToolCalls, TemplateDepth: &l.TemplateDepth, UploadFiles: &l.UploadFiles,
		FormFields: &l.FormFields,
	}
}

func (l *Limits) sizes() map[string]*int {
	return map[string]*int{
		HeaderBytes: &l.HeaderBytes, JSONBytes: &l.JSONBytes, SmythBytes: &l.SmythBytes, ResponseBytes: &l.ResponseBytes,
		ArchiveBytes: &l.ArchiveBytes, EventBufferBytes: &l.EventBufferBytes, ToolResultBytes: &l.ToolResultBytes,
		SandboxMemoryBytes: &l.SandboxMemoryBytes, SandboxOutputBytes: &l.SandboxOutputBytes,
		TemplateBytes: &l.TemplateBytes, LogLineBytes: &l.LogLineBytes,
		UploadBytes: &l.UploadBytes,
	}
}

func (l *Limits) spans() map[string]*time.Duration {
	return map[string]*time.Duration{
		HeaderTime: &l.HeaderTime, ConnectTime: &l.ConnectTime, RequestTime: &l.RequestTime,
		ModelFirstByteTime: &l.ModelFirstByteTime, ModelIdleTime: &l.ModelIdleTime, ModelTime: &l.ModelTime,
		BodyTime: &l.BodyTime, IdleTime: &l.IdleTime, DrainTime: &l.DrainTime, EventWriteTime: &l.EventWriteTime, SandboxTime: &l.SandboxTime, SandboxCPUTime: &l.SandboxCPUTime,
	}
}
