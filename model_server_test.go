package sre_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sre-go/sre/effect"
)

// answerPieces are what every scripted model of the benchmarks says: the first piece, and all the others.
func answerPieces() (first, rest string) {
	piece := func(content string) string {
		return `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"` + content + `"},"finish_reason":null}]}` + "\n\n"
	}
	rest = strings.Repeat(piece(" word"), 20) + `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n" +
		`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":21,"total_tokens":26}}` + "\n\ndata: [DONE]\n\n"
	return piece("Hello"), rest
}

// modelHandler answers every request with the same few pieces, a while after it was asked. sent is called when the first
// piece is on its way. A path that begins with a number, /200/v1, makes it that many milliseconds, and /waiting tells how
// many have been asked and not answered.
func modelHandler(latency time.Duration, sent func()) http.Handler {
	first, rest := answerPieces()
	var waiting atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/waiting" {
			_, _ = fmt.Fprint(w, waiting.Load())
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		wait := latency
		if asked, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); asked != "v1" {
			ms, err := strconv.Atoi(asked)
			if err != nil {
				http.NotFound(w, r)
				return
			}
			wait = time.Duration(ms) * time.Millisecond
		}
		if wait > 0 {
			waiting.Add(1)
			err := effect.System{}.Sleep(r.Context(), wait)
			waiting.Add(-1)
			if err != nil {
				return
			}
		}
		w.Header().Set("Content-Type", "text/event-stream")
		if sent != nil {
			sent()
		}
		_, _ = io.WriteString(w, first)
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, rest)
	})
}

// modelServer is a scripted model in this process.
func modelServer(b *testing.B, sent func()) string {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: modelHandler(0, sent)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(ln)
	}()
	b.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return "http://" + ln.Addr().String() + "/v1"
}

// asModel is the only argument of this program when it is to be a scripted model.
const asModel = "as-model-server"

// beModel serves a scripted model until in ends, and writes its address to out. It returns the exit code.
func beModel(in io.Reader, out io.Writer) int {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_, _ = fmt.Fprintln(out, "http://"+ln.Addr().String())
	server := &http.Server{Handler: modelHandler(0, nil)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(ln)
	}()
	_, _ = io.Copy(io.Discard, in)
	_ = server.Close()
	<-done
	return 0
}

// modelProcess starts a scripted model in a process of its own, so that what it needs is not taken for what the asker
// needs. It returns where it is.
func modelProcess(b *testing.B) string {
	b.Helper()
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(program, asModel)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// waitingAt asks a scripted model how many are waiting for it.
func waitingAt(b *testing.B, server string) int {
	b.Helper()
	resp, err := http.Get(server + "/waiting")
	if err != nil {
		b.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		b.Fatal(err)
	}
	n, err := strconv.Atoi(string(text))
	if err != nil {
		b.Fatal(err)
	}
	return n
}
