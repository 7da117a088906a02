// Package anthropicllm asks models of Anthropic through the Messages interface.
//
// The official SDK carries the protocol. Tools, thinking and the system prompt go together, what the model thought is sent
// back with its signature so that it can go on thinking after a tool, and the beginning of a conversation is marked for
// the provider's cache when the caller asks for it.
package anthropicllm

import (
	"context"
	"iter"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

type settings struct {
	BaseURL string `json:"baseURL" doc:"Address of the interface, https://api.anthropic.com when empty; a model may name another one."`
}

// Definition describes the connector.
var Definition = connector.Define(llm.Kind, "Anthropic", "Asks models of Anthropic.",
	func(_ context.Context, env connector.Env, s settings) (llm.Connector, error) {
		return &client{env: env, base: s.BaseURL}, nil
	})

// home is the address of the provider itself.
const home = "https://api.anthropic.com"

type client struct {
	env  connector.Env
	base string
}

// Generate implements [llm.Connector].
func (c *client) Generate(ctx context.Context, call *llm.Call) iter.Seq2[llm.Part, error] {
	return func(yield func(llm.Part, error) bool) {
		if err := c.generate(ctx, call, yield); err != nil {
			yield(nil, err)
		}
	}
}

func (c *client) generate(ctx context.Context, call *llm.Call, yield func(llm.Part, error) bool) error {
	key, err := call.Credential.Key()
	if err != nil {
		return err
	}
	slots := secret.NewSlots(c.env.Effects.NewID())
	ctx = limits.WithRequestTime(secret.WithSlots(ctx, slots), c.env.Bounds().ModelTime)
	base := call.Target.BaseURL
	if base == "" {
		base = c.base
	}
	if base == "" {
		base = home
	}
	ctx = llm.Reach(ctx, &call.Target, base)
	opts := []option.RequestOption{
		option.WithBaseURL(base), option.WithHTTPClient(c.env.HTTP), option.WithMaxRetries(0), option.WithHeader("X-Api-Key", slots.Put(key)),
		option.WithHeader("anthropic-version", "2023-06-01"),
	}
	r, err := newRequest(call)
	if err != nil {
		return err
	}
	service := anthropic.NewMessageService(append(opts, r.more...)...)
	if call.Partial {
		return c.stream(ctx, call, &service, r, yield)
	}
	answer, err := service.New(ctx, r.body)
	if err != nil {
		return c.explain(ctx, err)
	}
	return whole(answer, r.prefix, yield)
}

var _ llm.Connector = (*client)(nil)
