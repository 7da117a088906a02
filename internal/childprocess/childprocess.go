// Package childprocess is the one door to other programs: it starts them, talks to them over their standard input and
// output, and waits for their end.
//
// A program is named by the operator and is started by itself, never through a shell. It gets the environment that it is
// given and nothing of ours. What it started in turn ends with it.
package childprocess

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"sync"
	"time"

	"github.com/sre-go/sre/fault"
)

// Command is what is started.
type Command struct {
	Path string   // of the program, or its name to be found in the search path
	Args []string // as they are: nothing in them is expanded
	Env  []string // NAME=value; nothing else is in the environment of the program
	Dir  string   // working folder, "" for that of this program
}

// Process is a program that runs. Read gives its standard output and Write goes to its standard input; both are safe to
// use from one goroutine each.
type Process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *io.PipeReader
	stderr *tail
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
	err    error         // how, once done is closed
}

// grace is how long a program has to end after its input has.
const grace = 2 * time.Second

// Start starts a program. It is killed when ctx ends; whoever starts it closes it.
func Start(ctx context.Context, c Command) (*Process, error) {
	ctx, cancel := context.WithCancel(ctx)
	p := &Process{cmd: exec.CommandContext(ctx, c.Path, c.Args...), stderr: &tail{}, cancel: cancel, done: make(chan struct{})}
	p.cmd.Env = append([]string{}, c.Env...) // nil would be ours
	p.cmd.Dir = c.Dir
	group(p.cmd)
	p.cmd.WaitDelay = grace // for pipes that something else holds open
	p.cmd.Stderr = p.stderr
	out, in := io.Pipe()
	p.stdout, p.cmd.Stdout = out, in
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		cancel()
		_ = out.Close() // nobody reads it
		kind := fault.Unavailable
		if errors.Is(err, exec.ErrNotFound) {
			kind = fault.NotFound
		}
		return nil, fault.Newf(kind, "the program %q does not start: %w", c.Path, err)
	}
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
		_ = in.CloseWithError(io.EOF) // of a pipe in memory
	}()
	return p, nil
}

// Read reads what the program writes to its standard output.
func (p *Process) Read(b []byte) (int, error) { return p.stdout.Read(b) }

// Write writes to the standard input of the program.
func (p *Process) Write(b []byte) (int, error) { return p.stdin.Write(b) }

// Close ends the standard input of the program, gives it a moment to end by itself, kills it when it does not, and waits
// for its end. How it ended is no error of Close. It may be called again, and concurrently.
func (p *Process) Close() error {
	defer p.cancel()
	_ = p.stdin.Close() // it may have ended already
	soon, stop := context.WithTimeout(context.Background(), grace)
	defer stop()
	_ = p.stdout.Close() // what it still says is read by nobody
	select {
	case <-p.done:
	case <-soon.Done():
		p.cancel()
		<-p.done
	}
	return nil
}

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended tells how the program ended, with the end of what it wrote to standard error; nil while it runs. The text is for
// the operator: it may hold anything.
func (p *Process) Ended() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	how := "it ended"
	if p.err != nil {
		how = p.err.Error()
	}
	return fault.Newf(fault.Unavailable, "%s: %s", how, p.stderr.text())
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	data []byte
}

// kept is how much of standard error is kept, in bytes.
const kept = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(b)
	b = b[max(0, n-kept):]
	if over := len(t.data) + len(b) - kept; over > 0 {
		t.data = append(t.data[:0], t.data[over:]...)
	}
	t.data = append(t.data, b...)
	return n, nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.data)
}
