package testmodel

import "github.com/sre-go/sre/value"

func anthropicFailure(failure value.Value) value.Value {
	kind := failure.Get("type")
	if kind.IsAbsent() {
		kind = value.Of("api_error")
	}
	return value.Obj(value.M("type", value.Of("error")),
		value.M("error", value.Obj(value.M("type", kind), value.M("message", failure.Get("message")))))
}

func anthropicCry(e *events, failure value.Value) { e.send("error", anthropicFailure(failure).JSON()) }

func anthropicMessage(u utterance, content []value.Value, stop value.Value, out int) value.Value {
	return value.Obj(
		value.M("id", value.Of("msg_fake")), value.M("type", value.Of("message")), value.M("role", value.Of("assistant")),
		value.M("model", value.Of(u.model)), value.M("content", value.OfItems(content)),
		value.M("stop_reason", stop), value.M("stop_sequence", value.NullValue()),
		value.M("usage", value.Obj(
			value.M("input_tokens", value.OfInt(10)), value.M("output_tokens", value.OfInt(out)),
			value.M("cache_creation_input_tokens", value.OfInt(0)), value.M("cache_read_input_tokens", value.OfInt(0)),
		)),
	)
}

func textBlock(text string) value.Value {
	return value.Obj(value.M("type", value.Of("text")), value.M("text", value.Of(text)))
}

func toolBlock(t tool, input value.Value) value.Value {
	return value.Obj(value.M("type", value.Of("tool_use")), value.M("id", value.Of(t.id)),
		value.M("name", value.Of(t.name)), value.M("input", input))
}

func anthropicWhole(u utterance) value.Value {
	var content []value.Value
	if u.hasText {
		content = append(content, textBlock(u.text))
	}
	for _, t := range u.tools {
		input, err := value.Parse(t.arguments)
		if err != nil {
			input = value.Obj() // this protocol cannot write arguments that are no JSON
		}
		content = append(content, toolBlock(t, input))
	}
	return anthropicMessage(u, content, value.Of(u.finishOr("tool_use", "end_turn")), 5)
}

func anthropicStream(e *events, u utterance) {
	event := func(name string, members ...value.Member) (string, string) {
		return name, value.Obj(append([]value.Member{value.M("type", value.Of(name))}, members...)...).JSON()
	}
	e.send(event("message_start", value.M("message", anthropicMessage(u, nil, value.NullValue(), 0))))
	blocks := 0
	block := func(start value.Value, kind, member string, pieces []string) {
		index := value.M("index", value.OfInt(blocks))
		blocks++
		e.send(event("content_block_start", index, value.M("content_block", start)))
		for _, piece := range pieces {
			e.piece(event("content_block_delta", index,
				value.M("delta", value.Obj(value.M("type", value.Of(kind)), value.M(member, value.Of(piece))))))
		}
		e.send(event("content_block_stop", index))
	}
	if u.hasText {
		block(textBlock(""), "text_delta", "text", u.pieces(u.text))
	}
	for _, t := range u.tools {
		cut := halves(t.arguments)
		block(toolBlock(t, value.Obj()), "input_json_delta", "partial_json", cut[:])
	}
	if e.end() {
		return
	}
	e.send(event("message_delta",
		value.M("delta", value.Obj(value.M("stop_reason", value.Of(u.finishOr("tool_use", "end_turn"))), value.M("stop_sequence", value.NullValue()))),
		value.M("usage", value.Obj(value.M("output_tokens", value.OfInt(5))))))
	e.send(event("message_stop"))
}
