package httpserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sre-go/sre/value"
)

const (
	benchConns = 64
	benchBody  = `{"name":"Ada Lovelace","tags":["a","b"],"count":3}`
)

// BenchmarkBareHandler is what net/http alone can do: it decodes the same JSON and encodes it again.
func BenchmarkBareHandler(b *testing.B) {
	ln, err := Listen(b.Context(), "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(bare)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	defer func() {
		if err := server.Close(); err != nil {
			b.Error(err)
		}
		<-served
	}()
	load(b, ln.Addr().String(), "/api/greet")
}

func bare(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	v, err := value.Decode(text, value.Limits{})
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	answer := value.Obj(value.M("body", v)).Append(nil)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	_, _ = w.Write(answer) // the client counts its responses
}

// BenchmarkTrivialAgent is the whole way: token, guards, an agent of an endpoint and an output, and the access log as it
// is when nobody reads it.
func BenchmarkTrivialAgent(b *testing.B) {
	w := serve(b, func(c *Config) { c.Log = slog.New(slog.DiscardHandler) })
	w.loadText(`{"id":"trivial","components":[
		{"id":"EP","name":"APIEndpoint","data":{"endpoint":"greet"},"inputs":[],"outputs":[{"name":"headers","default":true},{"name":"body","default":true}]},
		{"id":"OUT","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"body","type":"Any"}],"outputs":[{"name":"Output","default":true}]}],
		"connections":[{"sourceId":"EP","sourceIndex":1,"targetId":"OUT","targetIndex":0}]}`)
	load(b, strings.TrimPrefix(w.url, "http://"), "/api/greet")
}

// load sends b.N requests over 64 connections and reports throughput and the slowest hundredth. The client is as small
// as it can be, so that it is the server that is measured.
func load(b *testing.B, addr, path string) {
	request := "POST " + path + " HTTP/1.1\r\nHost: " + addr + "\r\nUser-Agent: bench\r\nAccept: */*\r\nContent-Type: application/json\r\nAuthorization: Bearer " + testToken +
		"\r\nContent-Length: " + strconv.Itoa(len(benchBody)) + "\r\n\r\n" + benchBody
	want := `{"body":` + benchBody + `}`
	var (
		left  atomic.Int64
		group sync.WaitGroup
		times [benchConns][]time.Duration
	)
	left.Store(int64(b.N))
	ctx, cancel := context.WithCancelCause(b.Context())
	defer cancel(nil)
	conns := make([]net.Conn, benchConns)
	for i := range conns {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		conns[i] = c
	}
	b.ReportAllocs()
	b.ResetTimer()
	start := time.Now()
	for i, c := range conns {
		group.Go(func() {
			in := bufio.NewReader(c)
			for ctx.Err() == nil && left.Add(-1) >= 0 {
				sent := time.Now()
				if err := exchangeOnce(c, in, request, want); err != nil {
					cancel(err)
					return
				}
				times[i] = append(times[i], time.Since(sent))
			}
		})
	}
	group.Wait()
	took := time.Since(start)
	b.StopTimer()
	if err := context.Cause(ctx); err != nil {
		b.Fatal(err)
	}
	for _, c := range conns {
		if err := c.Close(); err != nil {
			b.Error(err)
		}
	}
	all := slices.Concat(times[:]...)
	slices.Sort(all)
	b.ReportMetric(float64(len(all))/took.Seconds(), "req/s")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}

// exchangeOnce sends a request and checks the response.
func exchangeOnce(c net.Conn, in *bufio.Reader, request, want string) error {
	if _, err := io.WriteString(c, request); err != nil {
		return err
	}
	status, err := in.ReadSlice('\n')
	if err != nil || string(status) != "HTTP/1.1 200 OK\r\n" {
		return fmt.Errorf("response %q: %w", status, err)
	}
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			break
		}
	}
	body, err := in.Peek(len(want))
	if err != nil || string(body) != want {
		return fmt.Errorf("response %q, want %q (%w)", body, want, err)
	}
	_, err = in.Discard(len(want))
	return err
}
