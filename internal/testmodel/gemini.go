package testmodel

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/sre-go/sre/value"
)

// geminiCall reads a path such as /v1beta/models/NAME:generateContent, or that of Vertex, which has more before the model.
func geminiCall(path string) (model, method string, ok bool) {
	_, rest, ok := strings.Cut(path, "/models/")
	if !ok || !strings.HasPrefix(path, version) {
		return "", "", false
	}
	model, method, ok = strings.Cut(rest, ":")
	return model, method, ok && model != ""
}

// geminiOf returns the protocol of Gemini.
func geminiOf(path string) (protocol, bool) {
	model, method, ok := geminiCall(path)
	p := protocol{fail: geminiFailure, cry: func(e *events, failure value.Value) { e.send("", geminiFailure(failure).JSON()) }}
	switch method {
	case "generateContent", "streamGenerateContent":
		p.read = func(body value.Value) exchange {
			x := readGemini(body)
			x.model, x.stream = model, method == "streamGenerateContent"
			return x
		}
		p.whole, p.stream = geminiWhole, geminiStream
	case "predict":
		var instances value.Value
		p.read = func(body value.Value) exchange {
			x := exchange{model: model}
			instances = body.Get("instances")
			x.add("user", instances.At(0).GetString("prompt")+instances.At(0).GetString("content"))
			return x
		}
		p.whole = func(u utterance) value.Value { return prediction(instances, u.text) }
	default:
		return protocol{}, false
	}
	return p, ok
}

func geminiFailure(failure value.Value) value.Value {
	code := whole(failure.Get("status"), http.StatusInternalServerError)
	status := failure.GetString("type")
	if status == "" {
		status = "INTERNAL"
	}
	return value.Obj(value.M("error", value.Obj(
		value.M("code", value.OfInt(code)), value.M("message", failure.Get("message")), value.M("status", value.Of(status)),
	)))
}

func readGemini(body value.Value) exchange {
	x := exchange{tools: body.Get("tools").Len() > 0, usage: true}
	if system := body.Get("systemInstruction"); !system.IsNil() {
		x.add("system", textOf(system.Get("parts")))
	}
	for _, c := range body.Get("contents").Items() {
		role, parts := c.GetString("role"), c.Get("parts")
		var results []string
		for _, part := range parts.Items() {
			if r := part.Get("functionResponse"); !r.IsAbsent() {
				results = append(results, r.Get("response").JSON())
			}
		}
		switch {
		case results != nil:
			x.add("tool", strings.Join(results, "\n"))
		case role == "model":
			x.add("assistant", textOf(parts))
		default:
			x.add("user", textOf(parts))
		}
	}
	return x
}

// geminiTool is a tool call; this protocol cannot write arguments that are no object.
func geminiTool(t tool) value.Value {
	args, err := value.Parse(t.arguments)
	if err != nil || !args.IsObject() {
		args = value.Obj()
	}
	return value.Obj(value.M("functionCall", value.Obj(value.M("id", value.Of(t.id)), value.M("name", value.Of(t.name)), value.M("args", args))))
}

func geminiText(text string) value.Value { return value.Obj(value.M("text", value.Of(text))) }

// geminiPiece is an answer, or a piece of one; without a reason it has not ended.
func geminiPiece(u utterance, reason string, parts ...value.Value) value.Value {
	candidate := value.NewBuilder(3).
		Set("content", value.Obj(value.M("role", value.Of("model")), value.M("parts", value.OfItems(parts)))).
		Set("index", value.OfInt(0))
	if reason != "" {
		candidate.Set("finishReason", value.Of(reason))
	}
	return value.Obj(
		value.M("candidates", value.List(candidate.Build())),
		value.M("usageMetadata", usageOf("promptTokenCount", "candidatesTokenCount", "totalTokenCount")),
		value.M("modelVersion", value.Of(u.model)), value.M("responseId", value.Of("fake")),
	)
}

func geminiWhole(u utterance) value.Value {
	var parts []value.Value
	if u.hasText {
		parts = append(parts, geminiText(u.text))
	}
	for _, t := range u.tools {
		parts = append(parts, geminiTool(t))
	}
	return geminiPiece(u, u.finishOr("STOP", "STOP"), parts...)
}

func geminiStream(e *events, u utterance) {
	if u.hasText {
		for _, piece := range u.pieces(u.text) {
			e.piece("", geminiPiece(u, "", geminiText(piece)).JSON())
		}
	}
	for _, t := range u.tools {
		e.piece("", geminiPiece(u, "", geminiTool(t)).JSON())
	}
	if e.end() {
		return
	}
	e.send("", geminiPiece(u, u.finishOr("STOP", "STOP"), geminiText("")).JSON())
}

// prediction answers Vertex's oldest interface: a text to embed with a vector, and a prompt with a picture of the text, whose
// bytes are the text after the mark that begins a file of the type PNG.
func prediction(instances value.Value, text string) value.Value {
	var out []value.Value
	for _, it := range instances.Items() {
		if content := it.Get("content"); !content.IsAbsent() {
			out = append(out, value.Obj(value.M("embeddings", value.Obj(
				value.M("values", numbers(bagOfWords(content.Plain(), 8))), value.M("statistics", value.Obj(value.M("token_count", value.OfInt(3)))),
			))))
			continue
		}
		out = append(out, value.Obj(value.M("mimeType", value.Of("image/png")), value.M("bytesBase64Encoded", value.Of(picture(text)))))
	}
	return value.Obj(value.M("predictions", value.OfItems(out)))
}

func picture(text string) string {
	return base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n" + text))
}

// geminiEmbeddings answers requests for embeddings as [embeddings] does.
func geminiEmbeddings(path string) (answer func(value.Value) value.Value, ok bool) {
	_, method, ok := geminiCall(path)
	vector := func(request value.Value) value.Value {
		values := numbers(bagOfWords(textOf(request.Get("content").Get("parts")), dimensionsOf(request.Get("outputDimensionality"))))
		return value.Obj(value.M("values", values))
	}
	if !ok || method != "batchEmbedContents" {
		return nil, false
	}
	return func(body value.Value) value.Value {
		requests := body.Get("requests").Items()
		vectors := make([]value.Value, len(requests))
		for i, r := range requests {
			vectors[i] = vector(r)
		}
		return value.Obj(value.M("embeddings", value.OfItems(vectors)))
	}, true
}
