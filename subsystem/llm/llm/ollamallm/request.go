package ollamallm

import (
	"encoding/base64"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// request writes a call.
func request(call *llm.Call) (value.Value, error) {
	list, err := messages(call.Messages)
	if err != nil {
		return value.Value{}, err
	}
	body := value.NewBuilder(8).Set("model", value.Of(call.Target.ModelID)).Set("messages", list).Set("stream", value.OfBool(call.Partial))
	offered := tools(call)
	switch {
	case len(offered) > 0:
		// A form that is forced keeps the model from asking for a tool; that it answers in JSON it is told in words.
		body.Set("tools", value.OfItems(offered))
	case call.Format.Schema.IsObject():
		body.Set("format", call.Format.Schema)
	case call.Format.JSON:
		body.Set("format", value.Of("json"))
	}
	if call.Reasoning.On {
		body.Set("think", effort(call.Reasoning.Effort))
	}
	settings := options(call)
	for _, m := range call.Extra.Members() {
		if m.Key == "options" {
			for _, o := range m.Value.Members() {
				settings.Set(o.Key, o.Value)
			}
			continue
		}
		body.Set(m.Key, m.Value)
	}
	return body.Set("options", settings.Build()).Build(), nil
}

// effort is how much a model thinks. Most only know whether they do.
func effort(effort string) value.Value {
	switch effort {
	case "low", "medium", "high":
		return value.Of(effort)
	case "minimal":
		return value.Of("low")
	case "none":
		return value.OfBool(false)
	}
	return value.OfBool(true)
}

// options are the settings of how an answer is found. The window is that of the model's entry when it says so: it costs
// memory of the server, which has a size of its own otherwise.
func options(call *llm.Call) *value.Builder {
	b := value.NewBuilder(8).Set("num_predict", value.OfInt(call.MaxTokens))
	if n := call.Target.Settings.Get("num_ctx"); !n.IsNil() {
		b.Set("num_ctx", n)
	}
	for _, o := range []struct {
		name string
		of   *float64
	}{
		{"temperature", call.Temperature}, {"top_p", call.TopP}, {"frequency_penalty", call.FrequencyPenalty}, {"presence_penalty", call.PresencePenalty},
	} {
		if o.of != nil {
			b.Set(o.name, value.OfNumber(*o.of))
		}
	}
	for _, o := range []struct {
		name string
		of   *int
	}{{"top_k", call.TopK}, {"seed", call.Seed}} {
		if o.of != nil {
			b.Set(o.name, value.OfInt(*o.of))
		}
	}
	if len(call.Stop) > 0 {
		b.Set("stop", value.Strings(call.Stop))
	}
	return b
}

// tools are those that the model is shown. It cannot be made to use one: when one is to be used, it is shown no other.
func tools(call *llm.Call) []value.Value {
	if call.ToolChoice == llm.NoTools {
		return nil
	}
	var out []value.Value
	for _, t := range call.Tools {
		if call.ToolChoice != llm.Auto && call.ToolChoice != llm.Required && string(call.ToolChoice) != t.Name {
			continue
		}
		f := value.NewBuilder(3).Set("name", value.Of(t.Name)).Set("description", value.Of(t.Description))
		if t.Parameters.IsObject() {
			f.Set("parameters", t.Parameters)
		} else {
			f.Set("parameters", value.Obj(value.M("type", value.Of("object")), value.M("properties", value.Obj())))
		}
		out = append(out, value.Obj(value.M("type", value.Of("function")), value.M("function", f.Build())))
	}
	return out
}

// messages writes a conversation. The results of several tools are a message each.
func messages(list []llm.Message) (value.Value, error) {
	out := make([]value.Value, 0, len(list))
	for _, m := range list {
		switch m.Role {
		case llm.System, llm.User, llm.Assistant:
			said, err := message(m)
			if err != nil {
				return value.Value{}, err
			}
			out = append(out, said)
		case llm.Tool:
			for _, part := range m.Content {
				if r, ok := part.(llm.ToolResult); ok {
					out = append(out, value.Obj(value.M("role", value.Of("tool")), value.M("content", value.Of(r.Text)),
						value.M("tool_name", value.Of(r.Name)), value.M("tool_call_id", value.Of(r.CallID))))
				}
			}
		default:
			return value.Value{}, fault.Newf(fault.Invalid, "a message has the unknown role %q", m.Role)
		}
	}
	return value.OfItems(out), nil
}

func message(m llm.Message) (value.Value, error) {
	b := value.NewBuilder(5).Set("role", value.Of(string(m.Role))).Set("content", value.Of(m.Text()))
	var images, calls []value.Value
	var thoughts strings.Builder
	for _, part := range m.Content {
		switch p := part.(type) {
		case llm.Thinking:
			thoughts.WriteString(p.Text)
		case llm.ToolCall:
			arguments, err := value.Parse(p.Arguments)
			if err != nil || !arguments.IsObject() {
				arguments = value.Obj()
			}
			calls = append(calls, value.Obj(value.M("id", value.Of(p.ID)),
				value.M("function", value.Obj(value.M("index", value.OfInt(len(calls))), value.M("name", value.Of(p.Name)), value.M("arguments", arguments)))))
		case llm.File:
			if !strings.HasPrefix(p.MIME, "image/") {
				return value.Value{}, fault.Newf(fault.Invalid, "files of the type %s cannot be sent to this provider", p.MIME)
			}
			images = append(images, value.Of(base64.StdEncoding.EncodeToString(p.Data)))
		}
	}
	if thoughts.Len() > 0 && len(calls) > 0 { // it goes on thinking where it was; other thoughts are over
		b.Set("thinking", value.Of(thoughts.String()))
	}
	if images != nil {
		b.Set("images", value.OfItems(images))
	}
	if calls != nil {
		b.Set("tool_calls", value.OfItems(calls))
	}
	return b.Build(), nil
}
