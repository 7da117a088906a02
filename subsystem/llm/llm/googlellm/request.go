package googlellm

import (
	"encoding/base64"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// writer writes calls.
type writer struct {
	cloud bool
	names names
	files map[fileKey]string // addresses of files that were uploaded before
}

// request writes a call for generateContent.
func (w *writer) request(call *llm.Call) (value.Value, error) {
	contents, system, err := w.contents(call)
	if err != nil {
		return value.Value{}, err
	}
	body := value.NewBuilder(6).Set("contents", contents)
	if system != "" {
		body.Set("systemInstruction", value.Obj(value.M("parts", value.List(textPart(system)))))
	}
	declared := w.declare(call.Tools)
	var tools []value.Value
	if declared != nil {
		tools = append(tools, value.Obj(value.M("functionDeclarations", value.OfItems(declared))))
		if choice := w.choice(call.ToolChoice); choice.IsObject() {
			body.Set("toolConfig", value.Obj(value.M("functionCallingConfig", choice)))
		}
	}
	if call.Search != nil {
		tools = append(tools, value.Obj(value.M("googleSearch", value.Obj())))
	}
	if tools != nil {
		body.Set("tools", value.OfItems(tools))
	}
	config := generation(call)
	if call.Format.JSON && tools == nil { // a form that is forced goes with no tools; it is told in words, too
		config.Set("responseMimeType", value.Of("application/json"))
		if call.Format.Schema.IsObject() {
			config.Set("responseSchema", clean(call.Format.Schema))
		}
	}
	extend(body, config, call.Extra)
	return body.Set("generationConfig", config.Build()).Build(), nil
}

// extend lays what only this provider knows over a request and its generationConfig.
func extend(body, config *value.Builder, extra value.Value) {
	for _, m := range extra.Members() {
		if m.Key != "generationConfig" {
			body.Set(m.Key, m.Value)
			continue
		}
		for _, o := range m.Value.Members() {
			config.Set(o.Key, o.Value)
		}
	}
}

// generation is how the answer is found.
func generation(call *llm.Call) *value.Builder {
	b := value.NewBuilder(8).Set("maxOutputTokens", value.OfInt(call.MaxTokens))
	for _, o := range []struct {
		name string
		of   *float64
	}{
		{"temperature", call.Temperature}, {"topP", call.TopP}, {"frequencyPenalty", call.FrequencyPenalty}, {"presencePenalty", call.PresencePenalty},
	} {
		if o.of != nil {
			b.Set(o.name, value.OfNumber(*o.of))
		}
	}
	for _, o := range []struct {
		name string
		of   *int
	}{{"topK", call.TopK}, {"seed", call.Seed}} {
		if o.of != nil {
			b.Set(o.name, value.OfInt(*o.of))
		}
	}
	if len(call.Stop) > 0 {
		b.Set("stopSequences", value.Strings(call.Stop))
	}
	if call.Reasoning.On {
		b.Set("thinkingConfig", thinking(call))
	}
	return b
}

// thinking says how much a model thinks: newer models know levels, those before them numbers of tokens.
func thinking(call *llm.Call) value.Value {
	b := value.NewBuilder(2).Set("includeThoughts", value.OfBool(true))
	effort := call.Reasoning.Effort
	levels := byLevel(call.Target.ModelID)
	switch {
	case levels && effort == "none":
		b.Set("thinkingLevel", value.Of("low")) // the least that all of them take
	case levels && effort != "":
		b.Set("thinkingLevel", value.Of(effort))
	case call.Reasoning.MaxTokens > 0:
		b.Set("thinkingBudget", value.OfInt(call.Reasoning.MaxTokens))
	case levels || effort == "":
	default:
		if n, ok := map[string]int{"none": 0, "minimal": 512, "low": 1024, "medium": 8192, "high": 24576}[effort]; ok {
			b.Set("thinkingBudget", value.OfInt(n))
		}
	}
	return b.Build()
}

// byLevel reports whether a model takes levels of thinking, as those since Gemini 3 do. They also want proofs of the tool
// calls that they are shown.
func byLevel(modelID string) bool {
	id := modelID[strings.LastIndexByte(modelID, '/')+1:]
	rest, ok := strings.CutPrefix(id, "gemini-")
	return ok && rest != "" && rest[0] >= '3' && rest[0] <= '9'
}

// choice says whether tools are to be used; absent for as the model likes.
func (w *writer) choice(c llm.ToolChoice) value.Value {
	mode := func(name string, more ...value.Member) value.Value {
		return value.Obj(append([]value.Member{value.M("mode", value.Of(name))}, more...)...)
	}
	switch c {
	case llm.Auto:
		return value.Value{}
	case llm.Required:
		return mode("ANY")
	case llm.NoTools:
		return mode("NONE")
	}
	return mode("ANY", value.M("allowedFunctionNames", value.List(value.Of(w.names.out(string(c))))))
}

func (w *writer) declare(list []llm.ToolSpec) []value.Value {
	var out []value.Value
	for _, t := range list {
		f := value.NewBuilder(3).Set("name", value.Of(w.names.out(t.Name)))
		if t.Description != "" {
			f.Set("description", value.Of(t.Description))
		}
		if t.Parameters.Get("properties").Len() > 0 { // without any, the provider wants none to be spoken of
			f.Set("parameters", clean(t.Parameters))
		}
		out = append(out, f.Build())
	}
	return out
}

// contents writes a conversation, and returns apart what belongs to the system prompt. Results of tools that follow each
// other are one message: the provider wants as many as there were calls.
func (w *writer) contents(call *llm.Call) (contents value.Value, system string, err error) {
	var out []value.Value
	var systems []string
	tools := false // the last message holds results
	for _, m := range call.Messages {
		if m.Role == llm.System {
			systems = append(systems, m.Text())
			continue
		}
		role := "user"
		switch m.Role {
		case llm.User, llm.Tool:
		case llm.Assistant:
			role = "model"
		default:
			return value.Value{}, "", fault.Newf(fault.Invalid, "a message has the unknown role %q", m.Role)
		}
		parts, err := w.parts(m, byLevel(call.Target.ModelID))
		if err != nil {
			return value.Value{}, "", err
		}
		if before := len(out) - 1; m.Role == llm.Tool && tools {
			parts = append(append([]value.Value(nil), out[before].Get("parts").Items()...), parts...)
			out = out[:before]
		}
		if tools = m.Role == llm.Tool; len(parts) == 0 {
			parts = []value.Value{textPart("...")} // the provider refuses nothing at all
		}
		out = append(out, value.Obj(value.M("role", value.Of(role)), value.M("parts", value.OfItems(parts))))
	}
	if len(out) == 0 || out[0].GetString("role") != "user" {
		out = append([]value.Value{value.Obj(value.M("role", value.Of("user")), value.M("parts", value.List(textPart("continue"))))}, out...)
	}
	return value.OfItems(out), strings.Join(systems, "\n"), nil
}

func textPart(text string) value.Value { return value.Obj(value.M("text", value.Of(text))) }

// made begins the ids of tool calls that the provider gave none.
const made = "call_"

// noProof stands in for the proof of a tool call that another model made; see
// https://ai.google.dev/gemini-api/docs/thought-signatures.
const noProof = "skip_thought_signature_validator"

// parts are the pieces of a message. proofs is set for models that want the first tool call of a message proven.
func (w *writer) parts(m llm.Message, proofs bool) ([]value.Value, error) {
	var out []value.Value
	calls := 0
	for _, part := range m.Content {
		switch p := part.(type) {
		case llm.Text:
			switch {
			case p.Signature != "":
				out = append(out, value.Obj(value.M("text", value.Of(p.Text)), value.M("thoughtSignature", value.Of(p.Signature))))
			case p.Text != "":
				out = append(out, textPart(p.Text))
			}
		case llm.ToolCall:
			args, err := value.Parse(p.Arguments)
			if err != nil || !args.IsObject() {
				args = value.Obj()
			}
			b := value.NewBuilder(2).Set("functionCall", identified(p.ID, value.M("name", value.Of(w.names.out(p.Name))), value.M("args", args)))
			switch {
			case p.Signature != "":
				b.Set("thoughtSignature", value.Of(p.Signature))
			case proofs && calls == 0:
				b.Set("thoughtSignature", value.Of(noProof))
			}
			calls++
			out = append(out, b.Build())
		case llm.ToolResult:
			response, err := value.Parse(p.Text)
			switch {
			case p.Failed:
				response = value.Obj(value.M("error", value.Of(p.Text)))
			case err != nil:
				response = value.Obj(value.M("result", value.Of(p.Text)))
			case !response.IsObject():
				response = value.Obj(value.M("result", response))
			}
			out = append(out, value.Obj(value.M("functionResponse", identified(p.CallID, value.M("name", value.Of(w.names.out(p.Name))), value.M("response", response)))))
		case llm.File:
			f, err := w.file(p)
			if err != nil {
				return nil, err
			}
			out = append(out, f)
		case llm.Image:
			if p.Data != nil {
				out = append(out, inline(p.MIME, p.Data))
			}
		}
	}
	return out, nil
}

// identified is a call or its result. Ids that the provider did not give are not shown to it.
func identified(id string, members ...value.Member) value.Value {
	if id != "" && !strings.HasPrefix(id, made) {
		members = append(members, value.M("id", value.Of(id)))
	}
	return value.Obj(members...)
}

func inline(mime string, data []byte) value.Value {
	return value.Obj(value.M("inlineData", value.Obj(value.M("mimeType", value.Of(mime)), value.M("data", value.Of(base64.StdEncoding.EncodeToString(data))))))
}

// file writes something to look at: as it is, or by the address that it was uploaded to.
func (w *writer) file(f llm.File) (value.Value, error) {
	if f.MIME == "" {
		return value.Value{}, fault.Newf(fault.Invalid, "a file has no type")
	}
	if address, ok := w.files[keyOf(f)]; ok {
		return value.Obj(value.M("fileData", value.Obj(value.M("mimeType", value.Of(f.MIME)), value.M("fileUri", value.Of(address))))), nil
	}
	return inline(f.MIME, f.Data), nil
}
