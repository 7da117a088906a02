package secret

import (
	"errors"
	"io"
)

// Writer passes on what is written to it without the secrets, wherever it is cut into pieces. What may be the beginning of
// a secret is held back until the next piece tells, or until Close. It is for one goroutine at a time.
type Writer struct {
	to      io.Writer
	machine *automaton // nil when there is nothing to take out
	found   search
	held    []byte
	out     []byte
	err     error
}

// Writer returns a writer that passes on to w what is written to it, with the secrets replaced. Close it: it passes on what
// was held back, and leaves w open. Of a nil Redactor it passes everything on at once.
func (r *Redactor) Writer(w io.Writer) *Writer {
	out := &Writer{to: w}
	if r != nil {
		out.machine = r.machine
	}
	return out
}

// Write implements [io.Writer]. An error of the writer below is returned from then on.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if w.machine == nil {
		n, err := w.to.Write(p)
		w.err = err
		return n, err
	}
	w.held = append(w.held, p...)
	scan(w.machine, &w.found, w.held)
	if w.pass(w.found.safe(w.machine, w.held)); w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// Close passes on what was held back. A second Close does nothing.
func (w *Writer) Close() error {
	if errors.Is(w.err, errClosed) {
		return nil
	}
	if w.err == nil && w.machine != nil {
		w.pass(len(w.held))
	}
	err := w.err
	w.err = errClosed
	return err
}

var errClosed = errors.New("the redacting writer is closed")

// pass writes everything before safe, with a mark for each span that begins there, and forgets it.
func (w *Writer) pass(safe int) {
	w.out = w.out[:0]
	done, kept := 0, w.found.spans[:0]
	for _, s := range w.found.spans {
		if s.start >= safe && !s.marked {
			kept = append(kept, s)
			continue
		}
		if !s.marked {
			w.out = append(w.out, w.held[done:s.start]...)
			w.out = append(w.out, Redacted...)
		}
		if done = min(s.end, safe); s.end > safe {
			kept = append(kept, span{start: safe, end: s.end, marked: true})
		}
	}
	w.out = append(w.out, w.held[done:safe]...)
	w.held = w.held[:copy(w.held, w.held[safe:])]
	w.found.pos = max(0, w.found.pos-safe) // the filter stands up to three bytes before what is safe
	for i := range kept {
		kept[i].start -= safe
		kept[i].end -= safe
	}
	w.found.spans = kept
	if len(w.out) > 0 {
		_, w.err = w.to.Write(w.out)
	}
}
