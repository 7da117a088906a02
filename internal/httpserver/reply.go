package httpserver

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/sre-go/sre/internal/redact"
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
	if x.agent != nil {
		answer = redact.Value(x.agent.Redactor(), answer) // asked for now: the run may have read secrets
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

// fixedHeader is a header that is the same in every response. Responses share the list, and nobody changes it.
type fixedHeader struct {
	name  string
	texts []string
}

// fixedHeaders returns the headers of every response. Nothing here is a page, so browsers are told to keep it, frame it,
// run it and guess its type never.
func fixedHeaders() []fixedHeader {
	return []fixedHeader{
		{"Content-Type", []string{"application/json; charset=utf-8"}},
		{"Cache-Control", []string{"no-store"}},
		{"Content-Security-Policy", []string{"default-src 'none'; frame-ancestors 'none'; sandbox"}},
		{"Cross-Origin-Resource-Policy", []string{"same-origin"}},
		{"Referrer-Policy", []string{"no-referrer"}},
		{"X-Content-Type-Options", []string{"nosniff"}},
	}
}

// writeHeader sends the status and the headers.
func (x *exchange) writeHeader(length int) {
	h := x.w.Header()
	for _, f := range x.fixed {
		h[f.name] = f.texts
	}
	h["Content-Length"] = []string{strconv.Itoa(length)}
	h["X-Request-Id"] = []string{x.id}
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
