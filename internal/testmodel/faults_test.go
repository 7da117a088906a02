package testmodel

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
)

const asked = `{"model":"m","messages":[{"role":"user","content":"x"}]}`

// paths are where each protocol is spoken, below the root, with a body that asks for a stream.
func paths() map[string]string {
	const stream = `{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}`
	return map[string]string{
		"/v1/chat/completions": stream, "/v1/messages": stream, "/v1/responses": `{"model":"m","stream":true,"input":"x"}`,
		"/model/m/converse-stream": asked,
	}
}

func TestF09_CutAtBytes(t *testing.T) {
	t.Parallel()
	for path, body := range paths() {
		whole, _ := start(t, `[{"reply":{"text":"one two"}}]`)
		_, all, err := post(t, whole.Root()+path, body)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, 1, 40, len(all) - 1} {
			s, _ := start(t, `[{"reply":{"text":"one two","cut_bytes":`+strconv.Itoa(n)+`}}]`)
			_, got, err := post(t, s.Root()+path, body)
			if got != all[:n] || err == nil {
				t.Errorf("%s cut at %d: %d bytes, %v; want %d bytes and an error", path, n, len(got), err, n)
			}
		}
		s, _ := start(t, `[{"reply":{"text":"one two","cut_bytes":`+strconv.Itoa(len(all))+`}}]`)
		if _, got, err := post(t, s.Root()+path, body); got != all || err != nil {
			t.Errorf("%s cut at its end: %d bytes, %v; want all %d", path, len(got), err, len(all))
		}
	}
}

// A stalled answer stands still until the client goes, and so the handler ends with it.
func TestF09_Stall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ reply, arrives string }{
		"before the first byte": {`{"text":"one two","stall":true}`, ""},
		"after a piece":         {`{"text":"one two","stall":true,"abort_after":1}`, "one"},
		"after bytes":           {`{"text":"one two","stall":true,"cut_bytes":30}`, "data:"},
		"a refusal":             {`{"error":{"status":500,"message":"no"},"stall":true}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules, err := ParseScript(parse(t, `[{"reply":`+c.reply+`}]`))
			if err != nil {
				t.Fatal(err)
			}
			seen := make(chan struct{}, 1)
			s, err := Serve(t.Context(), Config{Script: rules, Effects: effect.System{}, Seen: func(Exchange) { seen <- struct{}{} }})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+"/chat/completions", strings.NewReader(`{"stream":true,"messages":[]}`))
			if err != nil {
				t.Fatal(err)
			}
			client := &http.Transport{DisableKeepAlives: true}
			done := make(chan error, 1)
			var got strings.Builder
			arrived := make(chan struct{})
			go func(wanted string) {
				resp, err := client.RoundTrip(r)
				if err != nil {
					done <- err
					return
				}
				defer resp.Body.Close()
				buf := make([]byte, 4096)
				for {
					n, err := resp.Body.Read(buf)
					got.Write(buf[:n])
					if wanted != "" && strings.Contains(got.String(), wanted) {
						close(arrived)
						wanted = ""
					}
					if err != nil {
						done <- err
						return
					}
				}
			}(c.arrives)
			<-seen
			if c.arrives != "" {
				<-arrived
			}
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("the answer ended by itself: %v", err)
			}
			s.Close() // waits for the handler
		})
	}
}

func TestF10_Garbage(t *testing.T) {
	t.Parallel()
	s, _ := start(t, `[{"reply":{"body":"<html>oops</html>"}},{"reply":{"text":"never"}}]`)
	for path, body := range paths() {
		if status, got, err := post(t, s.Root()+path, body); status != 200 || got != "<html>oops</html>" || err != nil {
			t.Errorf("%s = %d %q, %v", path, status, got, err)
		}
	}
}

func TestF07_Refusals(t *testing.T) {
	t.Parallel()
	s, _ := start(t, `[{"reply":{"error":{"status":529,"message":"overloaded","type":"overloaded_error"},"retry_after":7}}]`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/messages", strings.NewReader(asked))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if want := `{"type":"error","error":{"type":"overloaded_error","message":"overloaded"}}`; resp.StatusCode != 529 || string(text) != want || err != nil || resp.Header.Get("Retry-After") != "7" {
		t.Errorf("answer = %d %s, Retry-After %q, %v", resp.StatusCode, text, resp.Header.Get("Retry-After"), err)
	}
}

// Each protocol has its own way to say in a stream that it failed.
func TestF09_ErrorInsideTheStream(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/v1/chat/completions": `data: {"error":{"message":"lost","type":"t"`, "/v1/messages": "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"t\",\"message\":\"lost\"}}\n\n",
		"/v1/responses": `data: {"error":{"message":"lost"`, "/model/m/converse-stream": `{"message":"lost"}`,
	} {
		s, _ := start(t, `[{"reply":{"text":"one two","error_after":1,"error":{"message":"lost","type":"t"}}}]`)
		_, got, err := post(t, s.Root()+path, paths()[path])
		if err != nil || !strings.Contains(got, "one") || strings.Contains(got, "two") || !strings.Contains(got, want) {
			t.Errorf("%s = %q, %v, want %q after one piece and nothing else", path, got, err, want)
		}
	}
}

func TestF09_NoReason(t *testing.T) {
	t.Parallel()
	for path, last := range map[string]string{"/v1/chat/completions": "DONE", "/v1/messages": "message_stop", "/v1/responses": "response.completed", "/model/m/converse-stream": "messageStop"} {
		s, _ := start(t, `[{"reply":{"text":"one","no_finish":true}}]`)
		_, got, err := post(t, s.Root()+path, paths()[path])
		if err != nil || !strings.Contains(got, "one") || strings.Contains(got, last) {
			t.Errorf("%s = %q, %v, want an end without %q", path, got, err, last)
		}
	}
}

func TestT50_HostileCalls(t *testing.T) {
	t.Parallel()
	s, _ := start(t, `[{"times":1,"reply":{"tools":[{"name":"f","args":{"n":"${count}"},"repeat":3},{"name":"g","args_bytes":100}]}},{"reply":{"text":"this is ${count}"}}]`)
	_, got, err := post(t, s.URL()+"/chat/completions", asked)
	if err != nil {
		t.Fatal(err)
	}
	calls := parse(t, got).Get("choices").At(0).Get("message").Get("tool_calls")
	if calls.Len() != 4 || calls.At(2).GetString("id") != "call_fake_3" || calls.At(0).Get("function").GetString("arguments") != `{"n":"1"}` || len(calls.At(3).Get("function").GetString("arguments")) != 100 {
		t.Errorf("calls = %s", calls.JSON())
	}
	if _, got, err = post(t, s.URL()+"/chat/completions", asked); err != nil || !strings.Contains(got, "this is 2") {
		t.Errorf("second answer = %s, %v", got, err)
	}
}

// kinds returns what a server with a seed does with requests.
func kinds(t *testing.T, seed uint64, n int) []string {
	t.Helper()
	rules, err := ParseScript(parse(t, `[{"chance":0.3,"reply":{"error":{"status":429,"message":"slow down"}}},{"reply":{"words":4}}]`))
	if err != nil {
		t.Fatal(err)
	}
	var seen []Exchange
	s, err := Serve(t.Context(), Config{Script: rules, Effects: effect.System{}, Seed: seed, Seen: func(x Exchange) { seen = append(seen, x) }})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for range n {
		_, text, err := post(t, s.URL()+"/chat/completions", asked)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, text)
	}
	s.Close()
	if len(seen) != n || seen[0].N != 1 || seen[0].Model != "m" || seen[0].Role != "user" || seen[0].Path != "/chat/completions" {
		t.Errorf("seen = %+v, want %d requests", seen, n)
	}
	return out
}

func TestSeed(t *testing.T) {
	t.Parallel()
	const n = 60
	first := kinds(t, 1, n)
	if !slices.Equal(first, kinds(t, 1, n)) {
		t.Error("the same seed gives other answers")
	}
	if slices.Equal(first, kinds(t, 2, n)) {
		t.Error("another seed gives the same answers")
	}
	refused := 0
	for _, text := range first {
		if strings.Contains(text, "slow down") {
			refused++
		}
	}
	if refused < n/10 || refused > n/2 {
		t.Errorf("%d of %d are refused, want about three of ten", refused, n)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]Faults{"negative latency": {Latency: -1}, "negative cut": {Cut: -1}, "status of success": {Status: 200}, "no status": {Status: 99}} {
		if err := f.Check(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want kind %v", name, err, fault.Invalid)
		}
	}
	rules, err := ParseScript(parse(t, `[{"reply":{"text":"fine","delay_ms":5}}]`))
	if err != nil {
		t.Fatal(err)
	}
	source := instant{slept: make(chan time.Duration, 4)}
	s, err := Start(t.Context(), rules.With(Faults{Latency: time.Second, Status: 503}), source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	status, got, err := post(t, s.URL()+"/chat/completions", asked)
	if slept := <-source.slept; err != nil || status != 503 || !strings.Contains(got, "refuses every request") || slept != 1005*time.Millisecond {
		t.Errorf("answer = %d %s, %v after %v", status, got, err, slept)
	}
	s.SetScript(Script{}.With(Faults{Cut: 3}))
	if _, got, err := post(t, s.URL()+"/chat/completions", asked); err == nil || len(got) != 3 {
		t.Errorf("cut answer = %q, %v", got, err)
	}
}

func TestExchange_Value(t *testing.T) {
	t.Parallel()
	x := Exchange{N: 2, Path: "/messages", Model: "m", Stream: true, Role: "tool", Rule: -1, Answer: "text"}
	if got, want := x.Value().JSON(), `{"request":2,"path":"/messages","model":"m","stream":true,"lastRole":"tool","rule":-1,"answer":"text"}`; got != want {
		t.Errorf("Value() = %s, want %s", got, want)
	}
	for want, r := range map[string]string{
		"close": `{"close":true}`, "body": `{"body":"x"}`, "error 429": `{"error":{"status":429}}`, "tools": `{"tools":[{"name":"f"}]}`, "text": `{"text":"x"}`,
		"text, stalls": `{"text":"x","stall":true}`, "text, cut": `{"text":"x","cut_bytes":1}`,
	} {
		s, err := ParseScript(parse(t, `[{"reply":`+r+`}]`))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.rules[0].reply.kind(); got != want {
			t.Errorf("kind of %s = %q, want %q", r, got, want)
		}
	}
}
