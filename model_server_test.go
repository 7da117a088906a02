package sre_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sre-go/sre/effect"
)

// scriptedModel answers every request with the same few pieces, a while after it was asked. It does no more than that, and
// with little of the machine: it stands for one that is elsewhere. A path that begins with a number, /200/v1, tells how many
// milliseconds it waits, and /waiting how many have been asked and not answered.
type scriptedModel struct {
	sent        func() // called when the first piece is on its way, unless it is nil
	first, rest []byte // of an answer, as they are sent
	waiting     atomic.Int64

	ctx  context.Context // of all connections
	stop context.CancelFunc
	all  sync.WaitGroup
}

func newScriptedModel(sent func()) *scriptedModel {
	piece := func(content string) string {
		return `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"` + content + `"},"finish_reason":null}]}` + "\n\n"
	}
	chunk := func(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }
	first := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(piece("Hello"))
	rest := chunk(strings.Repeat(piece(" word"), 20)+`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\n"+
		`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":21,"total_tokens":26}}`+"\n\ndata: [DONE]\n\n") + chunk("")
	m := &scriptedModel{sent: sent, first: []byte(first), rest: []byte(rest)}
	m.ctx, m.stop = context.WithCancel(context.Background())
	return m
}

// serve answers what comes until ln is closed.
func (m *scriptedModel) serve(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		m.all.Go(func() {
			closing := context.AfterFunc(m.ctx, func() { _ = conn.Close() })
			defer closing()
			defer func() { _ = conn.Close() }()
			requests := bufio.NewReaderSize(conn, 2<<10)
			for m.answer(conn, requests) == nil {
			}
		})
	}
}

// close ends all connections and waits for them.
func (m *scriptedModel) close() {
	m.stop()
	m.all.Wait()
}

func (m *scriptedModel) answer(conn net.Conn, requests *bufio.Reader) error {
	req, err := http.ReadRequest(requests)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return err
	}
	if req.URL.Path == "/waiting" {
		n := strconv.FormatInt(m.waiting.Load(), 10)
		_, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(n), n)
		return err
	}
	if asked, _, _ := strings.Cut(req.URL.Path[1:], "/"); asked != "v1" {
		ms, err := strconv.Atoi(asked)
		if err != nil {
			return err
		}
		m.waiting.Add(1)
		err = effect.System{}.Sleep(m.ctx, time.Duration(ms)*time.Millisecond)
		m.waiting.Add(-1)
		if err != nil {
			return err
		}
	}
	if m.sent != nil {
		m.sent()
	}
	if _, err := conn.Write(m.first); err != nil {
		return err
	}
	_, err = conn.Write(m.rest)
	return err
}

// modelServer is a scripted model in this process.
func modelServer(b *testing.B, sent func()) string {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	m := newScriptedModel(sent)
	m.all.Go(func() { m.serve(ln) })
	b.Cleanup(func() {
		_ = ln.Close()
		m.close()
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
	m := newScriptedModel(nil)
	m.all.Go(func() { m.serve(ln) })
	_, _ = io.Copy(io.Discard, in)
	_ = ln.Close()
	m.close()
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
