package llm

import (
	"strings"

	"github.com/sre-go/sre/value"
)

// Part is a piece of an answer: [Text], [Thinking], [ToolCall], [Image], [Usage], [Finish], or [Raw] for who asked for it.
type Part interface{ isPart() }

// Text is a piece of text, as it arrived.
type Text struct {
	Text string
	// Signature proves to some providers what they thought before they said this, when it is sent back just there. The text
	// may be empty then.
	Signature string
}

// Thinking is a piece of what a model thought before it answered.
type Thinking struct {
	Text string
	// Signature proves to the provider that the thought is its own, when it is sent back. It comes with the last piece
	// of a thought.
	Signature string
	// Sealed is a thought that the provider shows to nobody but itself.
	Sealed []byte
}

// ToolCall is what a model wants to be called. It is a wish: whether it is done, and as whom, is decided elsewhere.
type ToolCall struct {
	ID        string
	Name      string
	Arguments string // JSON text as the model wrote it: it may be malformed or not fit the tool
	Signature string // proves to some providers that the call is their own
}

// Image is a picture, as bytes or by URL.
type Image struct {
	MIME   string
	Data   []byte
	URL    string
	Prompt string // what the provider made of the prompt, "" when it does not tell
}

// Usage is what a call used, in tokens. Kinds do not overlap: Input leaves out what was read from or written to a cache.
type Usage struct {
	Input      int
	CacheRead  int
	CacheWrite int
	Output     int    // thinking included
	Thinking   int    // of the output
	Images     int    // made
	Searches   int    // of the web
	Tier       string // of the price, "" for the usual one
}

// Add returns what two calls used together. The tier is that of u.
func (u Usage) Add(more Usage) Usage {
	return Usage{
		Input: u.Input + more.Input, CacheRead: u.CacheRead + more.CacheRead, CacheWrite: u.CacheWrite + more.CacheWrite,
		Output: u.Output + more.Output, Thinking: u.Thinking + more.Thinking, Images: u.Images + more.Images,
		Searches: u.Searches + more.Searches, Tier: u.Tier,
	}
}

// Finish is why an answer ended. It is the last part of every complete answer.
type Finish struct {
	Reason Reason
	Raw    string // as the provider calls it
	Model  string // id of the model that answered; the service sets it
}

// Raw is a piece of a stream as the provider sent it: a delta or an event, null for one without either. It comes before
// the parts that it stands for, and only when the request asks for it. It is for debuggers and says nothing by itself.
type Raw struct{ JSON value.Value }

func (Raw) isPart()      {}
func (Text) isPart()     {}
func (Thinking) isPart() {}
func (ToolCall) isPart() {}
func (Image) isPart()    {}
func (Usage) isPart()    {}
func (Finish) isPart()   {}

// Reason is why an answer ended.
type Reason string

// The reasons.
const (
	Stop          Reason = "stop"
	Length        Reason = "length" // the limit of tokens was reached
	ContentFilter Reason = "content_filter"
	ToolCalls     Reason = "tool_calls"
	Failed        Reason = "error"
	Unknown       Reason = "unknown"
)

// ParseReason returns what a provider means by its own word for a reason.
func ParseReason(raw string) Reason {
	switch strings.ToLower(raw) {
	case "stop", "end_turn", "stop_sequence", "pause_turn", "none":
		return Stop
	case "length", "max_tokens", "incomplete":
		return Length
	case "content_filter", "refusal", "safety", "recitation", "language", "blocklist", "prohibited_content", "spii":
		return ContentFilter
	case "tool_calls", "tool_use", "function_call":
		return ToolCalls
	case "error", "malformed_function_call":
		return Failed
	}
	return Unknown
}
