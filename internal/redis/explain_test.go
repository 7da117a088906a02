package redis

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/fault"
)

// answering is a client of a server that answers every command with the same line after those of the greeting.
func answering(t *testing.T, line string) *Client {
	t.Helper()
	return clientOf(t, func(conn net.Conn) {
		in := bufio.NewReader(conn)
		for {
			head, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if !strings.HasPrefix(head, "*") {
				continue
			}
			if _, err := io.WriteString(conn, line+"\r\n"); err != nil {
				return
			}
		}
	})
}

// clientOf is a client of a server that serves each connection by serve.
func clientOf(t *testing.T, serve func(net.Conn)) *Client {
	t.Helper()
	c, err := New(Options{Hosts: []string{"redis.test:6379"}, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			serve(theirs)
		}()
		return ours, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c
}

// What Redis answers gets a kind, a code, and a hint that names the setting.
func TestExplain_Answers(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]struct {
		kind       fault.Kind
		code, hint string
	}{
		"-NOAUTH Authentication required.":                        {fault.Unavailable, CodeAuth, "REDIS_PASSWORD"},
		"-WRONGPASS invalid username-password pair":               {fault.Unavailable, CodeAuth, "REDIS_PASSWORD"},
		"-NOPERM this user has no permissions":                    {fault.Unavailable, CodeAuth, "REDIS_PASSWORD"},
		"-OOM command not allowed when used memory > 'maxmemory'": {fault.Unavailable, CodeFull, "memory"},
		"-MISCONF Redis is configured to save RDB snapshots":      {fault.Unavailable, CodeFull, "disk"},
		"-READONLY You can't write against a read only replica.":  {fault.Unavailable, CodeBusy, "hosts"},
		"-WRONGTYPE Operation against a key":                      {fault.Internal, CodeWrongType, "prefix"},
		"-MOVED 3999 127.0.0.1:6381":                              {fault.Unsupported, "UNSUPPORTED", "Cluster"},
		"-ERR something else":                                     {fault.Internal, "INTERNAL", ""},
	} {
		t.Run(strings.Fields(line)[0], func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, err := answering(t, line).Get(t.Context(), "k")
				if !fault.Is(err, want.kind) || fault.CodeOf(err) != want.code || !strings.Contains(err.Error(), want.hint) {
					t.Errorf("Get = %v with the code %s, want %v with %s and %q", err, fault.CodeOf(err), want.kind, want.code, want.hint)
				}
			})
		})
	}
}

// A server that takes commands and says nothing, as a half-open connection does, is given up within seconds; Check says so
// before readiness has to.
func TestF13_Silence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := clientOf(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
		for name, do := range map[string]func() error{
			"Get":   func() error { _, err := c.Get(t.Context(), "k"); return err },
			"Check": func() error { return c.Check(t.Context()) },
		} {
			start := time.Now()
			err := do()
			if took := time.Since(start); fault.CodeOf(err) != CodeDown || !fault.Is(err, fault.Unavailable) || took > 15*time.Second {
				t.Errorf("%s = %v after %v, want %s within 15s", name, err, took, CodeDown)
			}
		}
	})
}

// When nobody answers the error is that of the door to the network, with a hint; when the caller goes away it is theirs.
func TestExplain_NoConnection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dial error
		want fault.Kind
		code string
	}{
		"refused":    {errors.New("connection refused"), fault.Unavailable, CodeDown},
		"no network": {fault.Newf(fault.Unavailable, "egress: no route"), fault.Unavailable, CodeDown},
		"forbidden":  {&fault.Error{Kind: fault.Denied, Code: "EGRESS_DENIED(x)"}, fault.Denied, "EGRESS_DENIED(x)"},
	} {
		client, err := New(Options{Hosts: []string{"redis.test:6379"}, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, c.dial }})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Get(t.Context(), "k"); !fault.Is(err, c.want) || fault.CodeOf(err) != c.code || !strings.Contains(err.Error(), "REDIS_HOSTS") {
			t.Errorf("%s: Get = %v with the code %s, want %v with %s and a hint", name, err, fault.CodeOf(err), c.want, c.code)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("went home"))
		if _, err := client.Get(ctx, "k"); !fault.Is(err, fault.Canceled) || !strings.Contains(err.Error(), "went home") {
			t.Errorf("%s: Get = %v, want CANCELED", name, err)
		}
		if err := client.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if _, err := client.Get(t.Context(), "k"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: Get after Close = %v, want UNAVAILABLE", name, err)
		}
	}
}
