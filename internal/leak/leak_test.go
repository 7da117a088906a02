package leak

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestMain(m *testing.M) { os.Exit(Run(m)) }

// tests is a Runner that does what the test says.
type tests func() int

func (f tests) Run() int { return f() }

// The tests of this file are not parallel: they look at all goroutines of the process.

func TestRun(t *testing.T) { synctest.Test(t, testRun) }

func testRun(t *testing.T) {
	stop := make(chan struct{})
	var started sync.WaitGroup
	defer func() { close(stop); started.Wait() }()
	for _, test := range []struct {
		name  string
		tests tests
		code  int
		text  string
	}{
		{"nothing started", func() int { return 0 }, 0, ""},
		{"failed", func() int { return 3 }, 3, ""},
		{"waited for", func() int {
			var wg sync.WaitGroup
			wg.Go(func() { <-time.After(time.Second) })
			wg.Wait()
			return 0
		}, 0, ""},
		{"on its way out", func() int {
			started.Go(func() { <-time.After(patience / 2) })
			return 0
		}, 0, ""},
		{"failed and left", func() int { started.Go(func() { <-stop }); return 1 }, 1, ""},
		{"left", func() int { started.Go(func() { forgotten(stop) }); return 0 }, 1, "leak.forgotten"},
	} {
		var out strings.Builder
		if got := run(test.tests, &out, patience); got != test.code {
			t.Errorf("%s: exit code %d, want %d\n%s", test.name, got, test.code, out.String())
		}
		if got := out.String(); !strings.Contains(got, test.text) || (test.text == "") != (got == "") {
			t.Errorf("%s: wrote %q, want %q in it", test.name, got, test.text)
		}
	}
}

func forgotten(stop chan struct{}) { <-stop }

// spy is a TB whose cleanups run when the test says.
type spy struct {
	cleanups []func()
	errors   []string
}

func (*spy) Helper()            {}
func (s *spy) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }
func (s *spy) Errorf(format string, args ...any) {
	s.errors = append(s.errors, fmt.Sprintf(format, args...))
}

func TestCheck(t *testing.T) {
	Check(t)
	synctest.Test(t, testCheck)
}

func testCheck(t *testing.T) {
	stop := make(chan struct{})
	var started sync.WaitGroup
	defer func() { close(stop); started.Wait() }()
	for _, leaks := range []bool{false, true} {
		var s spy
		check(&s, patience)
		if leaks {
			started.Go(func() { forgotten(stop) })
		}
		for _, f := range s.cleanups {
			f()
		}
		if got := len(s.errors) > 0; got != leaks {
			t.Errorf("leaks = %t: errors %q", leaks, s.errors)
		}
	}
}

func TestForeign(t *testing.T) {
	tests := []struct {
		name, stack string
		want        bool
	}{
		{"another test", "goroutine 7 [chan receive]:\ntesting.(*T).Run(0x1)\n\ttesting.go:1", true},
		{"signals", "goroutine 7 [syscall]:\nos/signal.signal_recv()\n\tsigqueue.go:1", true},
		{"named like the framework", "goroutine 7 [select]:\nexample/testing.tRunner()\n\tx.go:1", false},
		{"a connection", "goroutine 7 [select]:\nnet/http.(*persistConn).readLoop(0x1)\n\ttransport.go:1", false},
		{"started by a test", "goroutine 7 [select]:\nx.f()\n\tx.go:1\ncreated by testing.tRunner in goroutine 1\n\ttesting.go:1", false},
	}
	for _, test := range tests {
		all := parse(test.stack)
		if len(all) != 1 {
			t.Fatalf("%s: parsed %d goroutines, want 1", test.name, len(all))
		}
		if got := all[0].foreign(); got != test.want {
			t.Errorf("%s: foreign = %t, want %t", test.name, got, test.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "\n\n", "goroutine ", "goroutine 1 [running]:", "goroutine 1 [running]:\nmain.main()\n\tx.go:1\n\ngoroutine 2 [idle]:\n", "goroutine  [x]:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, g := range parse(text) {
			if g.id == "" || !strings.HasPrefix(g.stack, "goroutine "+g.id) {
				t.Errorf("parse(%q) gives %+v", text, g)
			}
			g.foreign()
		}
	})
}
