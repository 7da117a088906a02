package googlellm_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/googlellm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	s := server(t, `[{"reply":{"text":"one two three","chunk_delay_ms":1}}]`)
	llmtest.Run(t, googlellm.Gemini, llmtest.Subject{Setup: setup(t, s.Root()), Model: "flash", Prompt: "go", Answer: "one two three"})
}

func TestSuite_Vertex(t *testing.T) {
	t.Parallel()
	s := server(t, `[{"reply":{"text":"one two three","chunk_delay_ms":1}}]`)
	llmtest.Run(t, googlellm.Vertex, llmtest.Subject{Setup: setup(t, s.Root()), Model: "cloud", Prompt: "go", Answer: "one two three"})
}

// recorded is an answer in the form of https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent, with
// the ends of lines that the provider sends.
var recorded = strings.ReplaceAll(`data: {"candidates":[{"content":{"parts":[{"text":"hm","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":12,"totalTokenCount":14},"modelVersion":"gemini-2.5-flash"}

data: {"candidates":[{"content":{"parts":[{"text":"grüß "}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":12,"cachedContentTokenCount":4,"candidatesTokenCount":2}}

data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"pay","args":{"eur":5}},"thoughtSignature":"c2ln"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":12,"candidatesTokenCount":5}}

data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":12,"cachedContentTokenCount":4,"candidatesTokenCount":7,"thoughtsTokenCount":3,"totalTokenCount":22}}

`, "\n", "\r\n")

func TestWire(t *testing.T) {
	t.Parallel()
	llmtest.RunWire(t, googlellm.Gemini, llmtest.Subject{Setup: setup(t, "http://provider.test"), Model: "flash", Prompt: "go"}, llmtest.Wire{
		ContentType: "text/event-stream", Stream: []byte(recorded), Whole: len(recorded) - 1,
		Client: func(rt http.RoundTripper) *http.Client { return &http.Client{Transport: rt} },
	})
}

func TestRequest(t *testing.T) {
	t.Parallel()
	warm, k := 0.5, 3
	talk := []llm.Message{
		llm.Say(llm.System, "s"),
		{Role: llm.User, Content: []llm.Content{llm.Text{Text: "look"}, llm.File{MIME: "image/png", Data: []byte("x")}}},
		{Role: llm.Assistant, Content: []llm.Content{llm.Thinking{Text: "hm"}, llm.Text{Text: "I call"},
			llm.ToolCall{ID: "c", Name: "pay", Arguments: `{"eur":5}`, Signature: "c2ln"}, llm.ToolCall{ID: "call_D", Name: "1 ask!", Arguments: "nonsense"}}},
		{Role: llm.Tool, Content: []llm.Content{llm.ToolResult{CallID: "c", Name: "pay", Text: "no", Failed: true}}},
		{Role: llm.Tool, Content: []llm.Content{llm.ToolResult{CallID: "call_D", Name: "1 ask!", Text: "[1]"}}},
	}
	pay := []llm.ToolSpec{
		{Name: "pay", Description: "pays", Parameters: parse(t, `{"type":"object","additionalProperties":false,"properties":{"eur":{"type":"number"}},"required":["eur"]}`)},
		{Name: "1 ask!", Parameters: parse(t, `{"type":"object","properties":{}}`)},
	}
	const said = `[{"parts":[{"text":"look"},{"inlineData":{"data":"eA==","mimeType":"image/png"}}],"role":"user"},` +
		`{"parts":[{"text":"I call"},{"functionCall":{"args":{"eur":5},"id":"c","name":"pay"},"thoughtSignature":"c2ln"},{"functionCall":{"args":{},"name":"_1_ask_"}}],"role":"model"},` +
		`{"parts":[{"functionResponse":{"id":"c","name":"pay","response":{"error":"no"}}},{"functionResponse":{"name":"_1_ask_","response":{"result":[1]}}}],"role":"user"}]`
	const tools = `[{"functionDeclarations":[{"description":"pays","name":"pay","parameters":{"properties":{"eur":{"type":"NUMBER"}},"propertyOrdering":["eur"],"required":["eur"],"type":"OBJECT"}},{"name":"_1_ask_"}]}]`
	const hi = `"contents":[{"parts":[{"text":"hi"}],"role":"user"}]`
	thinking := func(effort string, n int) llm.Reasoning { return llm.Reasoning{On: true, Effort: effort, MaxTokens: n} }
	tests := []struct {
		name string
		req  llm.Request
		want string
	}{
		{"plain", llm.Request{Messages: say("hi")}, `{` + hi + `,"generationConfig":{"maxOutputTokens":5}}`},
		{"everything", llm.Request{Messages: talk, Tools: pay, ToolChoice: llm.Required, Temperature: &warm, TopP: &warm, TopK: &k, Seed: &k, Stop: []string{"END"}},
			`{"contents":` + said + `,"generationConfig":{"maxOutputTokens":5,"seed":3,"stopSequences":["END"],"temperature":0.5,"topK":3,"topP":0.5},"systemInstruction":{"parts":[{"text":"s"}]},"toolConfig":{"functionCallingConfig":{"mode":"ANY"}},"tools":` + tools + `}`},
		{"one tool", llm.Request{Messages: say("hi"), Tools: pay[1:], ToolChoice: "1 ask!"},
			`{` + hi + `,"generationConfig":{"maxOutputTokens":5},"toolConfig":{"functionCallingConfig":{"allowedFunctionNames":["_1_ask_"],"mode":"ANY"}},"tools":[{"functionDeclarations":[{"name":"_1_ask_"}]}]}`},
		{"search", llm.Request{Messages: say("hi"), Search: &llm.Search{}}, `{` + hi + `,"generationConfig":{"maxOutputTokens":5},"tools":[{"googleSearch":{}}]}`},
		{"thinking by tokens", llm.Request{Messages: say("hi"), Reasoning: thinking("", 100)}, `{` + hi + `,"generationConfig":{"maxOutputTokens":5,"thinkingConfig":{"includeThoughts":true,"thinkingBudget":100}}}`},
		{"thinking by effort", llm.Request{Messages: say("hi"), Reasoning: thinking("low", 0)}, `{` + hi + `,"generationConfig":{"maxOutputTokens":5,"thinkingConfig":{"includeThoughts":true,"thinkingBudget":1024}}}`},
		{"thinking by level", llm.Request{Model: "three", Messages: say("hi"), Reasoning: thinking("high", 0)}, `{` + hi + `,"generationConfig":{"maxOutputTokens":5,"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"high"}}}`},
		{"the user comes first, and nothing is empty", llm.Request{Messages: []llm.Message{llm.Say(llm.Assistant, "a"), llm.Say(llm.User, "")}},
			`{"contents":[{"parts":[{"text":"continue"}],"role":"user"},{"parts":[{"text":"a"}],"role":"model"},{"parts":[{"text":"..."}],"role":"user"}],"generationConfig":{"maxOutputTokens":5}}`},
		{"a call of another model", llm.Request{Model: "three", Messages: append(say("hi"), llm.Message{Role: llm.Assistant, Content: []llm.Content{llm.ToolCall{Name: "a", Arguments: "{}"}, llm.ToolCall{Name: "b", Arguments: "{}"}}})},
			`{"contents":[{"parts":[{"text":"hi"}],"role":"user"},{"parts":[{"functionCall":{"args":{},"name":"a"},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"args":{},"name":"b"}}],"role":"model"}],"generationConfig":{"maxOutputTokens":5}}`},
		{"a text that was signed", llm.Request{Messages: append(say("hi"), llm.Message{Role: llm.Assistant, Content: []llm.Content{llm.Text{Text: "a"}, llm.Text{Text: "b", Signature: "c2ln"}, llm.Text{Signature: "YWdhaW4="}, llm.Text{}}})},
			`{"contents":[{"parts":[{"text":"hi"}],"role":"user"},{"parts":[{"text":"a"},{"text":"b","thoughtSignature":"c2ln"},{"text":"","thoughtSignature":"YWdhaW4="}],"role":"model"}],"generationConfig":{"maxOutputTokens":5}}`},
		{"what only this one knows", llm.Request{Messages: say("hi"), Extra: parse(t, `{"cachedContent":"c","generationConfig":{"mediaResolution":"LOW"}}`)},
			`{"cachedContent":"c",` + hi + `,"generationConfig":{"maxOutputTokens":5,"mediaResolution":"LOW"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.req.MaxTokens = 5
			sent, _, err := ask(t, `[{"reply":{"text":"fine"}}]`, tt.req)
			if err != nil {
				t.Fatal(err)
			}
			if got := sent.Get("body").Canonical(); got != tt.want {
				t.Errorf("sent\n%s\nwant\n%s", got, tt.want)
			}
			if got := sent.GetString("authorization"); got != "canary-key" {
				t.Errorf("the key arrived as %q", got)
			}
		})
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	form := llm.Format{JSON: true, Schema: parse(t, `{"type":"object","properties":{"a":{"type":["string","null"]}}}`)}
	sent, _, err := ask(t, `[{"reply":{"text":"{}"}}]`, llm.Request{Messages: say("x"), Format: form, MaxTokens: 5})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"maxOutputTokens":5,"responseMimeType":"application/json","responseSchema":{"properties":{"a":{"nullable":true,"type":"STRING"}},"propertyOrdering":["a"],"type":"OBJECT"}}`
	if got := sent.Get("body").Get("generationConfig").Canonical(); got != want {
		t.Errorf("generationConfig = %s, want %s", got, want)
	}
	sent, _, err = ask(t, `[{"reply":{"text":"{}"}}]`, llm.Request{Messages: say("x"), Format: form, MaxTokens: 5, Tools: []llm.ToolSpec{{Name: "a"}}})
	if got := sent.Get("body").Get("generationConfig").Canonical(); err != nil || got != `{"maxOutputTokens":5}` {
		t.Errorf("with tools: generationConfig = %s, %v, want no form", got, err)
	}
}

// over asks when the provider answers with these events.
func over(t *testing.T, events ...string) (*llm.Response, error) {
	t.Helper()
	body := ""
	for _, e := range events {
		body += "data: " + e + "\n\n"
	}
	s := setup(t, "http://provider.test")
	s.HTTP = &http.Client{Transport: bytesOf(body)}
	return llm.Collect(open(t, s).Stream(t.Context(), llm.Request{Model: "flash", Messages: say("x"), Tools: []llm.ToolSpec{{Name: "1 ask!"}}}))
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	got, err := over(t,
		`{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"Here"}]}}]}`,
		`{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"eA=="}},{"inlineData":{"mimeType":"image/png","data":"eQ=="},"thought":true}]}}]}`,
		`{"candidates":[{"content":{"parts":[{"functionCall":{"id":"7","name":"_1_ask_","args":{"a":1}},"thoughtSignature":"c2ln"}]},"groundingMetadata":{"webSearchQueries":["a","b"]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":12,"cachedContentTokenCount":4,"candidatesTokenCount":7,"thoughtsTokenCount":3}}`,
	)
	if err != nil {
		t.Fatal(err)
	}
	if got.Text != "Here" || len(got.Thinking) != 1 || got.Thinking[0].Text != "hm" || len(got.Images) != 1 || string(got.Images[0].Data) != "x" {
		t.Errorf("answer = %+v", got)
	}
	if want := (llm.ToolCall{ID: "7", Name: "1 ask!", Arguments: `{"a":1}`, Signature: "c2ln"}); len(got.Calls) != 1 || got.Calls[0] != want {
		t.Errorf("calls = %+v, want %+v", got.Calls, want)
	}
	if want := (llm.Usage{Input: 8, CacheRead: 4, Output: 10, Thinking: 3, Images: 1, Searches: 2}); got.Usage != want {
		t.Errorf("usage = %+v, want %+v", got.Usage, want)
	}
	if got.Finish.Reason != llm.ToolCalls || got.Finish.Raw != "STOP" {
		t.Errorf("finish = %+v, want %s", got.Finish, llm.ToolCalls)
	}
}

func TestFinish(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]llm.Reason{
		"STOP": llm.Stop, "MAX_TOKENS": llm.Length, "SAFETY": llm.ContentFilter, "RECITATION": llm.ContentFilter, "PROHIBITED_CONTENT": llm.ContentFilter,
		"IMAGE_SAFETY": llm.ContentFilter, "MALFORMED_FUNCTION_CALL": llm.Failed, "UNEXPECTED_TOOL_CALL": llm.Failed, "OTHER": llm.Unknown,
	} {
		got, err := over(t, fmt.Sprintf(`{"candidates":[{"finishReason":%q}]}`, raw))
		if err != nil || got.Finish.Reason != want || got.Finish.Raw != raw {
			t.Errorf("%s: finish = %+v, %v, want %s", raw, got.Finish, err, want)
		}
	}
	got, err := over(t, `{"promptFeedback":{"blockReason":"OTHER"}}`)
	if err != nil || got.Finish.Reason != llm.ContentFilter {
		t.Errorf("a prompt that is blocked: %+v, %v, want %s", got.Finish, err, llm.ContentFilter)
	}
	if got, err := over(t, `{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"FINISH_REASON_UNSPECIFIED"}]}`); fault.CodeOf(err) != llm.CodeCut {
		t.Errorf("an end without a reason: %+v, %v, want %s", got, err, llm.CodeCut)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, script, model string
		kind                fault.Kind
		text                string
	}{
		{"refused", `[{"reply":{"error":{"status":400,"message":"bad request","type":"INVALID_ARGUMENT"}}}]`, "", fault.Invalid, "400 bad request"},
		{"wrong key", `[{"reply":{"status":400,"content_type":"application/json","body":"{\"error\":{\"code\":400,\"message\":\"API key not valid.\",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"API_KEY_INVALID\"}]}}"}}]`, "", fault.Unauthenticated, "sre vault set googleai"},
		{"not allowed", `[{"reply":{"error":{"status":403,"message":"denied"}}}]`, "", fault.Unauthenticated, "sre vault set googleai"},
		{"not allowed in the cloud", `[{"reply":{"error":{"status":403,"message":"denied"}}}]`, "cloud", fault.Unauthenticated, "roles/aiplatform.user"},
		{"wrong token", `[{"reply":{"error":{"status":401,"message":"old"}}}]`, "cloud", fault.Unauthenticated, "sre vault set"},
		{"no such model", `[{"reply":{"error":{"status":404,"message":"models/x is not found"}}}]`, "", fault.NotFound, "gemini-2.5-flash"},
		{"busy", `[{"reply":{"error":{"status":429,"message":"quota"}}}]`, "", fault.RateLimited, "fallback"},
		{"broken", `[{"reply":{"error":{"status":503,"message":"overloaded"}}}]`, "", fault.Unavailable, "overloaded"},
		{"broken on the way", `[{"reply":{"text":"a b c","error":{"status":503,"message":"overloaded"},"error_after":2}}]`, "", fault.Unavailable, "overloaded"},
		{"no connection", `[{"reply":{"close":true}}]`, "", fault.Unavailable, "Connection error."},
		{"cut", `[{"reply":{"text":"a b c d","abort_after":2}}]`, "", fault.Unavailable, ""},
		{"no end", `[{"reply":{"text":"a b c d","no_finish":true}}]`, "", fault.Unavailable, "not complete"},
		{"no key", `[]`, "keyless", fault.Unauthenticated, "store the key googleai"},
		{"no key in the cloud", `[]`, "vault", fault.Unauthenticated, "sre vault set vertexai"},
		{"no project", `[]`, "lost", fault.Invalid, "projectId"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := ask(t, tt.script, llm.Request{Model: tt.model, Messages: say("x")})
			if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v (%v), want %v %q", err, fault.KindOf(err), tt.kind, tt.text)
			}
		})
	}
}

// A proof that comes with a text, or after it, goes back with the next turn just there.
func TestSignedText(t *testing.T) {
	t.Parallel()
	const text, signed = `{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}`, `{"candidates":[{"content":{"parts":[{"text":"%s","thoughtSignature":"c2ln"}]},"finishReason":"STOP"}]}`
	tests := []struct {
		name   string
		events []string
		want   string // parts of the message
	}{
		{"in the last piece", []string{text, text, fmt.Sprintf(signed, "b")}, `[{"text":"aa"},{"text":"b","thoughtSignature":"c2ln"}]`},
		{"after the last piece", []string{text, text, fmt.Sprintf(signed, "")}, `[{"text":"aa"},{"text":"","thoughtSignature":"c2ln"}]`},
		{"at once", []string{fmt.Sprintf(signed, "all")}, `[{"text":"all","thoughtSignature":"c2ln"}]`},
		{"a thought needs none", []string{`{"candidates":[{"content":{"parts":[{"text":"hm","thought":true,"thoughtSignature":"x"},{"text":"","thought":true,"thoughtSignature":"x"}]}}]}`, fmt.Sprintf(signed, "b")},
			`[{"text":"b","thoughtSignature":"c2ln"}]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			answer, err := over(t, tt.events...)
			if err != nil {
				t.Fatal(err)
			}
			sent, _, err := ask(t, `[{"reply":{"text":"fine"}}]`, llm.Request{Messages: append(say("hi"), answer.Message(), say("and?")[0])})
			if err != nil {
				t.Fatal(err)
			}
			if got := sent.Get("body").Get("contents").At(1).Get("parts").Canonical(); got != tt.want {
				t.Errorf("sent back\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestRetryDelay(t *testing.T) {
	t.Parallel()
	const busy = `{"error":{"code":429,"message":"quota","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}]}}`
	_, err := over(t, busy)
	if wait, ok := llm.RetryAfter(err); !ok || wait.Seconds() != 7 || !fault.Is(err, fault.RateLimited) {
		t.Errorf("RetryAfter(%v) = %s, %t, want 7s", err, wait, ok)
	}
}

// A caller that goes away ends the request at the provider, also while the answer stands still.
func TestF11_ClientGone(t *testing.T) {
	t.Parallel()
	s := server(t, `[{"reply":{"text":"one two three","abort_after":2,"stall":true}}]`)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	gone := errors.New("gone")
	var got error
	for p, err := range open(t, setup(t, s.Root())).Stream(ctx, llm.Request{Model: "flash", Messages: say("x")}) {
		if got = err; p != nil {
			cancel(gone)
		}
	}
	if !errors.Is(got, gone) {
		t.Errorf("error = %v, want %v", got, gone)
	}
	s.Close() // waits for the handler, which waits for the client to go
}

func TestEmbed(t *testing.T) {
	t.Parallel()
	for _, model := range []string{"flash", "cloud"} {
		s := server(t, `[]`)
		got, err := open(t, setup(t, s.Root())).Embed(t.Context(), llm.EmbedRequest{Model: model, Texts: []string{"a b", "a"}, Dimensions: 8})
		if err != nil || len(got.Vectors) != 2 || len(got.Vectors[0]) != 8 {
			t.Fatalf("%s: Embed = %v, %v", model, got, err)
		}
		for _, v := range got.Vectors {
			sum := 0.0
			for _, f := range v {
				sum += float64(f) * float64(f)
			}
			if math.Abs(sum-1) > 1e-6 {
				t.Errorf("%s: a vector has the length %v, want 1", model, math.Sqrt(sum))
			}
		}
		want := `{"requests":[{"content":{"parts":[{"text":"a b"}]},"model":"models/gemini-2.5-flash","outputDimensionality":8},{"content":{"parts":[{"text":"a"}]},"model":"models/gemini-2.5-flash","outputDimensionality":8}]}`
		if model == "cloud" {
			want = `{"instances":[{"content":"a b"}],"parameters":{"outputDimensionality":8}}`
		}
		if got := s.Requests().At(0).Get("body").Canonical(); got != want {
			t.Errorf("%s: sent %s, want %s", model, got, want)
		}
	}
}

func TestImages(t *testing.T) {
	t.Parallel()
	extra := parse(t, `{"personGeneration":"allow_adult"}`)
	tests := []struct {
		name, script string
		req          llm.ImageRequest
		want, failed string
		images       int
	}{
		{"Imagen", `[{"reply":{"text":"a cat"}}]`, llm.ImageRequest{Model: "imagen", Prompt: "cat", Size: "1024x768", Count: 2, Extra: extra},
			`{"instances":[{"prompt":"cat"}],"parameters":{"aspectRatio":"4:3","personGeneration":"allow_adult","sampleCount":2}}`, "", 1},
		{"Imagen changes nothing", `[]`, llm.ImageRequest{Model: "imagen", Prompt: "cat", Files: []llm.File{{MIME: "image/png"}}}, "", "Image editing is not supported", 0},
		{"Imagen refuses", `[{"reply":{"body":"{\"predictions\":[{\"raiFilteredReason\":\"a child\"}]}"}}]`, llm.ImageRequest{Model: "imagen", Prompt: "cat"},
			`{"instances":[{"prompt":"cat"}],"parameters":{"sampleCount":1}}`, "a child", 0},
		{"Gemini", `[{"reply":{"body":"{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"ok\"},{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"eA==\"}}]},\"finishReason\":\"STOP\"}]}"}}]`,
			llm.ImageRequest{Model: "banana", Prompt: "cat", Size: "16:9", Extra: extra, Files: []llm.File{{MIME: "image/png", Data: []byte("y")}}},
			`{"contents":[{"parts":[{"text":"cat"},{"inlineData":{"data":"eQ==","mimeType":"image/png"}}],"role":"user"}],"generationConfig":{"imageConfig":{"aspectRatio":"16:9"},"responseModalities":["TEXT","IMAGE"]}}`, "", 1},
		{"Gemini only talks", `[{"reply":{"text":"I will not"}}]`, llm.ImageRequest{Model: "banana", Prompt: "cat"},
			`{"contents":[{"parts":[{"text":"cat"}],"role":"user"}],"generationConfig":{"responseModalities":["TEXT","IMAGE"]}}`, "I will not", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := server(t, tt.script)
			got, err := llm.Collect(open(t, setup(t, s.Root())).MakeImages(t.Context(), tt.req))
			if (err != nil) != (tt.failed != "") || err != nil && !strings.Contains(err.Error(), tt.failed) {
				t.Fatalf("error = %v, want %q", err, tt.failed)
			}
			if len(got.Images) != tt.images || err == nil && (got.Usage.Images != tt.images || got.Finish.Reason != llm.Stop) {
				t.Errorf("answer = %+v, want %d pictures", got, tt.images)
			}
			sent := ""
			if s.Requests().Len() > 0 {
				sent = s.Requests().At(0).Get("body").Canonical()
			}
			if sent != tt.want {
				t.Errorf("sent\n%s\nwant\n%s", sent, tt.want)
			}
		})
	}
}
