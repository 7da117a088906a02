package egress

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/limits"
)

// pipeWorld is one server at every address, on pipes, so that time can be virtual.
type pipeWorld struct {
	client         *http.Client
	opened, closed atomic.Int64
}

// pipes makes a world whose server handles each connection. It is for the inside of a bubble, which ends when all
// connections have.
func pipes(t *testing.T, handle func(net.Conn)) *pipeWorld {
	t.Helper()
	w := &pipeWorld{}
	l := limits.Default()
	l.ResponseBytes = 1 << 20
	client, err := New(Policy{AllowPrivate: true}, l, func(d *door) {
		d.connect = func(context.Context, netip.AddrPort, func(netip.AddrPort) error) (net.Conn, error) {
			near, far := net.Pipe()
			w.opened.Add(1)
			go func() {
				defer w.closed.Add(1)
				defer far.Close()
				handle(far)
			}()
			return near, nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	w.client = client
	t.Cleanup(client.CloseIdleConnections)
	return w
}

// pause lets virtual time pass.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	if err := pauseFor(t, d); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

// pauseFor lets virtual time pass in a goroutine beside the test.
func pauseFor(t *testing.T, d time.Duration) error {
	t.Helper()
	return effect.System{}.Sleep(context.WithoutCancel(t.Context()), d)
}
