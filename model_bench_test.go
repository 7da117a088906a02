package sre_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/value"
)

// modelServer answers every request with the same few pieces, a while after it was asked. sent is called when the first
// piece is on its way.
func modelServer(b *testing.B, latency time.Duration, sent func()) string {
	b.Helper()
	piece := func(content string) string {
		return `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"` + content + `"},"finish_reason":null}]}` + "\n\n"
	}
	first := piece("Hello")
	rest := strings.Repeat(piece(" word"), 20) + `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n" +
		`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":21,"total_tokens":26}}` + "\n\ndata: [DONE]\n\n"
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if latency > 0 {
			if err := (effect.System{}).Sleep(r.Context(), latency); err != nil {
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
	})}
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

const asker = `{"id":"asker","name":"Asker","components":[
	{"id":"EP","name":"APIEndpoint","data":{"endpoint":"ask"},"inputs":[{"name":"text","type":"Text"}],"outputs":[{"name":"body.text"}]},
	{"id":"L","name":"GenAILLM","data":{"model":"m","prompt":"{{text}}"},"inputs":[{"name":"text","type":"Text"}],"outputs":[{"name":"Reply","default":true}]},
	{"id":"OUT","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"reply","type":"Any"}],"outputs":[]}],
	"connections":[{"sourceId":"EP","sourceIndex":0,"targetId":"L","targetIndex":0},{"sourceId":"L","sourceIndex":0,"targetId":"OUT","targetIndex":0}]}`

// asking is a runtime whose agent asks the model server.
func askingAgent(b *testing.B, base string) *sre.Agent {
	b.Helper()
	dir := b.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "models"), 0o700); err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{
		"asker.smyth":   asker,
		"models/m.json": `{"m":{"provider":"OpenAI","modelId":"m","baseURL":"` + base + `","credentials":"none","tokens":100000,"completionTokens":1000,"prices":{"input":1,"output":2}}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	rt, err := sre.Start(b.Context(), std.Set(), sre.WithDir(dir))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := rt.Close(context.Background()); err != nil {
			b.Error(err)
		}
	})
	agent, err := rt.LoadFile(b.Context(), filepath.Join(dir, "asker.smyth"))
	if err != nil {
		b.Fatal(err)
	}
	return agent
}

func hello() value.Value { return value.Obj(value.M("text", value.Of("say hello"))) }

// BenchmarkModelRun is one run of an agent with GenAILLM against a server that answers at once; BenchmarkModelBare the
// same answer by the SDK alone. Server and client share the machine in both.
func BenchmarkModelRun(b *testing.B) {
	agent := askingAgent(b, modelServer(b, 0, nil))
	b.ReportAllocs()
	for b.Loop() {
		answer, err := agent.Call(b.Context(), "ask", hello())
		if err != nil || !strings.HasPrefix(answer.GetString("reply"), "Hello word") {
			b.Fatal(answer.JSON(), err)
		}
	}
}

func BenchmarkModelBare(b *testing.B) {
	ask := bare(modelServer(b, 0, nil))
	b.ReportAllocs()
	for b.Loop() {
		if err := ask(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// bare asks the server by the SDK alone.
func bare(base string) func(context.Context) error {
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16}
	client := openai.NewClient(option.WithBaseURL(base), option.WithAPIKey("none"), option.WithHTTPClient(&http.Client{Transport: transport}))
	return func(ctx context.Context) error {
		stream := client.Chat.Completions.NewStreaming(ctx, openai.ChatCompletionNewParams{
			Model: "m", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("say hello")},
			StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
		})
		text := ""
		for stream.Next() {
			for _, c := range stream.Current().Choices {
				text += c.Delta.Content
			}
		}
		if err := stream.Err(); err != nil || !strings.HasPrefix(text, "Hello word") {
			return fmt.Errorf("%q: %w", text, err)
		}
		return nil
	}
}

// BenchmarkModelInFlight starts a thousand runs at once against a model that takes 200 ms, and the same by the SDK alone.
// added-p50-ms is how much longer than that one in the middle takes, kB/run what each needs while it waits, heap and stacks, the
// server's side included.
func BenchmarkModelInFlight(b *testing.B) {
	b.Run("runs", func(b *testing.B) {
		agent := askingAgent(b, modelServer(b, inFlightLatency, nil))
		inFlight(b, func(ctx context.Context) error {
			_, err := agent.Call(ctx, "ask", hello())
			return err
		})
	})
	b.Run("bare", func(b *testing.B) { inFlight(b, bare(modelServer(b, inFlightLatency, nil))) })
}

const inFlightLatency = 200 * time.Millisecond

func inFlight(b *testing.B, ask func(context.Context) error) {
	const runs = 1000
	clock := effect.System{}
	var took []time.Duration
	memory := uint64(0)
	for b.Loop() {
		var before, during runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		times := make([]time.Duration, runs)
		var wg sync.WaitGroup
		for i := range runs {
			wg.Go(func() {
				start := clock.Now()
				if err := ask(b.Context()); err != nil {
					b.Error(err)
				}
				times[i] = clock.Now().Sub(start)
			})
		}
		_ = clock.Sleep(b.Context(), inFlightLatency/2)
		runtime.GC()
		runtime.ReadMemStats(&during)
		wg.Wait()
		took = append(took, times...)
		memory = max(memory, during.HeapAlloc+during.StackInuse-before.HeapAlloc-before.StackInuse)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2]-inFlightLatency)/1e6, "added-p50-ms")
	b.ReportMetric(float64(memory)/runs/1e3, "kB/run")
}

// BenchmarkModelFirstToken tells how long after the server sent the first piece of an answer it is told, as µs/first-token.
func BenchmarkModelFirstToken(b *testing.B) {
	clock := effect.System{}
	var mu sync.Mutex
	var at time.Time
	agent := askingAgent(b, modelServer(b, 0, func() {
		mu.Lock()
		at = clock.Now()
		mu.Unlock()
	}))
	var waits []time.Duration
	for b.Loop() {
		chat, err := agent.Chat(b.Context(), sre.ChatOptions{Model: "m"})
		if err != nil {
			b.Fatal(err)
		}
		first := true
		for e, err := range chat.Prompt(b.Context(), sre.Prompt{Text: "go"}) {
			if err != nil {
				b.Fatal(err)
			}
			if _, ok := e.(conversation.Text); ok && first {
				first = false
				mu.Lock()
				waits = append(waits, clock.Now().Sub(at))
				mu.Unlock()
			}
		}
	}
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)/2])/1e3, "µs/first-token")
	b.ReportMetric(float64(waits[len(waits)*99/100])/1e3, "µs/first-token-p99")
}
