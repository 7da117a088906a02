package sre_test

import (
	"strings"

	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// dialect is how the reference tells the events of a provider.
type dialect struct {
	callID     bool // a tool call has its id twice
	objects    bool // arguments of tool calls are objects
	noCost     bool // usage has no cost
	answers    bool // "data" is the whole answer, told when it is complete
	texts      bool // "data" is each piece of text
	blocks     bool // what the model is shown is in the blocks of Anthropic
	interrupts bool // an answer that asks for tools counts as interrupted
}

func dialectOf(model string) dialect {
	switch {
	case model == "fake-resp":
		return dialect{callID: true, texts: true}
	case strings.HasPrefix(model, "fake-claude"):
		return dialect{objects: true, noCost: true, answers: true, blocks: true}
	}
	return dialect{interrupts: true}
}

// arguments are those of a call.
func (d dialect) arguments(text string) value.Value {
	if v, err := value.Parse(text); d.objects && err == nil {
		return v
	}
	return value.Of(text)
}

// answerOf puts an answer of Anthropic together from its events.
type answerOf struct {
	message value.Value
	blocks  []value.Value
	input   string
}

// read takes an event. done is set with the last one.
func (a *answerOf) read(e value.Value) (message value.Value, done bool) {
	switch e.GetString("type") {
	case "message_start":
		*a = answerOf{message: e.Get("message")}
	case "content_block_start":
		a.blocks, a.input = append(a.blocks, e.Get("content_block")), ""
	case "content_block_delta":
		last := len(a.blocks) - 1
		delta := e.Get("delta")
		if text, ok := delta.Get("text").Str(); ok {
			a.blocks[last] = a.blocks[last].With("text", value.Of(a.blocks[last].GetString("text")+text))
		}
		a.input += delta.GetString("partial_json")
	case "content_block_stop":
		if input, err := value.Parse(a.input); err == nil && a.input != "" {
			last := len(a.blocks) - 1
			a.blocks[last] = a.blocks[last].With("input", input)
		}
	case "message_delta":
		usage := a.message.Get("usage").With("output_tokens", e.Get("usage").Get("output_tokens"))
		a.message = a.message.With("stop_reason", e.Get("delta").Get("stop_reason")).With("usage", usage)
	case "message_stop":
		return a.message.With("content", value.OfItems(a.blocks)), true
	}
	return value.Value{}, false
}

// shown is what the model is shown, in the form that the dialect sends.
func (d dialect) shown(list []llm.Message) value.Value {
	if !d.blocks {
		return windowOf(list)
	}
	var out []value.Value
	for _, m := range list {
		role, blocks, plain := string(m.Role), []value.Value(nil), true
		for _, part := range m.Content {
			switch p := part.(type) {
			case llm.Text:
				if p.Text != "" {
					blocks = append(blocks, value.Obj(value.M("type", value.Of("text")), value.M("text", value.Of(p.Text))))
				}
				continue
			case llm.ToolCall:
				blocks = append(blocks, value.Obj(value.M("type", value.Of("tool_use")), value.M("id", value.Of(p.ID)), value.M("name", value.Of(p.Name)), value.M("input", d.arguments(p.Arguments))))
			case llm.ToolResult:
				role = "user"
				blocks = append(blocks, value.Obj(value.M("type", value.Of("tool_result")), value.M("tool_use_id", value.Of(p.CallID)), value.M("content", value.Of(p.Text))))
			}
			plain = false
		}
		content := value.OfItems(blocks)
		if plain {
			content = value.Of(m.Text())
		}
		out = append(out, value.Obj(value.M("role", value.Of(role)), value.M("content", content)))
	}
	return value.OfItems(out)
}

// tool is a call of a tool.
func (d dialect) tool(c conversation.Call) value.Value {
	b := value.NewBuilder(8)
	b.Set("index", value.OfInt(c.Index)).Set("name", value.Of(c.Name)).Set("arguments", d.arguments(c.Arguments)).Set("id", value.Of(c.ID))
	role := "tool"
	if d.blocks {
		role = "assistant"
	}
	b.Set("type", value.Of("function")).Set("role", value.Of(role))
	if d.callID {
		b.Set("callId", value.Of(c.ID))
	}
	if c.Label != "" {
		b.Set("status", value.Of(c.Label))
	}
	return b.Build()
}
