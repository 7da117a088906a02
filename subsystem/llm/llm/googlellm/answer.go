package googlellm

import (
	"encoding/base64"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// reader puts an answer together from its pieces. An answer that comes at once is one piece.
type reader struct {
	env    connector.Env
	raw    bool
	names  names
	yield  func(llm.Part, error) bool
	used   llm.Usage
	reason string // why the answer ended, "" until it has
	calls  bool   // there were some
	images int
}

// read takes one piece. It reports whether more is wanted.
func (r *reader) read(piece value.Value) (more bool, err error) {
	if failure := piece.Get("error"); failure.IsObject() {
		said := refusal(piece)
		return false, said.Err(whole(failure.Get("code")))
	}
	if r.raw && !r.yield(llm.Raw{JSON: piece}, nil) {
		return false, nil
	}
	if u := piece.Get("usageMetadata"); u.IsObject() {
		searches := r.used.Searches
		r.used = usage(u)
		r.used.Searches = searches
	}
	if blocked := piece.Get("promptFeedback").GetString("blockReason"); blocked != "" {
		r.reason = blocked
		if !isFilter(r.reason) {
			r.reason = "PROHIBITED_CONTENT"
		}
	}
	candidate := piece.Get("candidates").At(0)
	for _, part := range candidate.Get("content").Get("parts").Items() {
		if more, err := r.part(part); !more || err != nil {
			return false, err
		}
	}
	if n := candidate.Get("groundingMetadata").Get("webSearchQueries").Len(); n > 0 {
		r.used.Searches = n
	}
	if reason := candidate.GetString("finishReason"); reason != "" && reason != "FINISH_REASON_UNSPECIFIED" {
		r.reason = reason
	}
	return true, nil
}

func (r *reader) part(part value.Value) (more bool, err error) {
	text, proof := part.GetString("text"), part.GetString("thoughtSignature")
	switch thought := part.Get("thought").Truthy(); {
	case text != "" && thought:
		return r.yield(llm.Thinking{Text: text}, nil), nil
	case text != "", proof != "" && !thought && !part.Get("text").IsNil(): // the last piece of a stream may be a proof alone
		return r.yield(llm.Text{Text: text, Signature: proof}, nil), nil
	}
	if data := part.Get("inlineData"); data.IsObject() {
		if part.Get("thought").Truthy() {
			return true, nil // a draft
		}
		picture, err := image(data.GetString("mimeType"), data.GetString("data"))
		if err != nil {
			return false, err
		}
		r.images++
		return r.yield(picture, nil), nil
	}
	f := part.Get("functionCall")
	if !f.IsObject() {
		return true, nil
	}
	call := llm.ToolCall{ID: f.GetString("id"), Name: r.names.back(f.GetString("name")), Arguments: "{}", Signature: proof}
	if args := f.Get("args"); args.IsObject() {
		call.Arguments = args.JSON()
	}
	if call.ID == "" {
		call.ID = made + r.env.Effects.NewID()
	}
	r.calls = true
	return r.yield(call, nil), nil
}

// end tells what was used and why the answer ended. Without a reason it is not complete, and nothing is told.
func (r *reader) end() error {
	if r.reason == "" {
		return nil
	}
	r.used.Images = r.images
	if r.used != (llm.Usage{}) && !r.yield(r.used, nil) {
		return nil
	}
	reason := reasonOf(r.reason)
	if reason == llm.Stop && r.calls { // this interface has no word of its own for it
		reason = llm.ToolCalls
	}
	r.yield(llm.Finish{Reason: reason, Raw: r.reason}, nil)
	return nil
}

// reasonOf is what the provider means, see https://ai.google.dev/api/generate-content#FinishReason.
func reasonOf(raw string) llm.Reason {
	if isFilter(raw) {
		return llm.ContentFilter
	}
	switch raw {
	case "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE", "NO_IMAGE":
		return llm.Failed
	}
	return llm.ParseReason(raw)
}

func isFilter(raw string) bool {
	switch raw {
	case "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "IMAGE_OTHER", "MODEL_ARMOR", "JAILBREAK":
		return true
	}
	return llm.ParseReason(raw) == llm.ContentFilter
}

// usage reads what was used. What was read from the cache is not counted as input again, and thinking is output.
func usage(u value.Value) llm.Usage {
	cached, thoughts := whole(u.Get("cachedContentTokenCount")), whole(u.Get("thoughtsTokenCount"))
	return llm.Usage{
		Input:     max(0, whole(u.Get("promptTokenCount"))+whole(u.Get("toolUsePromptTokenCount"))-cached),
		CacheRead: cached, Output: whole(u.Get("candidatesTokenCount")) + thoughts, Thinking: thoughts,
	}
}

func image(mime, text string) (llm.Image, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) == 0 {
		return llm.Image{}, fault.Newf(fault.Unavailable, "the provider sent an image that is none")
	}
	return llm.Image{MIME: mime, Data: data}, nil
}

// whole reads a count; what is none is 0.
func whole(v value.Value) int {
	n, ok := v.Num()
	if !ok || !(n >= 1 && n <= 1<<40) {
		return 0
	}
	return int(n)
}
