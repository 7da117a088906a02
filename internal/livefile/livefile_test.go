package livefile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
)

// source is a file that tests change, with counts of what was done to it.
type source struct {
	mu     sync.Mutex
	text   string
	err    error
	reads  int
	parses int
}

func (s *source) set(text string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text, s.err = text, err
}

func (s *source) counts() (reads, parses int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads, s.parses
}

func (s *source) read() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	return []byte(s.text), s.err
}

var errParse = errors.New("cannot be parsed")

func (s *source) parse(text []byte) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parses++
	if string(text) == "broken" {
		return "", errParse
	}
	return strings.ToUpper(string(text)), nil
}

func (s *source) file() *File[string] { return New(effect.System{}, s.read, s.parse) }

func wantGet(t *testing.T, f *File[string], want string, wantErr error) {
	t.Helper()
	if got, err := f.Get(t.Context()); got != want || !errors.Is(err, wantErr) {
		t.Errorf("Get = %q, %v, want %q, %v", got, err, want, wantErr)
	}
}

func wait(t *testing.T, d time.Duration) {
	t.Helper()
	if err := (effect.System{}).Sleep(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func TestFile_AtMostASecondOld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &source{text: "a"}
		f := s.file()
		wantGet(t, f, "A", nil)
		s.set("b", nil)
		wait(t, MaxAge-time.Nanosecond)
		wantGet(t, f, "A", nil)
		if reads, _ := s.counts(); reads != 1 {
			t.Errorf("%d reads within a second, want 1", reads)
		}
		wait(t, time.Nanosecond)
		wantGet(t, f, "B", nil)
	})
}

func TestFile_ParsesOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &source{text: "a"}
		f := s.file()
		for range 5 {
			wantGet(t, f, "A", nil)
			wait(t, MaxAge)
		}
		if reads, parses := s.counts(); reads != 5 || parses != 1 {
			t.Errorf("%d reads and %d parses, want 5 and 1", reads, parses)
		}
	})
}

// Neither a broken edit nor a lost file leaves the last good state behind; a mended file counts again.
func TestFile_FailsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &source{text: "a"}
		f := s.file()
		wantGet(t, f, "A", nil)
		s.set("broken", nil)
		wait(t, MaxAge)
		wantGet(t, f, "", errParse)
		wantGet(t, f, "", errParse)
		lost := errors.New("lost")
		s.set("", lost)
		wait(t, MaxAge)
		wantGet(t, f, "", lost)
		s.set("a", nil)
		wait(t, MaxAge)
		wantGet(t, f, "A", nil)
	})
}

func TestFile_Expire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &source{text: "a"}
		f := s.file()
		wantGet(t, f, "A", nil)
		s.set("b", nil)
		f.Expire()
		wantGet(t, f, "B", nil)
	})
}

func TestFile_CanceledCallerLeavesNothing(t *testing.T) {
	t.Parallel()
	s := &source{text: "a"}
	f := s.file()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := f.Get(ctx); got != "" || !errors.Is(err, context.Canceled) {
		t.Errorf("Get = %q, %v, want %v", got, err, context.Canceled)
	}
	wantGet(t, f, "A", nil)
}

// backwards is a clock that a test sets.
type backwards struct {
	effect.System
	now atomic.Int64
}

func (b *backwards) Now() time.Time { return time.Unix(b.now.Load(), 0) }

func TestFile_ClockSetBack(t *testing.T) {
	t.Parallel()
	clock := &backwards{}
	clock.now.Store(1_000_000)
	s := &source{text: "a"}
	f := New(clock, s.read, s.parse)
	wantGet(t, f, "A", nil)
	s.set("b", nil)
	clock.now.Store(500_000)
	wantGet(t, f, "B", nil)
}

func TestFile_Concurrent(t *testing.T) {
	t.Parallel()
	s := &source{text: "a"}
	f := s.file()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { wantGet(t, f, "A", nil) })
	}
	wg.Wait()
	if _, parses := s.counts(); parses != 1 {
		t.Errorf("%d parses for 50 callers, want 1", parses)
	}
}

func BenchmarkGet(b *testing.B) {
	s := &source{text: "a"}
	f := s.file()
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Get(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestPlace_Read(t *testing.T) {
	t.Parallel()
	data, other := t.TempDir(), t.TempDir()
	write(t, data, "vault/vault.json", "second default")
	write(t, data, "named.json", "named")
	write(t, data, "sub/named.json", "below")
	write(t, other, "elsewhere.json", "elsewhere")
	write(t, data, "large.json", strings.Repeat("x", 101))
	if err := os.Mkdir(filepath.Join(data, "folder.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(other, "elsewhere.json"), filepath.Join(data, "link.json")); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, dir, file string
		want            string
		kind            fault.Kind // when want is ""
	}{
		{"first default that exists", data, "", "second default", 0},
		{"name", data, "named.json", "named", 0},
		{"name in a folder", data, "sub/named.json", "below", 0},
		{"absolute", data, filepath.Join(other, "elsewhere.json"), "elsewhere", 0},
		{"missing", data, "missing.json", "", fault.NotFound},
		{"missing absolute", data, filepath.Join(other, "missing.json"), "", fault.NotFound},
		{"missing folder", filepath.Join(data, "gone"), "", "", fault.NotFound},
		{"folder in its place", data, "folder.json", "", fault.Invalid},
		{"too large", data, "large.json", "", fault.Limit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := At(tt.dir, tt.file, 100, "vault.json", "vault/vault.json").Read()
			if string(got) != tt.want || (tt.want == "") != fault.Is(err, tt.kind) {
				t.Errorf("Read = %q, %v, want %q or kind %v", got, err, tt.want, tt.kind)
			}
		})
	}
	for _, file := range []string{"../" + filepath.Base(other) + "/elsewhere.json", "link.json"} {
		if got, err := At(data, file, 100).Read(); err == nil {
			t.Errorf("Read of %q, which leads out of the data folder, = %q, want an error", file, got)
		}
	}
	if _, err := At(data, "", 100).Read(); !fault.Is(err, fault.NotFound) {
		t.Errorf("Read without any name: %v, want kind %v", err, fault.NotFound)
	}
}
