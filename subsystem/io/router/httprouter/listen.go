package httprouter

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"

	"github.com/sre-go/sre/fault"
)

// running is a server with its listener.
type running struct {
	server http.Server
	done   chan struct{} // closed when it accepts no more
}

// Start listens where the settings say.
func (r *Router) Start(ctx context.Context) error {
	if r.listen == "" {
		return nil
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", r.listen)
	if err != nil {
		return fault.Hint(fault.Newf(fault.Unavailable, "listen on %s: %w", r.listen, err), "choose another address for listen")
	}
	s := &running{done: make(chan struct{})}
	s.server = http.Server{
		Handler:           r,
		ReadHeaderTimeout: r.limits.HeaderTime,
		ReadTimeout:       r.limits.HeaderTime + r.limits.BodyTime,
		IdleTimeout:       r.limits.IdleTime,
		MaxHeaderBytes:    r.limits.HeaderBytes,
	}
	if r.env.Log != nil {
		s.server.ErrorLog = slog.NewLogLogger(r.env.Log.Handler(), slog.LevelWarn)
	}
	r.mu.Lock()
	r.running = s
	if r.base == "" {
		r.base = "http://" + listener.Addr().String()
	}
	r.mu.Unlock()
	go func() {
		defer close(s.done)
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) && r.env.Log != nil {
			r.env.Log.Error("the router has stopped", "error", err)
		}
	}()
	return nil
}

// Close stops listening and waits for the requests under way. Those left when ctx ends lose their connections.
func (r *Router) Close(ctx context.Context) error {
	r.mu.Lock()
	s := r.running
	r.running = nil
	r.mu.Unlock()
	if s == nil {
		return nil
	}
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fault.Newf(fault.Timeout, "requests were cut off: %w", err), s.server.Close())
	}
	<-s.done
	return err
}
