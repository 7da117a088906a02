package testmodel

import (
	"context"
	"net/http"
)

// faulty is a response that breaks off, or stands still, after a number of bytes of its body.
type faulty struct {
	http.ResponseWriter
	ctx   context.Context
	left  int // bytes; negative for no end
	stall bool
}

// Write writes as much as the script lets through.
func (f *faulty) Write(p []byte) (int, error) {
	if f.left < 0 {
		return f.ResponseWriter.Write(p)
	}
	cut := min(len(p), f.left)
	n, err := f.ResponseWriter.Write(p[:cut])
	f.left -= n
	if err == nil && cut < len(p) {
		f.halt()
	}
	return n, err
}

// Unwrap is for [http.ResponseController].
func (f *faulty) Unwrap() http.ResponseWriter { return f.ResponseWriter }

// halt ends the handler here: what was written goes out, and the connection is broken off, or, for a stall, kept until
// the client goes away or the server is closed.
func (f *faulty) halt() {
	if f.Header().Get("Content-Type") != "" { // something was said
		_ = http.NewResponseController(f.ResponseWriter).Flush() // the writers of net/http can flush
	}
	if f.stall {
		<-f.ctx.Done()
	}
	panic(http.ErrAbortHandler) // the way of net/http to break a connection off
}
