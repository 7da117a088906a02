package sre_test

import (
	"context"
	"fmt"
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
	agent := askingAgent(b, modelServer(b, nil))
	b.ReportAllocs()
	for b.Loop() {
		answer, err := agent.Call(b.Context(), "ask", hello())
		if err != nil || !strings.HasPrefix(answer.GetString("reply"), "Hello word") {
			b.Fatal(answer.JSON(), err)
		}
	}
}

func BenchmarkModelBare(b *testing.B) {
	ask := bare(modelServer(b, nil))
	b.ReportAllocs()
	for b.Loop() {
		if err := ask(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// bare asks the server by the SDK alone, over a transport that keeps as many connections as runs need.
func bare(base string) func(context.Context) error {
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: inFlightRuns}
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

// BenchmarkModelInFlight keeps 500 and 1,000 runs in flight against a model that takes 200 ms and has a process of its own, and
// the same by the SDK alone. As many askers begin evenly over two seconds, so that they do not connect all at once, and
// each asks every 205 ms, or as soon as it has its answer when that took longer. The two seconds after that count.
// added-p50-ms is how much longer than the model one in the middle takes, in-flight how many there were on average.
func BenchmarkModelInFlight(b *testing.B) {
	for _, n := range []int{500, inFlightRuns} {
		b.Run(fmt.Sprintf("%d/runs", n), func(b *testing.B) { inFlight(b, n, agentAsks) })
		b.Run(fmt.Sprintf("%d/bare", n), func(b *testing.B) { inFlight(b, n, bareAsks) })
	}
}

// BenchmarkModelWaiting lets a thousand runs wait for a model in a process of its own, and the same by the SDK alone. kB/run
// is what one needs while it waits, heap and stacks.
func BenchmarkModelWaiting(b *testing.B) {
	b.Run("runs", func(b *testing.B) { waiting(b, agentAsks) })
	b.Run("bare", func(b *testing.B) { waiting(b, bareAsks) })
}

// inFlightRuns is how many at most, and inFlightLatency how long the model takes.
const (
	inFlightRuns    = 1000
	inFlightLatency = 200 * time.Millisecond
)

// asks is a way to ask a server.
type asks func(b *testing.B, base string) func(context.Context) error

func agentAsks(b *testing.B, base string) func(context.Context) error {
	agent := askingAgent(b, base)
	return func(ctx context.Context) error {
		_, err := agent.Call(ctx, "ask", hello())
		return err
	}
}

func bareAsks(_ *testing.B, base string) func(context.Context) error { return bare(base) }

func inFlight(b *testing.B, askers int, way asks) {
	const every = inFlightLatency + 5*time.Millisecond
	const ramp, counted = 2 * time.Second, 2 * time.Second
	server := modelProcess(b)
	ask := way(b, fmt.Sprintf("%s/%d/v1", server, inFlightLatency.Milliseconds()))
	clock := effect.System{}
	var mu sync.Mutex
	var took []time.Duration
	var busy time.Duration
	for b.Loop() {
		var wg sync.WaitGroup
		begin := clock.Now()
		from := begin.Add(ramp + inFlightLatency)
		end := from.Add(counted)
		for i := range askers {
			wg.Go(func() {
				var mine []time.Duration
				for next := begin.Add(ramp * time.Duration(i) / time.Duration(askers)); next.Before(end); next = next.Add(every) {
					if err := clock.Sleep(b.Context(), next.Sub(clock.Now())); err != nil {
						b.Error(err)
						return
					}
					next = clock.Now()
					if err := ask(b.Context()); err != nil {
						b.Error(err)
						return
					}
					if !next.Before(from) {
						mine = append(mine, clock.Now().Sub(next))
					}
				}
				mu.Lock()
				defer mu.Unlock()
				took = append(took, mine...)
			})
		}
		wg.Wait()
	}
	if b.Failed() {
		return
	}
	for _, d := range took {
		busy += d
	}
	whole := counted * time.Duration(b.N)
	slices.Sort(took)
	added := func(d time.Duration) float64 { return float64(d-inFlightLatency) / 1e6 }
	b.ReportMetric(added(took[len(took)/2]), "added-p50-ms")
	b.ReportMetric(added(took[len(took)*99/100]), "added-p99-ms")
	b.ReportMetric(float64(busy)/float64(whole), "in-flight")
	b.ReportMetric(float64(len(took))/whole.Seconds(), "runs/s")
}

func waiting(b *testing.B, way asks) {
	const latency = 3 * time.Second
	server := modelProcess(b)
	ask := way(b, fmt.Sprintf("%s/%d/v1", server, latency.Milliseconds()))
	once := way(b, server+"/1/v1")
	if err := once(b.Context()); err != nil { // what the first one makes for all is not counted
		b.Fatal(err)
	}
	clock := effect.System{}
	memory := uint64(0)
	for b.Loop() {
		before := inUse()
		var wg sync.WaitGroup
		for range inFlightRuns {
			wg.Go(func() {
				if err := ask(b.Context()); err != nil {
					b.Error(err)
				}
			})
		}
		start, all := clock.Now(), false
		for !all && clock.Now().Sub(start) < latency {
			if err := clock.Sleep(b.Context(), 10*time.Millisecond); err != nil {
				b.Fatal(err)
			}
			all = waitingAt(b, server) == inFlightRuns
		}
		memory = max(memory, inUse()-before)
		wg.Wait()
		if !all {
			b.Fatal("the runs never waited all at once")
		}
	}
	b.ReportMetric(float64(memory)/inFlightRuns/1e3, "kB/run")
}

// inUse is what the heap holds after a collection, and the stacks, in bytes.
func inUse() uint64 {
	runtime.GC()
	runtime.GC() // what pools keep goes with the second one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// BenchmarkModelFirstToken tells how long after the server sent the first piece of an answer it is told, as µs/first-token.
func BenchmarkModelFirstToken(b *testing.B) {
	clock := effect.System{}
	var mu sync.Mutex
	var at time.Time
	agent := askingAgent(b, modelServer(b, func() {
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
