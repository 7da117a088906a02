package testmodel

import "github.com/sre-go/sre/value"

const (
	ollamaChat  = "/api/chat"
	ollamaEmbed = "/api/embed"
)

// ollamaOf returns the protocol of Ollama, whose streams are JSON objects on lines of their own.
func ollamaOf(path string) (protocol, bool) {
	return protocol{
		read: readOllama, whole: ollamaWhole, stream: ollamaStream, fail: ollamaFailure,
		cry: func(e *events, failure value.Value) { e.line(ollamaFailure(failure)) },
	}, path == ollamaChat
}

func ollamaFailure(failure value.Value) value.Value {
	return value.Obj(value.M("error", failure.Get("message")))
}

// readOllama reads a request, which is for a stream unless it says otherwise.
func readOllama(body value.Value) exchange {
	x := common(body)
	x.stream, x.usage = !body.Has("stream") || body.Get("stream").Truthy(), true
	for _, m := range body.Get("messages").Items() {
		x.add(m.GetString("role"), m.GetString("content"))
	}
	return x
}

// line writes one object of a stream of lines.
func (e *events) line(v value.Value) {
	e.emit("application/x-ndjson", append(v.Append(nil), '\n'))
}

func ollamaPiece(u utterance, done bool, message ...value.Member) *value.Builder {
	return value.NewBuilder(8).Set("model", value.Of(u.model)).Set("created_at", value.Of("2026-01-01T00:00:00Z")).
		Set("message", value.Obj(append([]value.Member{value.M("role", value.Of("assistant"))}, message...)...)).
		Set("done", value.OfBool(done))
}

// ollamaCall is a tool call; this protocol cannot write arguments that are no object.
func ollamaCall(t tool) value.Value {
	arguments, err := value.Parse(t.arguments)
	if err != nil || !arguments.IsObject() {
		arguments = value.Obj()
	}
	return value.Obj(value.M("id", value.Of(t.id)), value.M("function", value.Obj(value.M("name", value.Of(t.name)), value.M("arguments", arguments))))
}

func ollamaEnd(b *value.Builder, u utterance) value.Value {
	return b.Set("done_reason", value.Of(u.finishOr("stop", "stop"))).
		Set("prompt_eval_count", value.OfInt(10)).Set("eval_count", value.OfInt(5)).Build()
}

func ollamaWhole(u utterance) value.Value {
	message := []value.Member{value.M("content", value.Of(u.text))}
	if len(u.tools) > 0 {
		calls := make([]value.Value, len(u.tools))
		for i, t := range u.tools {
			calls[i] = ollamaCall(t)
		}
		message = append(message, value.M("tool_calls", value.OfItems(calls)))
	}
	return ollamaEnd(ollamaPiece(u, true, message...), u)
}

func ollamaStream(e *events, u utterance) {
	if u.hasText {
		for _, piece := range u.pieces(u.text) {
			e.step()
			e.line(ollamaPiece(u, false, value.M("content", value.Of(piece))).Build())
		}
	}
	for _, t := range u.tools {
		e.step()
		e.line(ollamaPiece(u, false, value.M("content", value.Of("")), value.M("tool_calls", value.List(ollamaCall(t)))).Build())
	}
	if e.end() {
		return
	}
	e.line(ollamaEnd(ollamaPiece(u, true, value.M("content", value.Of(""))), u))
}

// ollamaEmbeddings answers a request for embeddings as [embeddings] does.
func ollamaEmbeddings(body value.Value) value.Value {
	input := body.Get("input")
	texts := input.Items()
	if !input.IsArray() {
		texts = []value.Value{input}
	}
	dimensions := dimensionsOf(body.Get("dimensions"))
	vectors := make([]value.Value, len(texts))
	for i, text := range texts {
		vectors[i] = numbers(bagOfWords(text.Plain(), dimensions))
	}
	return value.Obj(value.M("model", body.Get("model")), value.M("embeddings", value.OfItems(vectors)), value.M("prompt_eval_count", value.OfInt(10)))
}
