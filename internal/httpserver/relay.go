package httpserver

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// Relay hands requests to a server that can be replaced while it listens, so that a change of configuration needs no
// restart. A request is answered by the server that was there when it arrived. It is safe for concurrent use.
type Relay struct {
	mu  sync.RWMutex
	now *lease
}

// lease is a server with the requests that it answers.
type lease struct {
	server *Server
	users  sync.WaitGroup
}

// NewRelay returns a relay to a server.
func NewRelay(s *Server) *Relay { return &Relay{now: &lease{server: s}} }

// Replace hands the requests from now on to s. wait returns when the server before has answered all of its own.
func (r *Relay) Replace(s *Server) (wait func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.now
	r.now = &lease{server: s}
	return before.users.Wait
}

// take returns the present server; the caller counts itself out.
func (r *Relay) take() *lease {
	r.mu.RLock()
	defer r.mu.RUnlock()
	r.now.users.Add(1)
	return r.now
}

// ServeHTTP answers a request.
func (r *Relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	l := r.take()
	defer l.users.Done()
	l.server.ServeHTTP(w, req)
}

// Serve is [Server.Serve] for all servers of the relay; sizes and waits of connections are those of the first one.
func (r *Relay) Serve(ctx context.Context, ln net.Listener) error {
	return r.now.server.serve(ctx, ln, r)
}

var _ http.Handler = (*Relay)(nil)
