package openaillm

import "github.com/sre-go/sre/fault"

// apart runs f on a stack of its own and waits for it. What goes deep would otherwise make the stack of a run as large,
// which it stays while the run waits for the model. A panic becomes an error.
func apart[T any](f func() (T, error)) (got T, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				err = fault.Newf(fault.Internal, "panic: %v", p)
			}
		}()
		got, err = f()
	}()
	<-done
	return got, err
}
