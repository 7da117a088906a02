package cli

import "sync"

// Interrupts lets a command say what an interrupt (Ctrl-C) means while it does something: to end that and nothing else.
// The zero Interrupts, and nil, leave it to end the command. It is safe for concurrent use.
type Interrupts struct {
	mu  sync.Mutex
	now func()
}

// Take makes an interrupt call f, until release.
func (i *Interrupts) Take(f func()) (release func()) {
	if i == nil {
		return func() {}
	}
	i.mu.Lock()
	i.now = f
	i.mu.Unlock()
	return func() {
		i.mu.Lock()
		i.now = nil
		i.mu.Unlock()
	}
}

// Interrupt reports whether somebody took an interrupt.
func (i *Interrupts) Interrupt() bool {
	if i == nil {
		return false
	}
	i.mu.Lock()
	f := i.now
	i.mu.Unlock()
	if f == nil {
		return false
	}
	f()
	return true
}
