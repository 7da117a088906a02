// Package redis is the way to Redis: one client for each connector, over the connections that the runtime opens.
//
// It is the only package that knows the client library, so that the rules are in one place: connections come from the
// door to the network, every command has deadlines, a connection that is broken or half open is found out and replaced,
// and an error says which setting to look at. After an outage the next command connects again; nothing needs a restart.
//
// One host is a server. Several hosts are Sentinels, which tell where the master is. Redis Cluster is not supported.
package redis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
)

// How long things may take. A connection is given up within one of them when the other side is silent, and none is kept
// unused for longer than idleTime, so that one that was cut without a word is gone before a minute has passed.
const (
	dialTime  = 5 * time.Second
	readTime  = 3 * time.Second
	writeTime = 3 * time.Second
	poolTime  = 4 * time.Second
	idleTime  = 30 * time.Second
	checkTime = 5 * time.Second
	poolSize  = 32
)

// Options say where Redis is and how to get in.
type Options struct {
	Hosts            []string // "host:port" of the server, or of the Sentinels when there are several or Name is set
	Name             string   // of the master, for Sentinels
	Username         string
	Password         secret.Value
	SentinelPassword secret.Value
	Database         int
	TLS              bool
	CA               string // PEM; "" for the certificates of the system
	// Dial opens the connections: connector.Env.Dial.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client speaks to Redis. It is safe for concurrent use and connects when it is first needed. Errors have kinds of package
// fault: what may pass is [fault.Unavailable].
type Client struct {
	db    *redis.Client
	hosts []string
}

// quiet drops what the library logs: every error reaches the caller anyway.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// New makes a client. It does not connect yet.
func New(o Options) (*Client, error) {
	if len(o.Hosts) == 0 {
		return nil, badHosts("no host of Redis is configured")
	}
	if len(o.Hosts) > 1 && o.Name == "" {
		return nil, fault.Hint(fault.Newf(fault.Invalid, "%d hosts are Sentinels, but the name of the master is missing", len(o.Hosts)),
			"set name of the connector or the variable REDIS_MASTER_NAME, or give one host")
	}
	if o.Dial == nil {
		return nil, fault.Newf(fault.Unsupported, "there is no way out of this runtime, so Redis cannot be reached")
	}
	for _, at := range o.Hosts {
		if host, _, _ := net.SplitHostPort(at); !o.Password.MayGoTo(host) {
			return nil, fault.Hint(fault.Newf(fault.Invalid, "the password may not go to %s", host), "add the host to those of the secret")
		}
	}
	secure, err := tlsConfig(o)
	if err != nil {
		return nil, err
	}
	redis.SetLogger(quiet{})
	return &Client{db: connect(o, dialer(o.Dial, secure)), hosts: o.Hosts}, nil
}

func connect(o Options, dial dialFunc) *redis.Client {
	if len(o.Hosts) == 1 && o.Name == "" {
		return redis.NewClient(&redis.Options{
			Addr: o.Hosts[0], Username: o.Username, Password: o.Password.Reveal(), DB: o.Database, Dialer: dial,
			Protocol: 2, DisableIdentity: true, ContextTimeoutEnabled: true, MaxRetries: 1, DialerRetries: 1,
			DialTimeout: dialTime, ReadTimeout: readTime, WriteTimeout: writeTime,
			PoolSize: poolSize, PoolTimeout: poolTime, ConnMaxIdleTime: idleTime,
			// Otherwise the library looks the host up by itself, around the door to the network.
			MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		})
	}
	return redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: o.Name, SentinelAddrs: o.Hosts, SentinelPassword: o.SentinelPassword.Reveal(),
		Username: o.Username, Password: o.Password.Reveal(), DB: o.Database, Dialer: dial,
		Protocol: 2, DisableIdentity: true, ContextTimeoutEnabled: true, MaxRetries: 1, DialerRetries: 1,
		DialTimeout: dialTime, ReadTimeout: readTime, WriteTimeout: writeTime,
		PoolSize: poolSize, PoolTimeout: poolTime, ConnMaxIdleTime: idleTime,
	})
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// dialer opens connections through the door, under TLS when secure is not nil.
func dialer(dial dialFunc, secure *tls.Config) dialFunc {
	return func(ctx context.Context, network, at string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTime)
		defer cancel()
		conn, err := dial(ctx, network, at)
		if err != nil || secure == nil {
			return conn, err
		}
		host, _, err := net.SplitHostPort(at)
		if err != nil {
			_ = conn.Close()
			return nil, err
		}
		config := secure.Clone()
		config.ServerName = host
		over := tls.Client(conn, config)
		if err := over.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, fault.Hint(fault.Newf(fault.Unavailable, "no TLS with %s: %w", at, err), "check the settings tls and ca")
		}
		return over, nil
	}
}

func tlsConfig(o Options) (*tls.Config, error) {
	if !o.TLS {
		if o.CA != "" {
			return nil, fault.Newf(fault.Invalid, "ca is of no use without tls")
		}
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CA != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(o.CA)) {
			return nil, fault.Newf(fault.Invalid, "ca holds no certificate in PEM")
		}
	}
	return config, nil
}

// Check reports within seconds whether Redis answers.
func (c *Client) Check(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	return c.explain(ctx, c.db.Ping(bounded).Err())
}

// Close closes the connections. Commands that are under way fail.
func (c *Client) Close() error {
	if err := c.db.Close(); err != nil {
		return fault.New(fault.Internal, err)
	}
	return nil
}
