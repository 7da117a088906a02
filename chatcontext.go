package sre

import (
	"context"
	"time"

	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// Components of a skill may look at the conversation that calls it. It lies in the cache of the agent while the skill
// runs, under an id that the request carries; only agents with such components put it there.

const (
	headerCacheID = "x-cache-id"
	contextTTL    = time.Hour
)

// sharesContext reports whether a component of the agent looks at conversations.
func (a *Agent) sharesContext() bool {
	doc := a.Document()
	for i := range doc.Components {
		s := doc.Components[i].Settings
		if s.Get("useContextWindow").Truthy() || s.Get("useSystemPrompt").Truthy() {
			return true
		}
	}
	return false
}

// share puts a conversation where the components of the agent look for it, and returns the header that says where.
func (a *Agent) share(ctx context.Context, of *conversation.Conversation) (value.Value, error) {
	var said []value.Value
	for _, e := range of.Entries() {
		text := e.Message.Text()
		if role := e.Message.Role; (role == llm.User || role == llm.Assistant) && !e.Internal && text != "" {
			said = append(said, value.Obj(value.M("role", value.Of(string(role))), value.M("content", value.Of(text))))
		}
	}
	kept := a.Services().Cache()
	for key, text := range map[string]string{":systemPrompt": of.System(), ":messages": value.OfItems(said).JSON()} {
		if err := kept.Set(ctx, of.ID()+key, value.Of(text), cache.Options{TTL: contextTTL}); err != nil {
			return value.Value{}, err
		}
	}
	return value.Obj(value.M(headerCacheID, value.Of(of.ID()))), nil
}
