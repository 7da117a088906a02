package audit

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
)

func agentA(tb testing.TB) access.Candidate {
	tb.Helper()
	c, err := access.Agent("a1")
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// read and denied are the two kinds of decisions that are recorded.
func read(tb testing.TB, key string) access.Decision {
	tb.Helper()
	return access.Decision{Candidate: agentA(tb), Operation: "vault.get", Level: "read", Resource: "red/" + key, Rule: access.ByTeam, Allowed: true}
}

func denied(tb testing.TB, resource string) access.Decision {
	tb.Helper()
	return access.Decision{Candidate: agentA(tb), Operation: "storage.write", Level: "write", Resource: resource, Rule: access.NoACL}
}

func options(dir string) Options { return Options{Folder: dir, Effects: effect.System{}} }

func record(tb testing.TB, l *Log, ds ...access.Decision) {
	tb.Helper()
	for _, d := range ds {
		if err := l.Record(context.Background(), d); err != nil {
			tb.Fatalf("Record(%s %s): %v", d.Operation, d.Resource, err)
		}
	}
}

func closeLog(tb testing.TB, l *Log) {
	tb.Helper()
	if err := l.Close(context.Background()); err != nil {
		tb.Errorf("Close: %v", err)
	}
}

// filled is a folder with n records that were closed properly.
func filled(tb testing.TB, n int) string {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "audit")
	l := New(options(dir))
	for i := range n {
		record(tb, l, read(tb, string(rune('a'+i))))
	}
	closeLog(tb, l)
	return dir
}

func verify(tb testing.TB, dir string) Report {
	tb.Helper()
	r, err := Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	report, err := r.Verify()
	if err != nil {
		tb.Fatalf("Verify: %v", err)
	}
	if err := r.Close(); err != nil {
		tb.Error(err)
	}
	return report
}

func entries(tb testing.TB, dir string) []Entry {
	tb.Helper()
	r, err := Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	var all []Entry
	for e, err := range r.Entries(0) {
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, e)
	}
	if err := r.Close(); err != nil {
		tb.Error(err)
	}
	return all
}

// sound checks that the chain holds and has that many records.
func sound(tb testing.TB, dir string, records int) Report {
	tb.Helper()
	rep := verify(tb, dir)
	if rep.Broken != nil || rep.Records != records {
		tb.Errorf("Verify found %d good records, broken %v, want %d and nothing broken", rep.Records, rep.Broken, records)
	}
	return rep
}

func content(tb testing.TB, path string) []byte {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func overwrite(tb testing.TB, path string, b []byte) {
	tb.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// flaky is a store in which steps fail: the one that counts steps down to 0, and while the disk is full all that need
// room, but for as many bytes as there are left.
type flaky struct {
	store
	mu    sync.Mutex
	steps int // 0 for none
	with  error
	full  bool
	room  int
}

func (s *flaky) step(need int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full && need > 0 {
		if s.room < need {
			return &fault.Error{Op: "disk.append", Kind: fault.Unavailable, Code: disk.CodeStorageFull, Err: syscall.ENOSPC}
		}
		s.room -= need
	}
	if s.steps--; s.steps == 0 {
		return s.with
	}
	return nil
}

// fail lets the step of that number fail.
func (s *flaky) fail(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = n
}

// left returns how many steps there are before the one that fails.
func (s *flaky) left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.steps
}

func (s *flaky) set(full bool, room int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full, s.room = full, room
}

func (s *flaky) lock(name string) (func() error, error) {
	if err := s.step(0); err != nil {
		return nil, err
	}
	return s.store.lock(name)
}

func (s *flaky) open(name string) (file, error) {
	if err := s.step(0); err != nil {
		return nil, err
	}
	f, err := s.store.open(name)
	return flakyFile{f, s}, err
}

func (s *flaky) replace(name string, data []byte) error {
	need := 0
	if name == reserveFile {
		need = len(data) // the others are far smaller than a block
	}
	if err := s.step(need); err != nil {
		return err
	}
	return s.store.replace(name, data)
}

func (s *flaky) remove(name string) error {
	if err := s.step(0); err != nil {
		return err
	}
	if err := s.store.remove(name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room += 4096
	return nil
}

type flakyFile struct {
	file
	s *flaky
}

func (f flakyFile) Write(p []byte) (int, error) {
	if err := f.s.step(len(p)); err != nil {
		return 0, err
	}
	return f.file.Write(p)
}

func (f flakyFile) Sync() error {
	if err := f.s.step(0); err != nil {
		return err
	}
	return f.file.Sync()
}

func flakyLog(tb testing.TB, dir string) (*Log, *flaky) {
	tb.Helper()
	s := &flaky{store: folder{disk.Later(dir)}, with: syscall.EIO}
	return newLog(options(dir), s), s
}

// wait lets the time of a bubble pass.
func wait(tb testing.TB, d time.Duration) {
	tb.Helper()
	if err := (effect.System{}).Sleep(context.Background(), d); err != nil {
		tb.Fatal(err)
	}
}

// files returns the names of the files of a folder.
func files(tb testing.TB, dir string) []string {
	tb.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.Contains(path, ".sre-tmp") {
			names = append(names, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	slices.Sort(names)
	return names
}
