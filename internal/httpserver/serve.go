package httpserver

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
)

// stopTime is how long cancelled runs have to come to their end.
const stopTime = 5 * time.Second

// Listen takes a TCP address such as "127.0.0.1:5053" for a server. The port 0 is any free one. The error says what
// stands in the way and how to go around it; it is [fault.Conflict] when another program has the port.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	if err := ctx.Err(); err != nil {
		return nil, &fault.Error{Op: "listen", Resource: addr, Kind: fault.KindOf(err), Err: err}
	}
	var config net.ListenConfig
	ln, err := config.Listen(ctx, "tcp", addr)
	if err == nil {
		return ln, nil
	}
	e := &fault.Error{Op: "listen", Resource: addr, Kind: fault.Invalid, Err: err, Hint: "an address is written like 127.0.0.1:5053"}
	text := err.Error()
	switch {
	case errors.Is(err, fs.ErrPermission):
		e.Kind, e.Hint = fault.Denied, "take a port above 1023"
	case strings.Contains(text, "address already in use"), strings.Contains(text, "Only one usage of each socket address"):
		e.Kind, e.Err = fault.Conflict, errors.New("another program listens there")
		e.Hint = "end it, or take another port; port 0 is any free one"
	case strings.Contains(text, "cannot assign requested address"), strings.Contains(text, "address is not valid in its context"):
		e.Kind, e.Err = fault.Invalid, errors.New("this machine does not have the address")
		e.Hint = "take 127.0.0.1 for this machine alone, or 0.0.0.0 for all of its addresses"
	}
	return nil, e
}

// Serve answers requests on a listener until ctx ends; it closes the listener. Then no more requests are taken, and
// runs have Limits.DrainTime to end by themselves. Those that do not are cancelled, and their callers told so. The
// error is nil when everything has ended, and [fault.Timeout] when a component did not even then.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error { return s.serve(ctx, ln, s) }

// serve is Serve with the handler that requests are given to.
func (s *Server) serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	lasting := context.WithoutCancel(ctx)
	base, cancel := context.WithCancelCause(lasting)
	defer cancel(nil)
	server := s.server(base, h)
	served := make(chan error, 1)
	go func() { served <- server.Serve(impatient{ln, s.cfg.Limits.EventWriteTime}) }()
	var broken error
	select {
	case err := <-served:
		broken = &fault.Error{Op: "serve", Resource: ln.Addr().String(), Kind: fault.Unavailable, Err: err}
		served <- err
	case <-ctx.Done():
	}
	err := shutdown(lasting, server, s.cfg.Limits.DrainTime)
	if err != nil {
		gone := fault.Newf(fault.Unavailable, "the server is shutting down")
		cancel(fault.Hint(gone, "try again when it is back"))
		err = shutdown(lasting, server, stopTime)
	}
	if err != nil {
		err = errors.Join(fault.Newf(fault.Timeout, "some runs did not end when they were cancelled"), server.Close())
	}
	<-served
	return errors.Join(broken, err)
}

func shutdown(ctx context.Context, server *http.Server, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return server.Shutdown(ctx)
}

// server is the server of net/http with every wait and size bounded.
func (s *Server) server(base context.Context, h http.Handler) *http.Server {
	l := &s.cfg.Limits
	var only http.Protocols
	only.SetHTTP1(true)
	return &http.Server{
		Handler:                      h,
		Protocols:                    &only,
		ReadHeaderTimeout:            l.HeaderTime,
		ReadTimeout:                  l.HeaderTime + l.BodyTime,
		IdleTimeout:                  l.IdleTime,
		MaxHeaderBytes:               l.HeaderBytes,
		DisableGeneralOptionsHandler: true,
		BaseContext:                  func(net.Listener) context.Context { return base },
		ErrorLog:                     slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
	}
}
