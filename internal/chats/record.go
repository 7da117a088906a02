package chats

import (
	"encoding/base64"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// A record is an entry as JSON. Members that say nothing are left out; bytes are base64.

// encode returns the record of an entry.
func encode(e conversation.Entry) string {
	b := value.NewBuilder(6)
	b.Add("id", value.Of(e.ID))
	b.Add("at", value.Of(e.At.UTC().Format(time.RFC3339Nano)))
	b.Add("role", value.Of(string(e.Message.Role)))
	if e.Internal {
		b.Add("internal", value.OfBool(true))
	}
	text(b, "shown", e.Shown)
	content := make([]value.Value, len(e.Message.Content))
	for i, c := range e.Message.Content {
		content[i] = encodeContent(c)
	}
	b.Add("content", value.OfItems(content))
	return b.Build().JSON()
}

func encodeContent(c llm.Content) value.Value {
	b := value.NewBuilder(6)
	kind := func(name string) { b.Add("type", value.Of(name)) }
	switch c := c.(type) {
	case llm.Text:
		kind("text")
		text(b, "text", c.Text)
		text(b, "signature", c.Signature)
	case llm.Thinking:
		kind("thinking")
		text(b, "text", c.Text)
		text(b, "signature", c.Signature)
		bytes(b, "sealed", c.Sealed)
	case llm.ToolCall:
		kind("call")
		text(b, "id", c.ID)
		text(b, "name", c.Name)
		text(b, "arguments", c.Arguments)
		text(b, "signature", c.Signature)
	case llm.ToolResult:
		kind("result")
		text(b, "id", c.CallID)
		text(b, "name", c.Name)
		text(b, "text", c.Text)
		if c.Failed {
			b.Add("failed", value.OfBool(true))
		}
	case llm.File:
		kind("file")
		text(b, "mime", c.MIME)
		text(b, "name", c.Name)
		bytes(b, "data", c.Data)
	case llm.Image:
		kind("image")
		text(b, "mime", c.MIME)
		text(b, "url", c.URL)
		text(b, "prompt", c.Prompt)
		bytes(b, "data", c.Data)
	}
	return b.Build()
}

func text(b *value.Builder, name, s string) {
	if s != "" {
		b.Add(name, value.Of(s))
	}
}

func bytes(b *value.Builder, name string, data []byte) {
	if len(data) > 0 {
		b.Add(name, value.Of(base64.StdEncoding.EncodeToString(data)))
	}
}

// recordLimits bound a record that is read back: what was written may hold files.
func recordLimits() value.Limits { return value.Limits{Bytes: 256 << 20, Depth: 8, Values: 100_000} }

// decode is the inverse of encode. It takes nothing else.
func decode(record string) (conversation.Entry, error) {
	v, err := value.Decode(record, recordLimits())
	if err != nil {
		return conversation.Entry{}, err
	}
	e := conversation.Entry{ID: v.GetString("id"), Shown: v.GetString("shown")}
	e.Internal, _ = v.Get("internal").Boolean()
	if e.At, err = time.Parse(time.RFC3339Nano, v.GetString("at")); err != nil {
		return conversation.Entry{}, fault.New(fault.Invalid, err)
	}
	switch role := llm.Role(v.GetString("role")); role {
	case llm.User, llm.Assistant, llm.Tool, llm.System:
		e.Message.Role = role
	default:
		return conversation.Entry{}, fault.Newf(fault.Invalid, "an entry of the role %q", role)
	}
	for _, it := range v.Get("content").Items() {
		c, err := decodeContent(it)
		if err != nil {
			return conversation.Entry{}, err
		}
		e.Message.Content = append(e.Message.Content, c)
	}
	return e, nil
}

func decodeContent(v value.Value) (llm.Content, error) {
	data := func(name string) ([]byte, error) {
		text := v.GetString(name)
		if text == "" {
			return nil, nil
		}
		return base64.StdEncoding.Strict().DecodeString(text)
	}
	switch kind := v.GetString("type"); kind {
	case "text":
		return llm.Text{Text: v.GetString("text"), Signature: v.GetString("signature")}, nil
	case "thinking":
		sealed, err := data("sealed")
		return llm.Thinking{Text: v.GetString("text"), Signature: v.GetString("signature"), Sealed: sealed}, err
	case "call":
		return llm.ToolCall{ID: v.GetString("id"), Name: v.GetString("name"), Arguments: v.GetString("arguments"), Signature: v.GetString("signature")}, nil
	case "result":
		failed, _ := v.Get("failed").Boolean()
		return llm.ToolResult{CallID: v.GetString("id"), Name: v.GetString("name"), Text: v.GetString("text"), Failed: failed}, nil
	case "file":
		d, err := data("data")
		return llm.File{MIME: v.GetString("mime"), Name: v.GetString("name"), Data: d}, err
	case "image":
		d, err := data("data")
		return llm.Image{MIME: v.GetString("mime"), URL: v.GetString("url"), Prompt: v.GetString("prompt"), Data: d}, err
	default:
		return nil, fault.Newf(fault.Invalid, "content of the type %q", kind)
	}
}
