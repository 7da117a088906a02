//go:build services

package redisnkv

import (
	"context"
	"net"
	"testing"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/redis"
	"github.com/sre-go/sre/internal/redis/redistest"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/subsystem/io/nkv/nkvtest"
	"github.com/sre-go/sre/value"
)

// dial is the way out of these tests.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

// Every check of the suite opens a connector, and gets a corner of the database to itself.
func TestSuite(t *testing.T) {
	t.Parallel()
	d := connector.Define(nkv.Kind, "Redis", "As it is, in a corner.", func(ctx context.Context, env connector.Env, s redis.Settings) (nkv.Connector, error) {
		env.Dial = dial
		s.Prefix = effect.System{}.NewID() + ":"
		return open(ctx, env, s)
	})
	nkvtest.Run(t, d, value.Obj(value.M("hosts", value.Of(redistest.Address(t)))))
}
