// Package filelog keeps the records of agents in files of JSON lines.
//
// A file that has grown to its size is followed by another one, and the oldest are
// removed, so a log takes a bounded part of the disk. Each line stands alone: what
// completes a record is a line of its own with the same id.
package filelog

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/observe/logsink"
	"github.com/sre-go/sre/value"
)

// Settings of the connector.
type Settings struct {
	Folder   string `json:"folder" default:"logs" doc:"Where the files lie; a relative path begins in the data folder."`
	MaxBytes int    `json:"maxBytes" sre:"min=4096,max=1073741824" default:"10485760" doc:"Size of a file after which another one is begun, in bytes."`
	MaxFiles int    `json:"maxFiles" sre:"min=1,max=10000" default:"5" doc:"How many files are kept; the oldest is removed."`
	Preview  int    `json:"preview" sre:"min=0,max=1000000" default:"1000" doc:"How much of an input, an output, a result or an error is kept, in characters."`
}

// Definition is the connector as configuration names it.
var Definition = connector.Define(logsink.Kind, "FileLog", "Keeps records in files of JSON lines.", open).
	WithDoc("A line has `time`, `id`, `agent`, `event` (`call`, `end` or `tasks`) and `data`; the lines of one call have one id. Files are named\n" +
		"`agents-<time of the first line>.jsonl` and readable by their owner only.")

const (
	prefix = "agents-"
	suffix = ".jsonl"
	// fileTime names a file, so that names in their order are files in theirs.
	fileTime = "20060102T150405.000000000"
	lineTime = "2006-01-02T15:04:05.000Z07:00"
)

type log struct {
	settings Settings
	folder   *disk.Folder
	effects  effect.Source

	mu     sync.Mutex
	file   *disk.Appender // nil before the first line, and after one that failed
	dirty  bool           // something was written that Close has to flush
	failed error          // why the last line was not written
	lost   int            // lines that were not written since the last one that was
}

func open(_ context.Context, env connector.Env, s Settings) (logsink.Connector, error) {
	dir := s.Folder
	if !filepath.IsAbs(dir) {
		if env.Dir == "" {
			return nil, fault.Hint(fault.Newf(fault.Invalid, "there is no data folder to keep %q in", dir), "set folder to a path from the root")
		}
		dir = filepath.Join(env.Dir, dir)
	}
	return &log{settings: s, folder: disk.Later(dir), effects: env.Effects}, nil
}

// Write appends a line. Any id is taken for one of the agent's: nobody looks it up.
func (l *log) Write(_ context.Context, g access.Grant[access.Write], id string, r logsink.Record) (string, error) {
	event := "end"
	if id == "" {
		event, id = "call", "log-"+l.effects.NewID()
	}
	return id, l.add(g, event, id, r.Wire(l.settings.Preview))
}

// Count appends a line with the number of tasks.
func (l *log) Count(_ context.Context, g access.Grant[access.Write], tasks int) error {
	return l.add(g, "tasks", "", value.Obj(value.M("count", value.OfInt(tasks))))
}

func (l *log) add(g access.Grant[access.Write], event, id string, data value.Value) error {
	b := value.NewBuilder(5).Set("time", value.Of(l.effects.Now().UTC().Format(lineTime)))
	if id != "" {
		b.Set("id", value.Of(id))
	}
	b.Set("agent", value.Of(g.Candidate().ID())).Set("event", value.Of(event)).Set("data", data)
	line := append(b.Build().Append(nil), '\n')
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed = l.write(line); l.failed != nil {
		l.lost++
		return errors.Join(l.failed, l.close())
	}
	l.lost = 0
	return nil
}

// write appends a line to the file, or to the next one.
func (l *log) write(line []byte) error {
	if l.file != nil && !l.file.Current() { // somebody else moved or removed it
		if err := l.close(); err != nil {
			return err
		}
	}
	if l.file == nil {
		if err := l.last(); err != nil {
			return err
		}
	}
	size, err := l.file.Size()
	if err != nil {
		return err
	}
	if size > 0 && size+int64(len(line)) > int64(l.settings.MaxBytes) {
		if err := l.next(); err != nil {
			return err
		}
	}
	if _, err := l.file.Write(line); err != nil {
		return err
	}
	l.dirty = true
	return nil
}

// last opens the newest file, or the first one.
func (l *log) last() error {
	names, err := l.names()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return l.next()
	}
	l.file, err = l.folder.Append(names[len(names)-1])
	return err
}

// next begins another file and removes the oldest.
func (l *log) next() error {
	if err := l.close(); err != nil {
		return err
	}
	name := prefix + l.effects.Now().UTC().Format(fileTime) + suffix
	var err error
	if l.file, err = l.folder.Append(name); err != nil {
		return err
	}
	names, err := l.names()
	if err != nil {
		return err
	}
	for _, old := range names[:max(0, len(names)-l.settings.MaxFiles)] {
		if err := l.folder.Remove(old); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

// names returns the files of the log, the oldest first.
func (l *log) names() ([]string, error) {
	var names []string
	for name, err := range l.folder.Walk(prefix, "") {
		if err != nil {
			return nil, err
		}
		at, ok := strings.CutSuffix(strings.TrimPrefix(name, prefix), suffix)
		if _, err := time.Parse(fileTime, at); ok && err == nil {
			names = append(names, name)
		}
	}
	return names, nil
}

// close brings what was written to the disk and closes the file.
func (l *log) close() error {
	if l.file == nil {
		return nil
	}
	var err error
	if l.dirty {
		err = l.file.Sync()
	}
	err = errors.Join(err, l.file.Close())
	l.file, l.dirty = nil, false
	return err
}

// Check returns why lines cannot be written, nil when they can.
func (l *log) Check(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		return nil
	}
	return fault.Newf(fault.KindOf(l.failed), "%d records were not kept: %w", l.lost, l.failed)
}

// Close brings everything to the disk.
func (l *log) Close(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.close(), l.folder.Close())
}

var (
	_ logsink.Connector = (*log)(nil)
	_ connector.Checker = (*log)(nil)
	_ connector.Closer  = (*log)(nil)
)
