package kernel

import (
	"context"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/sre-go/sre/fault"
)

// protect turns a panic of a part into an error, so that it ends a boot, a check or a close and not the program. The
// error tells the type of what was panicked with, not its text, which may hold anything; the log gets the stack.
func protect(log *slog.Logger, name string, f func() error) (err error) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if bug, ok := r.(runtime.Error); ok {
			err = fault.Newf(fault.Internal, "%s panicked: %w", name, bug)
		} else {
			err = fault.Newf(fault.Internal, "%s panicked with a %T", name, r)
		}
		log.Error("a part panicked", "part", name, "stack", string(debug.Stack()))
	}()
	return f()
}

// patience is how long a part that was told that its time is over may take to see it.
const patience = time.Second

// within runs f and waits for it until ctx ends and a little longer. A part that heeds its context ends by itself; one
// that does not is left behind, because a program that cannot end is worse.
func (k *Kernel) within(ctx context.Context, name string, f func(context.Context) error) error {
	done := make(chan error, 1)
	go func() {
		done <- protect(k.log, name, func() error { return f(ctx) })
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	select {
	case err := <-done:
		return err
	case <-grace.Done():
		return fault.Newf(fault.Timeout, "it did not come to an end in time")
	}
}
