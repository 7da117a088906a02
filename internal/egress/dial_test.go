package egress

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

// echo is a server that says everything again.
func (w *world) echo(name, ip string) {
	w.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(conn, conn)
			_ = conn.Close() // the other side has gone
		}
	}()
	w.t.Cleanup(func() {
		_ = ln.Close() // ends the loop
		<-done
	})
	w.names[name] = []string{ip}
	w.servers[ip] = ln.Addr().String()
}

// A connector reaches the address that it was configured with, also in a private network; what the operator refuses,
// and metadata services, stay out of reach, by whatever name.
func TestDial(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, config, address, want string
	}{
		{"a private network", `{}`, "redis.lan:6379", ""},
		{"a private address", `{}`, "10.0.0.7:6379", ""},
		{"a public one", `{"allowHosts":["api.test"]}`, "redis.test:6379", ""},
		{"metadata", `{"allowPrivate":true}`, "169.254.169.254:80", "EGRESS_DENIED(metadata)"},
		{"metadata in disguise", `{}`, "0xA9FEA9FE:80", "EGRESS_DENIED(metadata)"},
		{"metadata by name", `{}`, "meta.lan:80", "EGRESS_DENIED(metadata)"},
		{"metadata that is opened", `{"allowNetworks":["169.254.169.254"]}`, "meta.lan:80", ""},
		{"a mixed answer", `{}`, "mixed.lan:80", "EGRESS_DENIED(metadata)"},
		{"a host that is refused", `{"denyHosts":["redis.lan"]}`, "redis.lan:6379", "EGRESS_DENIED(deny)"},
		{"a network that is refused", `{"denyHosts":["10.0.0.0/8"]}`, "redis.lan:6379", "EGRESS_DENIED(deny)"},
		{"closed", `{"closed":true}`, "redis.lan:6379", "EGRESS_DENIED(closed)"},
		{"a team that is closed has no say", `{"teams":{"red":{"closed":true}}}`, "redis.lan:6379", ""},
		{"no such name", `{}`, "nowhere.lan:6379", "UNAVAILABLE"},
		{"nobody listens", `{}`, "10.0.0.9:6379", "UNAVAILABLE"},
		{"no port", `{}`, "redis.lan", "INVALID"},
		{"a port that is none", `{}`, "redis.lan:0", "INVALID"},
		{"a name for a port", `{}`, "redis.lan:redis", "INVALID"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.echo("redis.lan", "10.0.0.7")
			w.echo("redis.test", publicIP)
			w.echo("meta.lan", "169.254.169.254")
			w.names["mixed.lan"] = []string{"10.0.0.7", "169.254.169.254"}
			c := w.configured(parse(t, tt.config))
			who, err := access.Agent("a1")
			if err != nil {
				t.Fatal(err)
			}
			ctx := access.WithActing(t.Context(), access.Acting{Candidate: who, Team: "red", Run: "run-1"})
			conn, err := Dial(ctx, c, "tcp", tt.address)
			refused := fault.Is(err, fault.Denied)
			if err != nil && code(err) != tt.want || (err == nil) != (tt.want == "") {
				t.Fatalf("error = %v, want code %q", err, tt.want)
			}
			if got := w.denied(); refused != (len(got) == 1) || refused && (got[0].Candidate != who || got[0].Run != "run-1" || got[0].Resource[:6] != "tcp://") {
				t.Errorf("records %+v, want one for each refusal with who asked", got)
			}
			if refused && w.dialled() != nil {
				t.Error("what is refused was dialled")
			}
			if conn == nil {
				return
			}
			got := make([]byte, 5)
			if _, err := io.WriteString(conn, "hello"); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(conn, got); err != nil || string(got) != "hello" {
				t.Errorf("%q, %v, want hello", got, err)
			}
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDial_Faults(t *testing.T) {
	t.Parallel()
	c := newWorld(t).client(Policy{}, limits.Default())
	for _, network := range []string{"udp", "unix", "ip", ""} {
		if _, err := Dial(t.Context(), c, network, "10.0.0.7:1"); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%q: error = %v, want UNSUPPORTED", network, err)
		}
	}
	if _, err := Dial(t.Context(), &http.Client{}, "tcp", "10.0.0.7:1"); !fault.Is(err, fault.Unsupported) {
		t.Errorf("another client: error = %v, want UNSUPPORTED", err)
	}
}

// A connection that does not come up ends with its time, and one name of several addresses shares it between them.
func TestDial_Slow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		c, err := New(Policy{}, limits.Default(), WithResolver(lookup(func(context.Context, string, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")}, nil
		})), func(d *door) {
			d.connect = func(ctx context.Context, to netip.AddrPort, _ func(netip.AddrPort) error) (net.Conn, error) {
				asked = append(asked, to.String())
				<-ctx.Done()
				return nil, ctx.Err()
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = Dial(t.Context(), c, "tcp", "redis.lan:6379")
		if code(err) != "LIMIT_EXCEEDED(connect_time)" || time.Since(start) != limits.Default().ConnectTime || len(asked) != 2 {
			t.Errorf("error = %v after %s and %q, want LIMIT_EXCEEDED(connect_time) after both addresses", err, time.Since(start), asked)
		}
	})
}
