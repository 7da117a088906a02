package egress

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sre-go/sre/internal/limits"
)

// wrapped is a body that the transport does not know.
type wrapped struct {
	io.Reader
	closed atomic.Int32
}

func (w *wrapped) Close() error {
	w.closed.Add(1)
	return nil
}

// pieced counts the pieces that are written to a connection.
type pieced struct {
	net.Conn
	pieces *atomic.Int32
}

func (c pieced) Write(p []byte) (int, error) {
	c.pieces.Add(1)
	return c.Conn.Write(p)
}

func TestAtOnce(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err == nil {
			_, err = w.Write(text)
		}
		if err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(srv.Close)
	tests := []struct {
		name   string
		text   string
		again  bool // the body can be read again
		pieces int32
	}{
		{"short", "hello", true, 1},
		{"with its headers over the buffer", strings.Repeat("x", bufferBytes), true, 2},
		{"long", strings.Repeat("x", atOnceBytes+1), true, 0},
		{"once", "hello", false, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var pieces atomic.Int32
			client, err := New(Policy{AllowPrivate: true}, limits.Default(), func(d *door) {
				d.connect = func(ctx context.Context, to netip.AddrPort, allowed func(netip.AddrPort) error) (net.Conn, error) {
					conn, err := connect(ctx, to, allowed)
					return pieced{conn, &pieces}, err
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			defer client.CloseIdleConnections()
			body := &wrapped{Reader: strings.NewReader(tt.text)}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, body)
			if err != nil {
				t.Fatal(err)
			}
			req.ContentLength = int64(len(tt.text))
			if tt.again {
				req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(tt.text)), nil }
			}
			got, err := send(client, req)
			if err != nil || got != tt.text {
				t.Fatalf("the server got %d bytes, %v, want %d", len(got), err, len(tt.text))
			}
			if n := pieces.Load(); tt.pieces > 0 && n != tt.pieces {
				t.Errorf("sent in %d pieces, want %d", n, tt.pieces)
			}
			if body.closed.Load() == 0 {
				t.Error("the body was not closed")
			}
		})
	}
}
