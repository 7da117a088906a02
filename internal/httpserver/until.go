package httpserver

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/sre-go/sre/fault"
)

// Bounds of what [ServeUntil] answers: small requests of one browser.
const (
	untilTime  = 10 * time.Second // for a request, and for the last answer to be written
	untilBytes = 16 << 10         // of the headers of a request
)

// ServeUntil answers requests on a listener, which it closes, until done is closed or ctx ends; then it returns nil or
// the cause of ctx. What is being answered at that moment has ten seconds to end. It is for a command that waits for a
// browser to come back.
func ServeUntil(ctx context.Context, ln net.Listener, h http.Handler, done <-chan struct{}) error {
	server := &http.Server{Handler: h, ReadTimeout: untilTime, WriteTimeout: untilTime, MaxHeaderBytes: untilBytes}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	case broken := <-served:
		served <- broken
		err = &fault.Error{Op: "serve", Resource: ln.Addr().String(), Kind: fault.Unavailable, Err: broken}
	}
	if late := shutdown(context.WithoutCancel(ctx), server, untilTime); late != nil {
		err = errors.Join(err, server.Close())
	}
	<-served
	return err
}
