package testmodel

import "github.com/sre-go/sre/value"

const created = 1700000000 // of all answers

func usageOf(in, out, total string) value.Value {
	b := value.NewBuilder(3).Set(in, value.OfInt(10)).Set(out, value.OfInt(5))
	if total != "" {
		b.Set(total, value.OfInt(15))
	}
	return b.Build()
}

func chatUsage() value.Value { return usageOf("prompt_tokens", "completion_tokens", "total_tokens") }

func openAIFailure(failure value.Value) value.Value {
	return value.Obj(value.M("error", value.Obj(
		value.M("message", failure.Get("message")), value.M("type", failure.Get("type")),
		value.M("code", failure.Get("code")), value.M("param", value.NullValue()),
	)))
}

func openAICry(e *events, failure value.Value) { e.send("", openAIFailure(failure).JSON()) }

func chatWhole(u utterance) value.Value {
	message := value.NewBuilder(3).Set("role", value.Of("assistant"))
	message.Set("content", value.Of(u.text))
	if len(u.tools) > 0 {
		if !u.hasText {
			message.Set("content", value.NullValue())
		}
		calls := make([]value.Value, len(u.tools))
		for i, t := range u.tools {
			calls[i] = value.Obj(value.M("id", value.Of(t.id)), value.M("type", value.Of("function")),
				value.M("function", value.Obj(value.M("name", value.Of(t.name)), value.M("arguments", value.Of(t.arguments)))))
		}
		message.Set("tool_calls", value.OfItems(calls))
	}
	return value.Obj(
		value.M("id", value.Of("chatcmpl-fake")), value.M("object", value.Of("chat.completion")),
		value.M("created", value.OfInt(created)), value.M("model", value.Of(u.model)),
		value.M("choices", value.List(value.Obj(
			value.M("index", value.OfInt(0)), value.M("message", message.Build()),
			value.M("finish_reason", value.Of(u.finishOr("tool_calls", "stop"))),
		))),
		value.M("usage", chatUsage()),
	)
}

func chatStream(e *events, u utterance) {
	frame := func(choices value.Value, more ...value.Member) string {
		return value.Obj(append([]value.Member{
			value.M("id", value.Of("chatcmpl-fake")), value.M("object", value.Of("chat.completion.chunk")),
			value.M("created", value.OfInt(created)), value.M("model", value.Of(u.model)), value.M("choices", choices),
		}, more...)...).JSON()
	}
	choice := func(delta, finish value.Value) string {
		return frame(value.List(value.Obj(value.M("index", value.OfInt(0)), value.M("delta", delta), value.M("finish_reason", finish))))
	}
	delta := func(members ...value.Member) string { return choice(value.Obj(members...), value.NullValue()) }

	e.send("", delta(value.M("role", value.Of("assistant")), value.M("content", value.Of(""))))
	if u.hasText {
		for _, piece := range u.pieces(u.text) {
			e.piece("", delta(value.M("content", value.Of(piece))))
		}
	}
	for i, t := range u.tools {
		call := func(members ...value.Member) string {
			members = append([]value.Member{value.M("index", value.OfInt(i))}, members...)
			return delta(value.M("tool_calls", value.List(value.Obj(members...))))
		}
		e.piece("", call(value.M("id", value.Of(t.id)), value.M("type", value.Of("function")),
			value.M("function", value.Obj(value.M("name", value.Of(t.name)), value.M("arguments", value.Of(""))))))
		for _, half := range halves(t.arguments) {
			e.piece("", call(value.M("function", value.Obj(value.M("arguments", value.Of(half))))))
		}
	}
	if e.end() {
		return
	}
	e.send("", choice(value.Obj(), value.Of(u.finishOr("tool_calls", "stop"))))
	if u.usage {
		e.send("", frame(value.List(), value.M("usage", chatUsage())))
	}
	e.send("", "[DONE]")
}
