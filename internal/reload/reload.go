// Package reload watches files of the operator and tells when one has changed.
//
// It looks at the files again and again instead of asking the operating system, so it works on
// every system and every kind of disk, and for editors that put a new file in place of the old
// one. What counts is the content: a change is told once, when the file holds something else
// than when it was told last, and of many changes between two looks the last one is told.
package reload

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
)

// Config says what is watched.
type Config struct {
	// Paths are files, and folders whose files of the extension count, but not those of the folders in them.
	Paths     []string
	Extension string // of files in folders, such as ".smyth"
	Limit     int64  // the largest file that is read, in bytes
	// Changed is told the path of a file that is new or holds something else. An error is logged; the file is told again
	// when it changes again.
	Changed func(ctx context.Context, path string) error
	// Gone is told the path of a file that is not there any more. Nil for nobody.
	Gone    func(ctx context.Context, path string) error
	Effects effect.Source
	Log     *slog.Logger
}

// Interval is the time between two looks.
const Interval = 500 * time.Millisecond

// settled is the age from which the time of a file tells whether it has changed. Clocks of disks are coarse: a younger
// file is read.
const settled = 3 * time.Second

// Watch is what is known of the files. It is for one goroutine.
type Watch struct {
	c    Config
	seen map[string]mark
}

// mark is the state of a file when it was looked at.
type mark struct {
	size     int64
	modified time.Time
	read     time.Time // when its content was read
	sum      [sha256.Size]byte
	missing  bool // in the last look
}

// New looks at the files as they are now, without telling of them: the caller has loaded them.
func New(c Config) *Watch {
	w := &Watch{c: c, seen: map[string]mark{}}
	for _, path := range w.files() {
		if m, err := w.mark(path); err == nil {
			w.seen[path] = m
		}
	}
	return w
}

// Run looks at the files until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	for w.c.Effects.Sleep(ctx, Interval) == nil {
		w.Look(ctx)
	}
}

// Look looks at the files once and tells what has changed since.
func (w *Watch) Look(ctx context.Context) {
	files := w.files()
	for _, path := range files {
		before, known := w.seen[path]
		if known && !w.touched(path, before) {
			continue
		}
		now, err := w.mark(path)
		if err != nil {
			continue // it is being replaced, or cannot be read at the moment: the next look tells
		}
		w.seen[path] = now
		if !known || now.sum != before.sum {
			w.tell(ctx, w.c.Changed, "changed", path)
		}
	}
	for path, m := range w.seen {
		switch {
		case slices.Contains(files, path):
		case !m.missing: // an editor may be about to put the new file there
			m.missing = true
			w.seen[path] = m
		default:
			delete(w.seen, path)
			w.tell(ctx, w.c.Gone, "gone", path)
		}
	}
}

func (w *Watch) tell(ctx context.Context, to func(context.Context, string) error, what, path string) {
	if to == nil {
		return
	}
	if err := to(ctx, path); err != nil {
		w.c.Log.Warn("the change of a file is refused; what was loaded before stays", "file", path, "change", what, "error", err.Error())
		return
	}
	w.c.Log.Info("the change of a file was taken over", "file", path, "change", what)
}

// touched reports whether a file may hold something else than when it was marked.
func (w *Watch) touched(path string, m mark) bool {
	info, err := disk.Stat(path)
	if err != nil {
		return false
	}
	return m.missing || info.Size != m.size || !info.Modified.Equal(m.modified) || m.read.Sub(info.Modified) < settled
}

func (w *Watch) mark(path string) (mark, error) {
	read := w.c.Effects.Now()
	info, err := disk.Stat(path)
	if err != nil {
		return mark{}, err
	}
	text, err := disk.ReadFile(path, w.c.Limit)
	if err != nil && !fault.Is(err, fault.Limit) {
		return mark{}, err
	}
	return mark{size: info.Size, modified: info.Modified, read: read, sum: sha256.Sum256(text)}, nil
}

// files returns the paths of all files that are there, each once.
func (w *Watch) files() []string {
	var out []string
	for _, p := range w.c.Paths {
		if !disk.IsFolder(p) {
			if disk.IsFile(p) {
				out = append(out, p)
			}
			continue
		}
		names, err := disk.Names(p)
		if err != nil {
			continue // the folder is being replaced
		}
		for _, name := range names {
			if strings.HasSuffix(name, w.c.Extension) {
				out = append(out, filepath.Join(p, name))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
