package llms

import (
	"context"
	"strings"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

type assistantSettings struct {
	Model       value.Value `json:"model" sre:"required" doc:"The model to ask: the id of one, or an object {provider, modelId, ...} that describes it."`
	Behavior    string      `json:"behavior" sre:"label=Behavior,allowEmpty,max=30000,template" doc:"What the model is told about itself, with {{placeholders}} for inputs and agent variables."`
	Passthrough value.Value `json:"passthrough" doc:"Show the answer as it comes to whoever watches the run."`
	TTL         value.Value `json:"ttl" doc:"Seconds that a conversation is kept after its last message; as long as the cache keeps it without."`
}

func assistant() component.Definition {
	return component.Define(component.Spec{
		Name:    "LLMAssistant",
		Summary: "Talks with somebody and remembers what was said.",
		Doc: "A conversation belongs to the `UserId` and the `ConversationId`; without both nothing is remembered. What is remembered lies in the " +
			"cache of the agent. The model is shown the newest messages that fit into half of what it can answer.",
		Category: component.Models,
		Inputs: []component.Port{
			{Name: "UserInput", Doc: "What is said."}, {Name: "UserId", Doc: "Who says it."}, {Name: "ConversationId", Doc: "In which conversation."},
		},
		Outputs: []component.Port{{Name: "Response", Doc: "The answer: text, or what its JSON holds."}},
	}, runAssistant)
}

func runAssistant(ctx context.Context, call *component.Call, s *assistantSettings, in component.Input) (value.Value, error) {
	if call.Logs() {
		call.LogDebug("== LLM Assistant Log ==\n")
		call.LogDebug(" Model : " + modelName(s.Model))
	}
	reply, err := converse(ctx, call, s, in)
	if err != nil {
		if call.Logs() {
			call.LogError(err.Error())
		}
		return value.Value{}, err
	}
	if call.Logs() {
		call.LogDebug("\n Response \n", shown(reply))
	}
	return value.Obj(value.M("Response", reply)), nil
}

func converse(ctx context.Context, call *component.Call, s *assistantSettings, in component.Input) (value.Value, error) {
	a := &asking{call: call, in: in}
	if err := a.choose(ctx, s.Model); err != nil {
		return value.Value{}, err
	}
	behavior, err := expand(s.Behavior, a)
	if err != nil {
		return value.Value{}, err
	}
	if call.Logs() {
		call.LogDebug(" [Parsed Behavior] \n" + behavior)
	}
	m := &remembered{call: call, key: conversationKey(call, in), ttl: seconds(s.TTL)}
	said, err := m.load(ctx)
	if err != nil {
		return value.Value{}, err
	}
	input := in.Get("UserInput").Plain()
	prompt := input
	if !a.info.Literal {
		prompt = llm.Expect(input, expected(call.Node.Outputs), llm.AnyValue)
	}
	req := llm.Request{Model: a.model, Inline: a.inline, Messages: append([]llm.Message{llm.Say(llm.System, behavior)}, a.newest(said)...)}
	req.Messages = append(req.Messages, llm.Say(llm.User, prompt))
	answer, err := a.ask(ctx, req, s.Passthrough.Truthy())
	if err != nil {
		return value.Value{}, err
	}
	reply := parse(answer.Text, a.info.Literal)
	if err := complaint(reply, answer.Finish.Reason); err != nil {
		return value.Value{}, err
	}
	return reply, m.save(ctx, append(said, llm.Say(llm.User, prompt), llm.Say(llm.Assistant, answer.Text)))
}

// ask asks for an answer with text, which is shown as it comes when it is to be.
func (a *asking) ask(ctx context.Context, req llm.Request, show bool) (*llm.Response, error) {
	var answer *llm.Response
	var err error
	if show || streamsOnly(a.info) {
		parts := a.call.LLM().Stream(ctx, req)
		if show {
			parts = passing(a.call, parts)
		}
		answer, err = llm.Collect(parts)
	} else {
		answer, err = a.call.LLM().Generate(ctx, req)
	}
	if err != nil {
		return nil, failed(err)
	}
	if answer.Text == "" {
		return nil, fault.Newf(fault.Unavailable, " LLM Error = Empty Response!")
	}
	return answer, nil
}

// streamsOnly reports whether a model is asked for a stream even when nobody watches: long answers of it come no other way.
func streamsOnly(info llm.Info) bool {
	return strings.EqualFold(info.Model.Provider, "Anthropic") && strings.Contains(info.Model.ModelID, "-4")
}

// newest returns the newest messages that fit into half of the longest answer, beginning with one of the user.
func (a *asking) newest(said []llm.Message) []llm.Message {
	room := a.info.Model.MaxOutput() / 2
	from := len(said)
	for i := len(said) - 1; i >= 0; i-- {
		if room -= a.call.Host.CountTokens(said[i].Text()) + perMessage; room < 0 {
			break
		}
		if said[i].Role == llm.User {
			from = i
		}
	}
	return said[from:]
}

// remembered is a conversation in the cache: a list of {role, content}.
type remembered struct {
	call *component.Call
	key  string // "" for a conversation that nobody remembers
	ttl  time.Duration
}

func conversationKey(call *component.Call, in component.Input) string {
	user, conversation := in.Get("UserId").Plain(), in.Get("ConversationId").Plain()
	if user == "" && conversation == "" {
		return ""
	}
	return call.Agent.ID + ":conv-u" + user + "-c" + conversation
}

func seconds(v value.Value) time.Duration {
	n, ok := v.Num()
	if text, isText := v.Str(); isText {
		parsed, err := value.Parse(text)
		if err == nil {
			n, ok = parsed.Num()
		}
	}
	if !ok || !(n > 0 && n < 1e9) {
		return 0
	}
	return time.Duration(n * float64(time.Second))
}

// load returns what was said, without what the model was told about itself.
func (m *remembered) load(ctx context.Context) ([]llm.Message, error) {
	if m.key == "" {
		return nil, nil
	}
	v, _, err := m.call.Cache().Get(ctx, m.key)
	if err != nil {
		return nil, err
	}
	text, _ := v.Str()
	list, err := value.Parse(text)
	if err != nil {
		return nil, nil //nolint:nilerr // what cannot be read was not said
	}
	var said []llm.Message
	for _, it := range list.Items() {
		if role := llm.Role(it.GetString("role")); role == llm.User || role == llm.Assistant {
			said = append(said, llm.Say(role, it.Get("content").Plain()))
		}
	}
	return said, nil
}

func (m *remembered) save(ctx context.Context, said []llm.Message) error {
	if m.key == "" {
		return nil
	}
	list := make([]value.Value, len(said))
	for i, s := range said {
		list[i] = value.Obj(value.M("role", value.Of(string(s.Role))), value.M("content", value.Of(s.Text())))
	}
	return m.call.Cache().Set(ctx, m.key, value.Of(value.OfItems(list).JSON()), cache.Options{TTL: m.ttl})
}
