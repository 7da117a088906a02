package sre_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/conformance"
	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// TestConformance_Conversation runs the recorded conversations, the requests to the model included.
func TestConformance_Conversation(t *testing.T) {
	t.Parallel()
	s := conformance.Run(t, bootTalker, conformance.Options{Folders: os.Getenv(conformance.FoldersVariable), Areas: []string{"conversation", "anthropic"}, Select: func(c *conformance.Case) bool { return c.Kind == conformance.KindConversation }})
	if n := len(s.Outcomes); n < 10 {
		t.Errorf("%d cases ran, want those of the area", n)
	}
}

// talking is a subject that holds conversations.
type talking struct{ *subject }

func bootTalker(t testing.TB, env conformance.Environment) conformance.Subject {
	return talking{&subject{t: t, env: env}}
}

// Converse implements [conformance.Talker].
func (s talking) Converse(ctx context.Context, file value.Value, d conformance.Dialog) (value.Value, error) {
	if spec, _ := d.Spec.Str(); spec != "agent" {
		for _, known := range s.env.Agents {
			if known.GetString("id") == spec {
				file = known
			}
		}
	}
	deploying, err := s.Deploy(ctx, file)
	if err != nil {
		return value.Value{}, err
	}
	agent := deploying.(deployed).agent
	o := sre.ChatOptions{Model: d.Model.Text(), Raw: true, Parallel: 4, System: d.Settings.GetString("systemPrompt"), MaxCalls: number(d.Settings, "maxToolCalls")}
	for _, t := range d.Tools {
		o.Tools = append(o.Tools, givenTool(t))
	}
	if n := number(d.Prompts[0], "concurrency"); n > 0 {
		o.Parallel = n
	}
	chat, err := agent.Chat(ctx, o)
	if err != nil {
		return value.Value{}, err
	}
	var turns []value.Value
	system, names := "", []string{}
	for _, p := range d.Prompts {
		turn := talkTurn{agent: agent, model: o.Model, dialect: dialectOf(o.Model)}
		turns = append(turns, turn.run(ctx, chat, p))
	}
	for _, tool := range chat.Tools() {
		names = append(names, tool.Name)
	}
	system = chat.System()
	return value.Obj(
		value.M("turns", value.OfItems(turns)), value.M("systemPrompt", value.Of(system)), value.M("toolNames", value.Strings(names)),
		value.M("messages", messagesOf(chat, o.Model)),
	), nil
}

// givenTool is a tool that a case adds to a conversation.
func givenTool(t value.Value) conversation.Tool {
	properties, required := value.NewBuilder(4), []string{}
	for _, m := range t.Get("arguments").Members() {
		p := m.Value
		if p.Get("required").Truthy() {
			required = append(required, m.Key)
		}
		if p = p.Without("name", "required"); !p.Has("type") {
			p = p.With("type", value.Of("string"))
		}
		properties.Set(m.Key, p)
	}
	return conversation.Tool{
		ToolSpec: llm.ToolSpec{
			Name: t.GetString("name"), Description: t.GetString("description"),
			Parameters: value.Obj(value.M("type", value.Of("object")), value.M("properties", properties.Build()), value.M("required", value.Strings(required))),
		},
		Do: func(_ context.Context, u conversation.Use) (value.Value, error) {
			if text := t.GetString("throws"); text != "" {
				return value.Value{}, errors.New(text)
			}
			if text, ok := t.Get("result").Str(); ok && text == "echo" {
				return u.Args, nil
			}
			return t.Get("result"), nil
		},
	}
}

// anyID stands for ids, which are compared by their form.
const anyID = "00000000-0000-4000-8000-000000000000"

// talkTurn tells the events of a turn as the reference does.
type talkTurn struct {
	agent  *sre.Agent
	model  string
	events []value.Value
	window value.Value
	first  llm.Reason // why the first answer ended, which the reference calls an interruption unless it is stop
	asked  int
	dialect
	answer answerOf
}

func (t *talkTurn) tell(name string, args ...value.Value) {
	t.events = append(t.events, value.List(append([]value.Value{value.Of(name)}, args...)...))
}

func request(more ...value.Member) value.Value {
	return value.Obj(append(more, value.M("requestId", value.Of(anyID)))...)
}

func (t *talkTurn) run(ctx context.Context, chat *sre.Chat, p value.Value) value.Value {
	var text string
	for e, err := range chat.Prompt(ctx, sre.Prompt{Text: p.GetString("message"), Headers: p.Get("headers")}) {
		if err != nil {
			message := providerText(err)
			if !p.Get("stream").Truthy() {
				return value.Obj(value.M("error", value.Of(message)), value.M("events", value.OfItems(t.events)))
			}
			t.tell("error", value.Obj(value.M("message", value.Of(message))), request())
			t.tell("end", request())
			break
		}
		t.event(e)
		if end, ok := e.(conversation.End); ok {
			text = end.Text
		}
	}
	return value.Obj(value.M("result", value.Of(text)), value.M("events", value.OfItems(t.events)))
}

// providerText is what the provider said.
func providerText(err error) string {
	var p *llm.ProviderError
	if errors.As(err, &p) {
		return p.Error()
	}
	var f *fault.Error
	if errors.As(err, &f) && f.Err != nil {
		return f.Err.Error()
	}
	return err.Error()
}

func (t *talkTurn) event(e conversation.Event) {
	switch e := e.(type) {
	case conversation.Requested:
		t.window = t.shown(e.Window)
		t.tell("requested", request(value.M("model", value.Of(t.model)), value.M("contextWindow", t.window),
			value.M("maxTokens", value.OfInt(e.Max)), value.M("agentId", value.Of(t.agent.ID()))))
		if t.asked++; t.asked == 1 {
			t.tell("start", request())
		}
	case conversation.Raw:
		switch {
		case t.texts:
		case t.answers:
			if m, done := t.answer.read(e.JSON); done {
				t.data(m)
			}
		default:
			t.data(e.JSON)
		}
	case conversation.Text:
		if t.texts {
			t.data(value.Obj(value.M("role", value.Of("assistant")), value.M("content", value.Of(e.Text))))
		}
		t.tell("content", value.Of(e.Text), request())
	case conversation.Planned:
		list := make([]value.Value, len(e.Calls))
		for i, c := range e.Calls {
			list[i] = t.tool(c)
		}
		t.tell("toolInfo", value.OfItems(list))
	case conversation.Calling:
		said := t.blockOf(e.Said)
		t.tell("beforeToolCall", value.Obj(value.M("tool", t.tool(e.Call)), value.M("args", e.Args)), said)
		b := value.NewBuilder(4).Set("tool", t.tool(e.Call))
		if e.Call.Label != "" {
			b.Set("status", value.Of(e.Call.Label))
		}
		t.tell("toolCall", b.Set("_llmRequest", said).Set("requestId", value.Of(anyID)).Build())
	case conversation.Called:
		if e.Pending {
			e.Call.Label = ""
			t.tell("toolResult", request(value.M("tool", t.tool(e.Call).With("result", value.Of(e.Text))), value.M("result", e.Result)))
			return
		}
		t.tell("afterToolCall", value.Obj(value.M("tool", t.tool(e.Call)), value.M("args", e.Args)), value.Of(e.Text))
		t.tell("toolResult", request(value.M("tool", t.tool(e.Call)), value.M("result", e.Result)))
	case conversation.Used:
		if t.first == "" {
			t.first = e.Reason
		}
		used := value.Obj(
			value.M("sourceId", value.Of("llm:"+t.model)), value.M("input_tokens", value.OfInt(e.Usage.Input)), value.M("output_tokens", value.OfInt(e.Usage.Output)),
			value.M("input_tokens_cache_write", value.OfInt(e.Usage.CacheWrite)), value.M("input_tokens_cache_read", value.OfInt(e.Usage.CacheRead)),
			value.M("keySource", value.Of("user-managed")), value.M("agentId", value.Of(t.agent.ID())), value.M("teamId", value.Of(t.agent.Team())),
		)
		if !t.noCost {
			used = used.With("cost", value.OfInt(0))
		}
		t.tell("usage", value.List(used), request())
	case conversation.Interrupted:
		t.tell("interrupted", value.Of(e.Reason), request())
	case conversation.End:
		if t.interrupts && t.first == llm.ToolCalls {
			t.tell("interrupted", value.Of("tool_calls"), request())
		}
		t.tell("end", request())
	}
}

func (t *talkTurn) data(v value.Value) {
	t.tell("data", v, request(value.M("contextWindow", t.window), value.M("model", value.Of(t.model))))
}

// blockOf is an answer that asks for tools.
func (d dialect) blockOf(m llm.Message) value.Value {
	var calls []value.Value
	for _, part := range m.Content {
		if c, ok := part.(llm.ToolCall); ok {
			calls = append(calls, value.Obj(value.M("id", value.Of(c.ID)), value.M("type", value.Of("function")),
				value.M("function", value.Obj(value.M("name", value.Of(c.Name)), value.M("arguments", d.arguments(c.Arguments))))))
		}
	}
	b := value.NewBuilder(3).Set("role", value.Of("assistant")).Set("content", value.Of(m.Text()))
	if calls != nil {
		b.Set("tool_calls", value.OfItems(calls))
	}
	return b.Build()
}

// windowOf is what the model is shown, in the form of Chat Completions.
func windowOf(list []llm.Message) value.Value {
	var out []value.Value
	for _, m := range list {
		switch m.Role {
		case llm.Assistant:
			out = append(out, dialect{}.blockOf(m))
		case llm.Tool:
			for _, part := range m.Content {
				if r, ok := part.(llm.ToolResult); ok {
					out = append(out, value.Obj(value.M("tool_call_id", value.Of(r.CallID)), value.M("role", value.Of("tool")), value.M("name", value.Of(r.Name)), value.M("content", value.Of(r.Text))))
				}
			}
		default:
			out = append(out, value.Obj(value.M("role", value.Of(string(m.Role))), value.M("content", value.Of(m.Text()))))
		}
	}
	return value.OfItems(out)
}

// messagesOf is a history as the reference keeps it: a call and its results are one entry.
func messagesOf(chat *sre.Chat, model string) value.Value {
	entries := chat.Entries()
	labels := map[string]string{}
	for _, t := range chat.Tools() {
		labels[t.Name] = t.Label
	}
	turn := talkTurn{model: model, dialect: dialectOf(model)}
	var out []value.Value
	for i := 0; i < len(entries); i++ {
		e := entries[i]
		b := value.NewBuilder(4)
		if i+1 < len(entries) && entries[i+1].Message.Role == llm.Tool {
			b.Set("messageBlock", turn.blockOf(e.Message)).Set("toolsData", turn.results(e.Message, entries[i+1].Message, labels))
			i++
		} else {
			b.Set("role", value.Of(string(e.Message.Role))).Set("content", value.Of(e.Message.Text()))
		}
		data := value.NewBuilder(4).Set("message_id", value.Of("msg_"+anyID))
		if e.Internal {
			data.Set("internal", value.OfBool(true))
		}
		if len(out) > 0 {
			data.Set("prev", value.Of("msg_"+anyID))
		}
		next := []string{}
		if i+1 < len(entries) {
			next = append(next, "msg_"+anyID)
		}
		out = append(out, b.Set("__smyth_data__", data.Set("next", value.Strings(next)).Build()).Build())
	}
	return value.OfItems(out)
}

// results are calls with what became of them. One that was never made has no label.
func (t *talkTurn) results(asked, answered llm.Message, labels map[string]string) value.Value {
	var out []value.Value
	texts := map[string]string{}
	for _, part := range answered.Content {
		if r, ok := part.(llm.ToolResult); ok {
			texts[r.CallID] = r.Text
		}
	}
	for _, part := range asked.Content {
		if c, ok := part.(llm.ToolCall); ok {
			call := conversation.Call{Index: len(out), ID: c.ID, Name: c.Name, Arguments: c.Arguments, Label: labels[c.Name]}
			if strings.Contains(texts[c.ID], `"pending":true`) {
				call.Label = ""
			}
			out = append(out, t.tool(call).With("result", value.Of(texts[c.ID])))
		}
	}
	return value.OfItems(out)
}
