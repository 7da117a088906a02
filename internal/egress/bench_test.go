package egress

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
)

// BenchmarkRequest shows what the door adds to a request over a connection that is open: compare egress with bare.
func BenchmarkRequest(b *testing.B) {
	srv := httptest.NewServer(http.HandlerFunc(hello))
	defer srv.Close()
	client, err := New(Policy{AllowPrivate: true}, limits.Default())
	if err != nil {
		b.Fatal(err)
	}
	bare := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	defer bare.CloseIdleConnections()
	slots := secret.NewSlots("0123456789abcdef")
	standin := slots.Put(secret.New("key").For("127.0.0.1"))
	for _, bb := range []struct {
		name, auth string
		client     *http.Client
	}{{"bare", "Bearer key", bare}, {"egress", "Bearer key", client}, {"egress with a secret", "Bearer " + standin, client}} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			ctx := secret.WithSlots(access.WithActing(b.Context(), access.Acting{Team: "red"}), slots)
			for b.Loop() {
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
				if err != nil {
					b.Fatal(err)
				}
				req.Header.Set("Authorization", bb.auth)
				resp, err := bb.client.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					b.Fatal(err)
				}
				_ = resp.Body.Close() // read to its end
			}
		})
	}
}
