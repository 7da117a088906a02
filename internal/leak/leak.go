// Package leak finds goroutines that outlive the tests of a package.
//
// Everything that starts a goroutine here has an owner that waits for it, and
// this is what checks it: a package hands its tests to [Run], and fails when
// one of its goroutines is still there after the last test. It reads the stacks
// of the process, so it needs nothing from the code it watches; and it imports
// nothing of this module, so that every package can use it.
//
// Each package with tests has one file with this function:
//
//	func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }
package leak

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// patience is how long goroutines that are on their way out may take.
const patience = 5 * time.Second

// Runner runs tests and returns the exit code of the process; a *testing.M is one.
type Runner interface{ Run() int }

// Run runs the tests and returns the exit code: that of the tests when they failed, 1 when they passed but goroutines
// are left after five seconds, whose stacks it writes to standard error. Goroutines of the test framework and of
// the runtime do not count. It must be called once, from TestMain.
func Run(m Runner) int { return run(m, os.Stderr, patience) }

func run(m Runner, out io.Writer, within time.Duration) int {
	before := ids(stacks())
	code := m.Run()
	if code != 0 {
		return code
	}
	left := remaining(before, within)
	if len(left) == 0 {
		return 0
	}
	_, _ = fmt.Fprintf(out, "leak: %d goroutines are left after the tests; what starts one waits for it:\n\n", len(left))
	for _, g := range left {
		_, _ = fmt.Fprintln(out, g.stack)
	}
	return 1
}

// TB is the part of a *testing.T that [Check] uses.
type TB interface {
	Helper()
	Cleanup(f func())
	Errorf(format string, args ...any)
}

// Check fails a test when goroutines that it started are left at its end, after its other cleanups that are registered
// later. It is for tests that do not run in parallel; others cannot tell whose a goroutine is.
func Check(t TB) {
	t.Helper()
	check(t, patience)
}

func check(t TB, within time.Duration) {
	t.Helper()
	before := ids(stacks())
	t.Cleanup(func() {
		for _, g := range remaining(before, within) {
			t.Errorf("goroutine left by the test:\n%s", g.stack)
		}
	})
}

// remaining waits until no goroutine is left but those of before, and returns the ones that stay.
func remaining(before map[string]bool, within time.Duration) []goroutine {
	const pause = 5 * time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		var left []goroutine
		for _, g := range stacks() {
			if !before[g.id] && !g.foreign() {
				left = append(left, g)
			}
		}
		if len(left) == 0 || waited >= within {
			return left
		}
		time.Sleep(pause)
	}
}

// stacks returns the goroutines of the process but the one that asks.
func stacks() []goroutine {
	buf := make([]byte, 64<<10)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			all := parse(string(buf[:n]))
			return all[min(1, len(all)):] // the caller's comes first
		}
		buf = make([]byte, 2*len(buf))
	}
}

func ids(all []goroutine) map[string]bool {
	seen := make(map[string]bool, len(all))
	for _, g := range all {
		seen[g.id] = true
	}
	return seen
}

// goroutine is one entry of a stack dump.
type goroutine struct {
	id    string // its number
	stack string // the whole entry
}

// parse splits the text of runtime.Stack. Entries it does not understand are left out.
func parse(text string) []goroutine {
	var all []goroutine
	for entry := range strings.SplitSeq(text, "\n\n") {
		rest, ok := strings.CutPrefix(strings.TrimLeft(entry, "\n"), "goroutine ")
		id, _, more := strings.Cut(rest, " ")
		if ok && more && id != "" && strings.Trim(id, "0123456789") == "" {
			all = append(all, goroutine{id: id, stack: strings.TrimSpace(entry)})
		}
	}
	return all
}

// foreign reports whether a goroutine belongs to the test framework or to the runtime.
func (g goroutine) foreign() bool {
	for line := range strings.SplitSeq(g.stack, "\n") {
		for _, f := range []string{"testing.tRunner(", "testing.(*T).Run(", "testing.(*F).Fuzz", "testing.runFuzz", "testing.runTests(", "testing.runExample(", "os/signal.signal_recv(", "os/signal.loop(", "runtime.ensureSigM", "runtime/trace.", "runtime/pprof.", "runtime/coverage.", "internal/fuzz."} {
			if strings.HasPrefix(line, f) {
				return true
			}
		}
	}
	return false
}
