package testmodel

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/value"
)

// instant is the system source with a clock that does not wait.
type instant struct {
	effect.System
	slept chan time.Duration
}

func (i instant) Sleep(ctx context.Context, d time.Duration) error {
	if d > 0 {
		i.slept <- d
	}
	return context.Cause(ctx)
}

func parse(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func start(t *testing.T, script string) (*Server, instant) {
	t.Helper()
	rules, err := ParseScript(parse(t, script))
	if err != nil {
		t.Fatal(err)
	}
	source := instant{slept: make(chan time.Duration, 16)}
	s, err := Start(t.Context(), rules, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, source
}

// post returns the status and what arrived of the body, and the error of an answer that broke off.
func post(t *testing.T, url, body string, headers ...string) (status int, text string, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return response.StatusCode, string(data), err
}

func TestServer_Whole(t *testing.T) {
	t.Parallel()
	s, _ := start(t, `[
		{"when":{"last_contains":"tools"},"reply":{"tools":[{"name":"f","args":{"b":1,"a":"x"}},{"id":"t2","name":"g","args":"no json"}]}},
		{"when":{"last_contains":"both"},"reply":{"text":"let me","tools":[{"name":"f","args":{}}],"finish":"odd"}},
		{"when":{"last_contains":"refuse"},"reply":{"error":{"status":429,"message":"slow down","type":"rate","code":"c"}}},
		{"when":{"last_contains":"fail"},"reply":{"error":{"message":"down"}}},
		{"when":{"last_contains":"echo"},"reply":{"echo":"messages"}},
		{"when":{"last_contains":"json"},"reply":{"json":{"k":[1,2]}}}]`)
	const head = `{"id":"chatcmpl-fake","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,"message":`
	const tail = `}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}`
	const responseHead = `{"id":"resp_fake","object":"response","created_at":1700000000,"model":"m","status":"completed","output":[`
	const responseTail = `,"usage":{"input_tokens":10,"output_tokens":5,"total_tokens":15}}`
	const messageHead = `{"id":"msg_fake","type":"message","role":"assistant","model":"m","content":[`
	const messageTail = `,"stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0}}`
	for name, c := range map[string]struct {
		path, say string
		status    int
		want      string
	}{
		"chat":             {"/chat/completions", "x", 200, head + `{"role":"assistant","content":"OK"},"finish_reason":"stop"` + tail},
		"chat, tools":      {"/chat/completions", "tools", 200, head + `{"role":"assistant","content":null,"tool_calls":[{"id":"call_fake_1","type":"function","function":{"name":"f","arguments":"{\"b\":1,\"a\":\"x\"}"}},{"id":"t2","type":"function","function":{"name":"g","arguments":"no json"}}]},"finish_reason":"tool_calls"` + tail},
		"chat, both":       {"/chat/completions", "both", 200, head + `{"role":"assistant","content":"let me","tool_calls":[{"id":"call_fake_1","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"odd"` + tail},
		"chat, refused":    {"/chat/completions", "refuse", 429, `{"error":{"message":"slow down","type":"rate","code":"c","param":null}}`},
		"chat, failed":     {"/chat/completions", "fail", 500, `{"error":{"message":"down","param":null}}`},
		"chat, echo":       {"/chat/completions", "echo", 200, head + `{"role":"assistant","content":"[{\"role\":\"user\",\"content\":\"echo\"}]"},"finish_reason":"stop"` + tail},
		"chat, JSON":       {"/chat/completions", "json", 200, head + `{"role":"assistant","content":"{\"k\":[1,2]}"},"finish_reason":"stop"` + tail},
		"responses":        {"/responses", "x", 200, responseHead + `{"id":"msg_fake","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"OK","annotations":[]}]}],"output_text":"OK"` + responseTail},
		"responses, tools": {"/responses", "both", 200, responseHead + `{"id":"msg_fake","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"let me","annotations":[]}]},{"id":"fc_fake_1","type":"function_call","status":"completed","call_id":"call_fake_1","name":"f","arguments":"{}"}],"output_text":"let me"` + responseTail},
		"anthropic":        {"/messages", "x", 200, messageHead + `{"type":"text","text":"OK"}],"stop_reason":"end_turn"` + messageTail},
		"anthropic, tools": {"/messages", "tools", 200, messageHead + `{"type":"tool_use","id":"call_fake_1","name":"f","input":{"b":1,"a":"x"}},{"type":"tool_use","id":"t2","name":"g","input":{}}],"stop_reason":"tool_use"` + messageTail},
		"anthropic, fails": {"/messages", "fail", 500, `{"type":"error","error":{"type":"api_error","message":"down"}}`},
		"unknown path":     {"/chat", "x", 404, `{"error":{"message":"no such route","param":null}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			member := "messages"
			if c.path == "/responses" {
				member = "input"
			}
			status, got, err := post(t, s.URL()+c.path, `{"model":"m","`+member+`":[{"role":"user","content":"`+c.say+`"}]}`)
			if err != nil || status != c.status || got != c.want {
				t.Errorf("answer = %d %s, %v\nwant %d %s", status, got, err, c.status, c.want)
			}
		})
	}
}

func TestServer_Streams(t *testing.T) {
	t.Parallel()
	s, _ := start(t, `[{"reply":{"text":"a b","tools":[{"name":"f","args":{"x":1}}]}}]`)
	frame := func(choices string) string {
		return `data: {"id":"chatcmpl-fake","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":` + choices + "}\n\n"
	}
	delta := func(d string) string { return frame(`[{"index":0,"delta":` + d + `,"finish_reason":null}]`) }
	event := func(name, members string) string {
		return "event: " + name + "\ndata: {\"type\":\"" + name + "\"" + members + "}\n\n"
	}
	for name, c := range map[string]struct{ path, options, want string }{
		"chat": {"/chat/completions", `,"stream_options":{"include_usage":true}`,
			delta(`{"role":"assistant","content":""}`) + delta(`{"content":"a "}`) + delta(`{"content":"b"}`) +
				delta(`{"tool_calls":[{"index":0,"id":"call_fake_1","type":"function","function":{"name":"f","arguments":""}}]}`) +
				delta(`{"tool_calls":[{"index":0,"function":{"arguments":"{\"x"}}]}`) +
				delta(`{"tool_calls":[{"index":0,"function":{"arguments":"\":1}"}}]}`) +
				frame(`[{"index":0,"delta":{},"finish_reason":"tool_calls"}]`) +
				frame(`[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}`) + "data: [DONE]\n\n"},
		"responses": {"/responses", "",
			event("response.created", `,"sequence_number":0,"response":{"id":"resp_fake","object":"response","created_at":1700000000,"model":"m","status":"in_progress","output":[]}`) +
				event("response.output_item.added", `,"sequence_number":1,"output_index":0,"item":{"id":"msg_fake","type":"message","role":"assistant","status":"in_progress","content":[]}`) +
				event("response.output_text.delta", `,"sequence_number":2,"item_id":"msg_fake","output_index":0,"content_index":0,"delta":"a "`) +
				event("response.output_text.delta", `,"sequence_number":3,"item_id":"msg_fake","output_index":0,"content_index":0,"delta":"b"`) +
				event("response.output_text.done", `,"sequence_number":4,"item_id":"msg_fake","output_index":0,"content_index":0,"text":"a b"`) +
				event("response.output_item.done", `,"sequence_number":5,"output_index":0,"item":{"id":"msg_fake","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"a b","annotations":[]}]}`) +
				event("response.output_item.added", `,"sequence_number":6,"output_index":1,"item":{"id":"fc_fake_1","type":"function_call","status":"in_progress","call_id":"call_fake_1","name":"f","arguments":""}`) +
				event("response.function_call_arguments.delta", `,"sequence_number":7,"item_id":"fc_fake_1","output_index":1,"delta":"{\"x"`) +
				event("response.function_call_arguments.delta", `,"sequence_number":8,"item_id":"fc_fake_1","output_index":1,"delta":"\":1}"`) +
				event("response.function_call_arguments.done", `,"sequence_number":9,"item_id":"fc_fake_1","output_index":1,"name":"f","arguments":"{\"x\":1}"`) +
				event("response.output_item.done", `,"sequence_number":10,"output_index":1,"item":{"id":"fc_fake_1","type":"function_call","status":"completed","call_id":"call_fake_1","name":"f","arguments":"{\"x\":1}"}`) +
				event("response.completed", `,"sequence_number":11,"response":{"id":"resp_fake","object":"response","created_at":1700000000,"model":"m","status":"completed","output":[{"id":"msg_fake","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"a b","annotations":[]}]},{"id":"fc_fake_1","type":"function_call","status":"completed","call_id":"call_fake_1","name":"f","arguments":"{\"x\":1}"}],"output_text":"a b","usage":{"input_tokens":10,"output_tokens":5,"total_tokens":15}}`)},
		"anthropic": {"/messages", "",
			event("message_start", `,"message":{"id":"msg_fake","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0}}`) +
				event("content_block_start", `,"index":0,"content_block":{"type":"text","text":""}`) +
				event("content_block_delta", `,"index":0,"delta":{"type":"text_delta","text":"a "}`) +
				event("content_block_delta", `,"index":0,"delta":{"type":"text_delta","text":"b"}`) +
				event("content_block_stop", `,"index":0`) +
				event("content_block_start", `,"index":1,"content_block":{"type":"tool_use","id":"call_fake_1","name":"f","input":{}}`) +
				event("content_block_delta", `,"index":1,"delta":{"type":"input_json_delta","partial_json":"{\"x"}`) +
				event("content_block_delta", `,"index":1,"delta":{"type":"input_json_delta","partial_json":"\":1}"}`) +
				event("content_block_stop", `,"index":1`) +
				event("message_delta", `,"delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":5}`) +
				event("message_stop", "")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, got, err := post(t, s.URL()+c.path, `{"model":"m","stream":true`+c.options+`,"messages":[]}`)
			if err != nil || status != 200 || got != c.want {
				t.Errorf("answer = %d, %v\n%s\nwant\n%s", status, err, got, c.want)
			}
		})
	}
}

func TestServer_Breaks(t *testing.T) {
	t.Parallel()
	s, source := start(t, `[
		{"times":1,"reply":{"close":true}},
		{"times":1,"reply":{"chunks":["one","two","three"],"abort_after":2,"chunk_delay_ms":5,"delay_ms":70}},
		{"times":1,"reply":{"text":"one","abort_after":1}}]`)
	const stream = `{"stream":true,"messages":[]}`
	if _, got, err := post(t, s.URL()+"/chat/completions", stream); err == nil {
		t.Errorf("closed connection answered %q", got)
	}
	_, got, err := post(t, s.URL()+"/chat/completions", stream)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(got, `"two"`) || strings.Contains(got, "three") {
		t.Errorf("aborted stream = %q, %v; want two of three pieces and %v", got, err, io.ErrUnexpectedEOF)
	}
	for _, want := range []time.Duration{70 * time.Millisecond, 5 * time.Millisecond} {
		if got := <-source.slept; got != want {
			t.Errorf("slept %v, want %v", got, want)
		}
	}
	if _, got, err = post(t, s.URL()+"/chat/completions", stream); err == nil || !strings.Contains(got, `"one"`) || strings.Contains(got, "DONE") {
		t.Errorf("stream aborted at its end = %q, %v", got, err)
	}
	if _, got, err = post(t, s.URL()+"/chat/completions", stream); err != nil || !strings.Contains(got, `"OK"`) {
		t.Errorf("when all rules are used up: %q, %v; want OK", got, err)
	}
}

func TestServer_Requests(t *testing.T) {
	t.Parallel()
	s, _ := start(t, `[]`)
	for _, r := range []struct{ path, body, header, secret string }{
		{"/chat/completions", `{"model":"a","messages":[]}`, "Authorization", "Bearer k"},
		{"/messages", `{"model":"b"}`, "X-Api-Key", "k2"},
		{"/embeddings", `{"input":"x","dimensions":2}`, "X-Other", "k3"},
		{"/responses", `{broken`, "Authorization", "Bearer k"},
	} {
		if _, _, err := post(t, s.URL()+r.path, r.body, r.header, r.secret); err != nil {
			t.Fatal(err)
		}
	}
	want := `[{"path":"/chat/completions","authorization":"Bearer k","body":{"model":"a","messages":[]}},` +
		`{"path":"/messages","authorization":"k2","body":{"model":"b"}},` +
		`{"path":"/embeddings","body":{"input":"x","dimensions":2}},` +
		`{"path":"/responses","authorization":"Bearer k","body":"{broken"}]`
	if got := s.Requests().JSON(); got != want {
		t.Errorf("Requests() = %s\nwant %s", got, want)
	}
}
