package testmodel

import (
	"strings"

	"github.com/sre-go/sre/value"
)

const eventStream = "application/vnd.amazon.eventstream"

// converseOf returns the protocol of Bedrock's Converse, whose paths name the model: /model/ID/converse, or
// /model/ID/converse-stream.
func converseOf(path string) (protocol, bool) {
	rest, ok := strings.CutPrefix(path, "/model/")
	model, whole := strings.CutSuffix(rest, "/converse")
	stream := false
	if !whole {
		model, stream = strings.CutSuffix(rest, "/converse-stream")
	}
	if !ok || model == "" || !whole && !stream {
		return protocol{}, false
	}
	return protocol{
		read: func(body value.Value) exchange {
			x := readConverse(body)
			x.model, x.stream = model, stream
			return x
		},
		whole: converseWhole, stream: converseStream, errorHeader: "X-Amzn-Errortype",
		fail: func(failure value.Value) value.Value {
			return value.Obj(value.M("message", failure.Get("message")))
		},
		cry: func(e *events, failure value.Value) {
			name := failure.GetString("type")
			if name == "" {
				name = "internalServerException"
			}
			payload := value.Obj(value.M("message", failure.Get("message")))
			e.emit(eventStream, ConverseException(strings.ToLower(name[:1])+name[1:], payload.Append(nil)))
		},
	}, true
}

func readConverse(body value.Value) exchange {
	x := exchange{tools: body.Get("toolConfig").Get("tools").Len() > 0, usage: true}
	if system := body.Get("system"); system.Len() > 0 {
		x.add("system", textOf(system))
	}
	for _, m := range body.Get("messages").Items() {
		role, content := m.GetString("role"), m.Get("content")
		var results []string
		for _, block := range content.Items() {
			if result := block.Get("toolResult"); !result.IsAbsent() {
				results = append(results, textOf(result.Get("content")))
			}
		}
		if results != nil {
			x.add("tool", strings.Join(results, "\n"))
			if text := textOf(content); text != "" { // a message of the user after the results is a part of theirs
				x.add(role, text)
			}
			continue
		}
		x.add(role, textOf(content))
	}
	return x
}

func converseUsage() value.Member {
	return value.M("usage", usageOf("inputTokens", "outputTokens", "totalTokens"))
}

func converseTool(t tool, more ...value.Member) value.Value {
	return value.Obj(value.M("toolUse", value.Obj(append([]value.Member{value.M("toolUseId", value.Of(t.id)), value.M("name", value.Of(t.name))}, more...)...)))
}

func converseWhole(u utterance) value.Value {
	var content []value.Value
	if u.hasText {
		content = append(content, value.Obj(value.M("text", value.Of(u.text))))
	}
	for _, t := range u.tools {
		input, err := value.Parse(t.arguments)
		if err != nil {
			input = value.Obj() // this protocol cannot write arguments that are no JSON
		}
		content = append(content, converseTool(t, value.M("input", input)))
	}
	return value.Obj(
		value.M("metrics", value.Obj(value.M("latencyMs", value.OfInt(1)))),
		value.M("output", value.Obj(value.M("message", value.Obj(value.M("role", value.Of("assistant")), value.M("content", value.OfItems(content)))))),
		value.M("stopReason", value.Of(u.finishOr("tool_use", "end_turn"))), converseUsage(),
	)
}

func converseStream(e *events, u utterance) {
	send := func(name string, members ...value.Member) {
		e.emit(eventStream, ConverseEvent(name, value.Obj(members...).Append(nil)))
	}
	send("messageStart", value.M("role", value.Of("assistant")))
	blocks := 0
	block := func(pieces []string, delta func(piece string) value.Value) {
		index := value.M("contentBlockIndex", value.OfInt(blocks))
		blocks++
		for _, piece := range pieces {
			e.step()
			send("contentBlockDelta", index, value.M("delta", delta(piece)))
		}
		send("contentBlockStop", index)
	}
	if u.hasText {
		block(u.pieces(u.text), func(piece string) value.Value { return value.Obj(value.M("text", value.Of(piece))) })
	}
	for _, t := range u.tools {
		send("contentBlockStart", value.M("contentBlockIndex", value.OfInt(blocks)), value.M("start", converseTool(t)))
		cut := halves(t.arguments)
		block(cut[:], func(piece string) value.Value {
			return value.Obj(value.M("toolUse", value.Obj(value.M("input", value.Of(piece)))))
		})
	}
	if e.end() {
		return
	}
	send("messageStop", value.M("stopReason", value.Of(u.finishOr("tool_use", "end_turn"))))
	send("metadata", converseUsage(), value.M("metrics", value.Obj(value.M("latencyMs", value.OfInt(1)))))
}
