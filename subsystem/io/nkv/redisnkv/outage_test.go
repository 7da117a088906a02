//go:build services && unix

package redisnkv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/redis/redistest"
	"github.com/sre-go/sre/value"
)

// server is a Redis of a test's own, which writes everything to its folder before it acknowledges it.
type server struct {
	testing.TB
	dir, port string
	process   *exec.Cmd
}

func newServer(t testing.TB) *server {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(free.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	s := &server{TB: t, dir: t.TempDir(), port: port}
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *server) address() string { return "127.0.0.1:" + s.port }

// start starts the server on its folder and waits until it answers.
func (s *server) start() {
	s.Helper()
	s.process = exec.Command(redistest.Program(s), "--port", s.port, "--bind", "127.0.0.1", "--dir", s.dir,
		"--save", "", "--appendonly", "yes", "--appendfsync", "always")
	if err := s.process.Start(); err != nil {
		s.Fatal(err)
	}
	raw := redis.NewClient(&redis.Options{Addr: s.address(), Protocol: 2})
	defer raw.Close()
	s.within(10*time.Second, "the server is up", func() bool { return raw.Ping(s.Context()).Err() == nil })
}

// kill ends the server at once and waits until it is gone.
func (s *server) kill() {
	s.Helper()
	if s.process == nil {
		return
	}
	if err := s.process.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.Errorf("kill: %v", err)
	}
	_ = s.process.Wait() // says that it was killed
	s.process = nil
}

func (s *server) signal(sig syscall.Signal) {
	s.Helper()
	if err := s.process.Process.Signal(sig); err != nil {
		s.Fatal(err)
	}
}

// within waits until something is so, and fails the test when that takes too long. It returns how long it took.
func (s *server) within(limit time.Duration, what string, so func() bool) time.Duration {
	s.Helper()
	start := time.Now()
	for !so() {
		if time.Since(start) > limit {
			s.Fatalf("after %v it is not so that %s", limit, what)
		}
		if err := (effect.System{}).Sleep(context.Background(), 20*time.Millisecond); err != nil {
			s.Fatal(err)
		}
	}
	return time.Since(start)
}

// outage is how long Redis is away: a few seconds, or what SRE_TEST_OUTAGE says (scripts/soak-redis).
func outage(t testing.TB) time.Duration {
	t.Helper()
	text := os.Getenv("SRE_TEST_OUTAGE")
	if text == "" {
		return 4 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Redis goes away for a while and comes back, stopped or killed, under writers that never stop: they get errors meanwhile
// and none hangs, Check is red within 15 seconds and green within 15 after the return, everything works again without a
// restart of ours, and every write that was acknowledged is there.
func TestF05_OutageAndReturn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		away, back func(*server)
	}{
		"stopped": {func(s *server) { s.signal(syscall.SIGSTOP) }, func(s *server) { s.signal(syscall.SIGCONT) }},
		"killed":  {func(s *server) { s.kill() }, func(s *server) { s.start() }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			r := rigAt(t, s.address(), value.Obj(value.M("hosts", value.Of(s.address()))))
			w := startWriters(t, r, 8)
			s.within(10*time.Second, "there are writes", func() bool { acknowledged, _ := w.counts(); return acknowledged > 200 })
			if err := r.store.Check(t.Context()); err != nil {
				t.Errorf("Check before = %v", err)
			}

			c.away(s)
			red := s.within(15*time.Second, "Check is red", func() bool { return r.store.Check(t.Context()) != nil })
			if left := outage(t) - red; left > 0 {
				if err := (effect.System{}).Sleep(t.Context(), left); err != nil {
					t.Fatal(err)
				}
			}
			s.within(15*time.Second, "writers get errors", func() bool { _, failed := w.counts(); return failed > 0 })
			_, _, err := r.as("t").Get(t.Context(), "ns", "k")
			if !fault.Is(err, fault.Unavailable) {
				t.Errorf("Get meanwhile = %v, want UNAVAILABLE", err)
			}

			c.back(s)
			green := s.within(15*time.Second, "Check is green", func() bool { return r.store.Check(t.Context()) == nil })
			before, _ := w.counts()
			again := s.within(10*time.Second, "writes go on", func() bool { now, _ := w.counts(); return now > before+200 })
			w.stop()
			acknowledged, failed := w.counts()
			t.Logf("red after %v, green after %v, writes again after %v; %d acknowledged, %d failed, the slowest took %v", red, green, again, acknowledged, failed, w.slowest)
			if w.slowest > 15*time.Second {
				t.Errorf("a write took %v", w.slowest)
			}
			w.checkAll()

			s.kill()
			s.start()
			w.checkAll() // after a sudden end, too
		})
	}
}

// writers write as fast as they can and remember what was acknowledged.
type writers struct {
	testing.TB
	rig  *rig
	end  context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex
	kept    []string
	failed  int
	slowest time.Duration
}

func startWriters(t testing.TB, r *rig, n int) *writers {
	t.Helper()
	ctx, end := context.WithCancel(context.Background())
	w := &writers{TB: t, rig: r, end: end}
	t.Cleanup(w.stop)
	for i := range n {
		h := r.as("t")
		w.done.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				key := fmt.Sprint("w", i, "-", n)
				start := time.Now()
				err := h.Set(context.Background(), "ns", key, value.Of("text of "+key))
				w.note(key, err, time.Since(start))
				_ = (effect.System{}).Sleep(ctx, time.Millisecond)
			}
		})
	}
	return w
}

func (w *writers) note(key string, err error, took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slowest = max(w.slowest, took)
	if err != nil {
		w.failed++
		if !fault.Is(err, fault.Unavailable) {
			w.Errorf("Set = %v, want UNAVAILABLE", err)
		}
		return
	}
	w.kept = append(w.kept, key)
}

func (w *writers) counts() (acknowledged, failed int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.kept), w.failed
}

func (w *writers) stop() {
	w.end()
	w.done.Wait()
}

// checkAll checks that everything that was acknowledged is there.
func (w *writers) checkAll() {
	w.Helper()
	lost := 0
	for _, key := range w.kept {
		if got, ok, err := w.rig.as("t").Get(context.Background(), "ns", key); err != nil || !ok || got.Plain() != "text of "+key {
			if lost++; lost < 5 {
				w.Errorf("Get(%q) = %s, %v, %v: an acknowledged write is lost", key, got.JSON(), ok, err)
			}
		}
	}
	if lost > 0 {
		w.Errorf("%d of %d acknowledged writes are lost", lost, len(w.kept))
	}
}
