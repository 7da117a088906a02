package testmodel

import (
	"strings"

	"github.com/sre-go/sre/value"
)

// exchange is what rules look at: a request in the one form that all protocols share.
type exchange struct {
	model    string
	stream   bool
	tools    bool // the request offers tools
	messages []message
	usage    bool // the stream shall end with the usage
}

// message has one of the roles system, user, assistant and tool.
type message struct{ role, text string }

// last returns the last message of a role, of any role for "".
func (x exchange) last(role string) message {
	for i := len(x.messages) - 1; i >= 0; i-- {
		if m := x.messages[i]; role == "" || m.role == role {
			return m
		}
	}
	return message{}
}

// system returns the text of the first system message.
func (x exchange) system() string {
	for _, m := range x.messages {
		if m.role == "system" {
			return m.text
		}
	}
	return ""
}

// answer returns the text of a reply to the exchange, the n-th one; not ok when it has none.
func (r reply) answer(x exchange, seed uint64, n int) (text string, ok bool) {
	if r.words > 0 {
		return write(seed, n, r.words), true
	}
	switch r.echo {
	case "user":
		return x.last("user").text, true
	case "last":
		return x.last("").text, true
	case "system":
		return x.system(), true
	case "messages":
		items := make([]value.Value, len(x.messages))
		for i, m := range x.messages {
			items[i] = value.Obj(value.M("role", value.Of(m.role)), value.M("content", value.Of(m.text)))
		}
		return value.OfItems(items).JSON(), true
	}
	return strings.ReplaceAll(r.text.Plain(), placeholder, value.FormatNumber(float64(n))), !r.text.IsNil()
}

func common(body value.Value) exchange {
	return exchange{
		model: body.GetString("model"), stream: body.Get("stream").Truthy(), tools: body.Get("tools").Len() > 0,
		usage: body.Get("stream_options").Get("include_usage").Truthy(),
	}
}

func (x *exchange) add(role, text string) {
	if role == "developer" {
		role = "system"
	}
	x.messages = append(x.messages, message{role, text})
}

func readChat(body value.Value) exchange {
	x := common(body)
	for _, m := range body.Get("messages").Items() {
		x.add(m.GetString("role"), textOf(m.Get("content")))
	}
	return x
}

func readResponses(body value.Value) exchange {
	x := common(body)
	if instructions := body.GetString("instructions"); instructions != "" {
		x.add("system", instructions)
	}
	input := body.Get("input")
	if text, ok := input.Str(); ok {
		x.add("user", text)
	}
	for _, item := range input.Items() {
		switch item.GetString("type") {
		case "function_call":
			x.add("assistant", "")
		case "function_call_output":
			x.add("tool", textOf(item.Get("output")))
		default:
			x.add(item.GetString("role"), textOf(item.Get("content")))
		}
	}
	return x
}

func readAnthropic(body value.Value) exchange {
	x := common(body)
	if system := body.Get("system"); !system.IsNil() {
		x.add("system", textOf(system))
	}
	for _, m := range body.Get("messages").Items() {
		role, content := m.GetString("role"), m.Get("content")
		var results []string
		for _, block := range content.Items() {
			if block.GetString("type") == "tool_result" {
				results = append(results, textOf(block.Get("content")))
			}
		}
		if role == "user" && results != nil {
			x.add("tool", strings.Join(results, "\n"))
			continue
		}
		x.add(role, textOf(content))
	}
	return x
}

// textOf returns string content, or the text parts joined by line breaks.
func textOf(content value.Value) string {
	if s, ok := content.Str(); ok {
		return s
	}
	var parts []string
	for _, part := range content.Items() {
		if text, ok := part.Get("text").Str(); ok {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "\n")
}
