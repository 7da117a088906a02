package conversation

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// A provider that is busy is asked again when it wants to be, at most three times in all, and never waited for longer
// than two minutes, whatever it says.
func TestF07_BusyProvider(t *testing.T) {
	t.Parallel()
	const most = 121 * time.Second
	headers := []struct {
		name, retryAfter string
		least            time.Duration
	}{
		{"seven seconds", `7`, 7 * time.Second}, {"nothing", `""`, 0}, {"negative", `-1`, 0}, {"absurd", `1000000000`, 120 * time.Second},
		{"a date that is over", `"Mon, 23 Nov 2020 10:00:00 GMT"`, 0},
		{"a date far away", `"Fri, 31 Dec 9999 23:59:59 GMT"`, 120 * time.Second}, {"no number", `"NaN"`, 0},
	}
	everywhere(t, func(t *testing.T, protocol string) {
		for _, status := range []int{429, 529} {
			for _, h := range headers {
				w := overWire(t, protocol, fmt.Sprintf(`[{"times":2,"reply":{"error":{"status":%d,"message":"slow down"},"retry_after":%s}},{"reply":{"text":"fine"}}]`, status, h.retryAfter), nil)
				_, end, err := w.prompt(t.Context(), "go")
				if err != nil || end.Text != "fine" || w.server.Requests().Len() != 3 {
					t.Errorf("%d, Retry-After %s: %q, %v after %d requests, want an answer after 3", status, h.name, end.Text, err, w.server.Requests().Len())
				}
				for _, d := range w.waits.slept {
					if d < h.least || d > most {
						t.Errorf("%d, Retry-After %s: waited %s, want %s to %s", status, h.name, d, h.least, most)
					}
				}
			}
		}
		w := overWire(t, protocol, `[{"reply":{"error":{"status":429,"message":"slow down"},"retry_after":7}}]`, nil)
		_, _, err := w.prompt(t.Context(), "go")
		if !fault.Is(err, fault.RateLimited) || w.server.Requests().Len() != 3 {
			t.Errorf("always busy: %v after %d requests, want %v after 3", err, w.server.Requests().Len(), fault.RateLimited)
		}
	})
}

// A tool that was called is not called again because the provider failed afterwards.
func TestF08_ToolsRunOnce(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]string{
		"500": `"error":{"status":500,"message":"down"}`, "503": `"error":{"status":503,"message":"down"}`, "closed": `"close":true`, "page": `"body":"<html>down</html>","status":502`,
	} {
		everywhere(t, func(t *testing.T, protocol string) {
			w := overWire(t, protocol, `[{"when":{"last_role":"user"},"reply":{"tools":[{"name":"upper","args":{"text":"once"}}]}},{"times":2,"reply":{`+failure+`}},{"reply":{"text":"done"}}]`, nil)
			_, end, err := w.prompt(t.Context(), "go")
			if err != nil || end.Text != "done" {
				t.Errorf("%s: %q, %v, want an answer", name, end.Text, err)
			}
			if got := w.done(); !slices.Equal(got, []string{`{"text":"once"}`}) {
				t.Errorf("%s: the tool was called with %q, want once", name, got)
			}
		})
	}
}

// An answer that breaks off anywhere runs no tool, is never called complete, and leaves a conversation that goes on.
func TestF09_BrokenAnswerRunsNoTool(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, protocol string) {
		const asks = `"text":"I will","tools":[{"name":"upper","args":{"text":"never"}}]`
		var faults []string
		pieces := 4 // the text has two, the call at least two, or one where arguments do not come in pieces
		if protocol == "gemini" || protocol == "ollama" {
			pieces = 3
		}
		for n := range pieces + 1 {
			faults = append(faults, fmt.Sprintf(`"abort_after":%d`, n))
		}
		for n := 0; n < 300; n += 37 {
			faults = append(faults, fmt.Sprintf(`"cut_bytes":%d`, n))
		}
		faults = append(faults, `"no_finish":true`, `"error_after":3,"error":{"status":500,"message":"lost","type":"api_error"}`)
		for _, f := range faults {
			w := overWire(t, protocol, `[{"when":{"last_contains":"again"},"reply":{"text":"fine"}},{"reply":{`+asks+`,`+f+`}}]`, nil)
			_, _, err := w.prompt(t.Context(), "go")
			if err == nil || len(w.done()) > 0 {
				t.Errorf("%s: %v, the tool was called with %q; want an error and no call", f, err, w.done())
			}
			if _, end, err := w.prompt(t.Context(), "again"); err != nil || end.Text != "fine" {
				t.Errorf("%s: the next prompt = %q, %v", f, end.Text, err)
			}
		}
	})
}

// An answer that stands still is given up after the limit, and the provider notices.
func TestF09_StalledAnswer(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, protocol string) {
		for _, f := range []string{`"stall":true,"abort_after":1`, `"stall":true`} {
			w := overWire(t, protocol, `[{"reply":{"text":"one two three",`+f+`}}]`, func(_ *Config, l *limits.Limits) {
				l.ModelIdleTime, l.ModelFirstByteTime = 100*time.Millisecond, 100*time.Millisecond
			})
			_, _, err := w.prompt(t.Context(), "go")
			if fault.CodeOf(err) != llm.CodeStalled || !fault.Is(err, fault.Timeout) {
				t.Errorf("%s: %v (%s), want %s", f, err, fault.CodeOf(err), llm.CodeStalled)
			}
			if n := w.server.Requests().Len(); n > 1 { // on a busy machine the limit may come before the request
				t.Errorf("%s: asked %d times, want once: our patience is over", f, n)
			}
			w.server.Close() // waits for its handlers, which wait for the client to go away
		}
	})
}

// Whatever a provider sends with the status 200, an answer that is none is an error.
func TestF10_Garbage(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"a page": `"<html><body>Sign in to the network</body></html>"`, "nothing": `""`, "no JSON": `"{\"choices\":"`, "null": `"null"`, "an empty object": `"{}"`,
		"an empty list": `"[]"`, "NaN": `"{\"choices\":[{\"message\":{\"content\":NaN}}]}"`, "no choices": `"{\"choices\":[]}"`, "bytes": `"\u0000\u0001\u0002\u00ff"`,
	}
	everywhere(t, func(t *testing.T, protocol string) {
		for name, body := range bodies {
			for _, kind := range []string{"text/html", "application/json", "text/event-stream", "application/vnd.amazon.eventstream"} {
				w := overWire(t, protocol, `[{"reply":{"body":`+body+`,"content_type":"`+kind+`"}}]`, nil)
				_, end, err := w.prompt(t.Context(), "go")
				if err == nil {
					t.Errorf("%s as %s: an answer %+v, want an error", name, kind, end)
				}
				if got := w.roles(); got != "user" {
					t.Errorf("%s as %s: the history is %q, want the prompt alone", name, kind, got)
				}
			}
		}
	})
}

// Events in the middle of a stream that are no JSON, and a reason nobody knows, do not make an answer complete or crash.
func TestF10_StrangeStreams(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ protocol, stream string }{
		"broken event":     {"chat", `data: {"choices":[{"index":0,"delta":{"content":"a"}}]}` + "\n\n" + `data: {"choices":[{"index":` + "\n\n"},
		"choices of null":  {"chat", `data: {"choices":null}` + "\n\n" + `data: [DONE]` + "\n\n"},
		"done at once":     {"chat", "data: [DONE]\n\n"},
		"only comments":    {"chat", ": hello\n\n: there\n\n"},
		"index far away":   {"chat", `data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1000000000,"id":"x","function":{"name":"upper","arguments":"{"}}]}}]}` + "\n\n"},
		"index below zero": {"chat", `data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":-1,"id":"x","function":{"name":"upper","arguments":"{"}}]}}]}` + "\n\n"},
		"stop first":       {"anthropic", "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"},
		"delta of nothing": {"anthropic", "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":7,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}}\n\n"},
		"output of null":   {"responses", "event: response.output_item.done\ndata: {\"type\":\"response.output_item.done\",\"output_index\":3,\"item\":null}\n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := overWire(t, c.protocol, fmt.Sprintf(`[{"reply":{"body":%q,"content_type":"text/event-stream"}}]`, c.stream), nil)
			_, end, err := w.prompt(t.Context(), "go")
			if err == nil || len(w.done()) > 0 {
				t.Errorf("answer = %+v, %v, the tool was called with %q; want an error", end, err, w.done())
			}
		})
	}
	everywhere(t, func(t *testing.T, protocol string) {
		w := overWire(t, protocol, `[{"reply":{"text":"a","finish":"because"}}]`, nil)
		_, end, err := w.prompt(t.Context(), "go")
		if protocol == "responses" { // it has no reason but that it is complete
			return
		}
		if err != nil || end.Reason != llm.Unknown {
			t.Errorf("an unknown reason: %+v, %v, want %s", end, err, llm.Unknown)
		}
	})
}

// Who stops reading ends the request at the provider, also while the answer stands still; nothing is asked afterwards.
func TestF11_ReaderGoesAwayMidStream(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, protocol string) {
		w := overWire(t, protocol, `[{"reply":{"text":"one two three","stall":true,"abort_after":1}}]`, nil)
		heard := ""
		for e, err := range w.Prompt(t.Context(), Prompt{Text: "go"}) {
			if err != nil {
				t.Fatal(err)
			}
			if said, ok := e.(Text); ok {
				heard = said.Text
				break
			}
		}
		w.server.Close() // waits for the handler, which waits for the client to go away
		if strings.TrimSpace(heard) != "one" || w.server.Requests().Len() != 1 {
			t.Errorf("heard %q after %d requests, want the first word after one", heard, w.server.Requests().Len())
		}
	})
}
