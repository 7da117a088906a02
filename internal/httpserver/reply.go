package httpserver

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/sre-go/sre/value"
)

// keepBytes is the largest buffer that is used again.
const keepBytes = 1 << 20

// write sends the answer, or describes the error.
func (x *exchange) write(answer value.Value, err error) {
	x.err = err
	switch {
	case err != nil:
		x.status, answer = statusOf(err), errorBody(err, x.id)
	case x.status == 0:
		x.status = http.StatusOK
	}
	if answer.IsAbsent() {
		answer = value.NullValue()
	}
	buffer := x.buffer()
	defer x.release(buffer)
	*buffer = answer.Append((*buffer)[:0])
	x.writeHeader(len(*buffer))
	if x.r.Method == http.MethodHead {
		return
	}
	var broken error
	x.written, broken = x.w.Write(*buffer)
	x.err = errors.Join(err, broken)
}

// writeHeader sends the status with the headers of every response. Nothing here is a page, so browsers are told to
// keep it, frame it, run it and guess its type never.
func (x *exchange) writeHeader(length int) {
	h := x.w.Header()
	h["Content-Type"] = []string{"application/json; charset=utf-8"}
	h["Content-Length"] = []string{strconv.Itoa(length)}
	h["X-Request-Id"] = []string{x.id}
	h["Cache-Control"] = []string{"no-store"}
	h["Content-Security-Policy"] = []string{"default-src 'none'; frame-ancestors 'none'; sandbox"}
	h["Cross-Origin-Resource-Policy"] = []string{"same-origin"}
	h["Referrer-Policy"] = []string{"no-referrer"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	if x.status == http.StatusUnauthorized {
		h["Www-Authenticate"] = []string{`Bearer realm="sre"`}
	}
	x.w.WriteHeader(x.status)
}

// buffer returns an empty buffer to use until release.
func (s *Server) buffer() *[]byte {
	if b, ok := s.buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, 1024)
	return &b
}

func (s *Server) release(b *[]byte) {
	if cap(*b) <= keepBytes {
		s.buffers.Put(b)
	}
}
