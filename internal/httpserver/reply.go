package httpserver

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/sre-go/sre/value"
)

const (
	// pieceBytes is how much of a response is given to a client at a time. It has to take each piece in time.
	pieceBytes = 64 << 10
	// keepBytes is the largest buffer that is used again.
	keepBytes = 1 << 20
)

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
	x.err = errors.Join(err, x.writeBody(*buffer))
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

// writeBody writes a short body at once and a long one in pieces. A client that does not take a piece in time loses
// its connection.
func (x *exchange) writeBody(body []byte) error {
	if len(body) <= pieceBytes {
		n, err := x.w.Write(body)
		x.written += n
		return err
	}
	rc := http.NewResponseController(x.w)
	for len(body) > 0 {
		piece := body[:min(len(body), pieceBytes)]
		body = body[len(piece):]
		if err := x.writePiece(rc, piece); err != nil {
			return err
		}
	}
	return nil
}

func (x *exchange) writePiece(rc *http.ResponseController, piece []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.r.Context()), x.cfg.Limits.EventWriteTime)
	defer cancel()
	late := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { late <- rc.SetWriteDeadline(time.Unix(1, 0)) })
	n, err := x.w.Write(piece)
	x.written += n
	if err == nil {
		err = rc.Flush()
	}
	if !stop() {
		return errors.Join(err, <-late, errSlow)
	}
	return err
}

var errSlow = errors.New("the client did not take the response in time")

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
