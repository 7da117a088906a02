// Package testtarget is the HTTP server that components of recorded cases call.
//
// The cases were recorded against a server that shows what it was sent, answers
// with any status and misbehaves on request, with exactly the headers that a
// case expects and no others. This is that server: it keeps what it received and
// writes its answers itself, since net/http adds a date and drops headers.
package testtarget

import (
	"context"
	"io"
	"net/http"
	"sync"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/testtarget/loopback"
	"github.com/sre-go/sre/value"
)

// maxBody bounds the body of a request, in bytes. What is over it is not read.
const maxBody = 16 << 20

// Server is a running target. It is safe for concurrent use.
type Server struct {
	loop   *loopback.Server
	source effect.Source

	mu       sync.Mutex
	routes   value.Value
	received []value.Value
}

// Start serves until Close. Routes are those of a case: {"METHOD /path": {status, headers, json, body, base64,
// delay_ms}} with "*" for any method; they come before the built-in ones. The source paces delayed answers.
// The error has the kind fault.Unavailable.
func Start(ctx context.Context, routes value.Value, source effect.Source) (*Server, error) {
	s := &Server{routes: routes, source: source}
	loop, err := loopback.Start(ctx, http.HandlerFunc(s.serve))
	if err != nil {
		return nil, err
	}
	s.loop = loop
	return s, nil
}

// URL returns the address without a path, such as "http://127.0.0.1:40123".
func (s *Server) URL() string { return s.loop.URL() }

// SetRoutes replaces the routes. They may name the address of the server, which is known only once it runs.
func (s *Server) SetRoutes(routes value.Value) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.routes = routes
}

// Close ends the server and waits for all of it.
func (s *Server) Close() { s.loop.Close() }

// Requests returns what was received so far, in the order received: an array of
// {method, path, query, headers} with body, body_base64 or multipart.
func (s *Server) Requests() value.Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	return value.OfItems(append([]value.Value(nil), s.received...))
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return // the client went away; net/http closes the connection
	}
	seen := describe(r, body)
	s.mu.Lock()
	s.received = append(s.received, seen)
	routes := s.routes
	s.mu.Unlock()

	reply, ok := caseRoute(routes, r.Method, seen.GetString("path"))
	if !ok {
		reply = builtin(seen)
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	if s.source.Sleep(r.Context(), reply.delay) != nil {
		return
	}
	if !reply.silent {
		_, _ = conn.Write(reply.wire(r.Method)) // a client that no longer listens is no concern of ours
	}
}
