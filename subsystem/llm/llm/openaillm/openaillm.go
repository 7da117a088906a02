// Package openaillm asks models that speak OpenAI's interfaces: Chat Completions and Responses, embeddings and images.
//
// Many providers speak them. Each is a connector of its own with its address and its habits, see [Definitions]; any
// other server of the kind, such as vLLM, LM Studio or llama.cpp, is reached by the connector OpenAICompatible or by the
// base URL of a model.
//
// The official SDK carries the protocol. Everything else is decided here and above: which address, which key, how long,
// and when an answer is complete. Answers of Chat Completions in pieces, which are most, take a shorter way: the SDK writes
// the request and cuts the stream into events, the rest is here.
package openaillm

import (
	"context"
	"iter"
	"strings"

	"github.com/openai/openai-go/v3/option"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/models"
)

type settings struct {
	BaseURL string `json:"baseURL" doc:"Address of the interface, such as https://api.openai.com/v1; a model may name another one."`
}

// Definitions returns a connector for each provider.
func Definitions() []connector.Definition {
	var out []connector.Definition
	for _, h := range habitsOf() {
		out = append(out, connector.Define(llm.Kind, h.name, "Asks models of "+h.provider+".",
			func(_ context.Context, env connector.Env, s settings) (llm.Connector, error) {
				c := &client{env: env, habits: h}
				if s.BaseURL != "" {
					c.habits.base = s.BaseURL
				}
				return c, nil
			}))
	}
	return out
}

// client is the connector of one provider.
type client struct {
	env    connector.Env
	habits habits
}

// Generate implements [llm.Connector].
func (c *client) Generate(ctx context.Context, call *llm.Call) iter.Seq2[llm.Part, error] {
	return func(yield func(llm.Part, error) bool) {
		var err error
		if call.Partial && !c.responses(call) {
			err = c.chatStream(ctx, call, yield)
		} else {
			err = c.bySDK(ctx, call, yield)
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// bySDK asks for what the SDK reads: answers of the Responses interface, and whole ones.
func (c *client) bySDK(ctx context.Context, call *llm.Call, yield func(llm.Part, error) bool) error {
	ctx, opts, err := c.prepare(ctx, &call.Target, call.Credential)
	switch {
	case err != nil:
		return err
	case c.responses(call):
		return c.respond(ctx, call, opts, yield)
	}
	return c.chatWhole(ctx, call, opts, yield)
}

// responses reports whether a call goes to the Responses interface.
func (c *client) responses(call *llm.Call) bool {
	return call.Target.Interface == "responses" || call.Search != nil && c.habits.searches
}

// route is where a request goes to, and with which key. The key itself is not in it but a stand-in, which the door to the
// network fills when the host may see it.
type route struct {
	base string // address of the interface, with a slash at its end
	key  string // "" for none
}

// route returns the route of a request and the context for it.
func (c *client) route(ctx context.Context, target *models.Model, cred llm.Credential) (context.Context, route, error) {
	var r route
	base := target.BaseURL
	if base == "" {
		base = c.habits.base
	}
	if base == "" {
		return ctx, r, fault.Hint(fault.Newf(fault.Invalid, "the address of the model server is not known"), "set OPENAI_COMPATIBLE_BASE_URL, or baseURL of the model or of the connector %s", c.habits.name)
	}
	r.base = strings.TrimSuffix(base, "/") + "/"
	key := cred.Optional()
	if key.IsZero() && (c.habits.needsKey || base == openAI) {
		var err error
		if key, err = cred.Key(); err != nil {
			return ctx, r, err
		}
	}
	if !key.IsZero() {
		slots := secret.NewSlots(c.env.Effects.NewID())
		ctx = secret.WithSlots(ctx, slots)
		r.key = slots.Put(key)
	}
	return limits.WithRequestTime(llm.Reach(ctx, target, base), c.env.Bounds().ModelTime), r, nil
}

// prepare returns the context and the options of a request by the SDK.
func (c *client) prepare(ctx context.Context, target *models.Model, cred llm.Credential) (context.Context, []option.RequestOption, error) {
	ctx, r, err := c.route(ctx, target, cred)
	opts := []option.RequestOption{option.WithBaseURL(r.base), option.WithHTTPClient(c.env.HTTP), option.WithMaxRetries(0)}
	if r.key != "" {
		opts = append(opts, option.WithHeader("Authorization", "Bearer "+r.key))
	}
	return ctx, opts, err
}

var _ llm.Connector = (*client)(nil)
