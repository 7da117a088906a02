package llms

import (
	"context"
	"strings"

	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// Names of what a run is told of the conversation that it belongs to: entries of the agent's cache, after the id of the
// conversation, which a header of the request holds.
const (
	headerCache = "x-cache-id"
	keySystem   = ":systemPrompt"
	keyMessages = ":messages"
)

// messages are what the model is shown before the prompt: what the agent is told about itself, and the conversation
// that the run belongs to.
func (a *asking) messages(ctx context.Context, s *genAISettings) ([]llm.Message, error) {
	var out []llm.Message
	id := ""
	for _, m := range a.call.Request.Headers.Members() {
		if strings.EqualFold(m.Key, headerCache) {
			id = m.Value.Text()
		}
	}
	if s.UseSystemPrompt.Truthy() {
		system, err := a.cached(ctx, id, keySystem)
		if err != nil {
			return nil, err
		}
		if system == "" {
			system = a.call.Agent.Behavior
		}
		if system != "" {
			out = append(out, llm.Say(llm.System, system))
		}
	}
	if s.UseContext.Truthy() {
		said, err := a.cached(ctx, id, keyMessages)
		if err != nil {
			return nil, err
		}
		out = append(out, a.window(said, whole(s.MaxContext))...)
	}
	return out, nil
}

// cached is what the cache holds about a conversation, "" for nothing.
func (a *asking) cached(ctx context.Context, id, key string) (string, error) {
	if id == "" {
		return "", nil
	}
	v, _, err := a.call.Cache().Get(ctx, id+key)
	if err != nil {
		return "", err
	}
	text, _ := v.Str()
	return text, nil
}

// window reads messages as JSON and returns the newest of them, as many as fit into so many tokens, the first of them one
// of the user. Calls of tools and their results are left out: they belong to another model.
func (a *asking) window(text string, tokens int) []llm.Message {
	if text == "" {
		return nil
	}
	said, err := value.Parse(text)
	if err != nil {
		return nil
	}
	room := min(tokens, a.info.Model.MaxContext())
	items := said.Items()
	var out []llm.Message
	from := len(items)
	for i := len(items) - 1; i >= 0; i-- {
		if room -= a.call.Host.CountTokens(items[i].GetString("content")) + perMessage; room < 0 {
			break
		}
		if items[i].GetString("role") == string(llm.User) {
			from = i
		}
	}
	for _, it := range items[from:] {
		role, content := llm.Role(it.GetString("role")), it.GetString("content")
		if (role == llm.User || role == llm.Assistant) && content != "" {
			out = append(out, llm.Say(role, content))
		}
	}
	return out
}

// perMessage is what the frame of a message costs, in tokens.
const perMessage = 3

// expand fills a template of the author with the inputs.
func expand(text string, a *asking) (string, error) {
	return template.Compile(text).Expand(a.in.Lookup, template.Options{})
}
