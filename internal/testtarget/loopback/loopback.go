// Package loopback serves HTTP to tests of this machine and owns every goroutine of it.
//
// net/http/httptest leaves handlers behind that have hijacked their connection.
// Recorded cases need such handlers, since some answers are ones that net/http
// would not write, so Close of this server waits for those too.
package loopback

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/sre-go/sre/fault"
)

// headerTime bounds how long the headers of a request may take.
const headerTime = 10 * time.Second

// Server serves one handler on a free port of 127.0.0.1. It is safe for concurrent use.
type Server struct {
	url    string
	http   http.Server
	cancel context.CancelFunc
	served chan struct{}  // closed when the accept loop has ended
	busy   sync.WaitGroup // open connections and running handlers
	once   sync.Once
}

// Start serves handler until Close. The contexts of its requests end with ctx and with Close; ctx itself does not
// close the server. The error has the kind fault.Unavailable.
func Start(ctx context.Context, handler http.Handler) (*Server, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fault.Newf(fault.Unavailable, "listen on the loopback interface: %w", err)
	}
	return Serve(ctx, listener, handler), nil
}

// Serve is Start on a listener, which the server closes.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) *Server {
	base, cancel := context.WithCancel(ctx)
	s := &Server{url: "http://" + listener.Addr().String(), cancel: cancel, served: make(chan struct{})}
	s.http = http.Server{
		ReadHeaderTimeout: headerTime,
		BaseContext:       func(net.Listener) context.Context { return base },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.busy.Add(1) // its connection is still counted, so the count is not at zero here
			defer s.busy.Done()
			handler.ServeHTTP(w, r)
		}),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				s.busy.Add(1)
			case http.StateClosed, http.StateHijacked:
				s.busy.Done()
			case http.StateActive, http.StateIdle:
			}
		},
	}
	go func() {
		defer close(s.served)
		_ = s.http.Serve(listener) // always ends with http.ErrServerClosed, after Close
	}()
	return s
}

// URL returns the address, such as "http://127.0.0.1:40123".
func (s *Server) URL() string { return s.url }

// Close ends the contexts of all requests, closes all connections and returns when nothing of the server runs any more.
// Further calls do nothing.
func (s *Server) Close() {
	s.once.Do(func() {
		s.cancel()
		_ = s.http.Close() // the listener was ours alone; there is nothing to do about an error
		<-s.served
		s.busy.Wait()
	})
}
