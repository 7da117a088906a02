// Package ollamallm asks models that Ollama runs, on this machine or another one.
//
// It speaks Ollama's own interface rather than the one that it shares with OpenAI: only there are thinking, images, the
// size of the context window and answers that fit a schema. Answers come as JSON objects on lines of their own. The
// interface is described at https://github.com/ollama/ollama/blob/main/docs/api.md.
package ollamallm

import (
	"context"
	"iter"
	"net/http"
	"strings"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/value"
)

type settings struct {
	BaseURL string `json:"baseURL" doc:"Address of Ollama, http://127.0.0.1:11434 when empty; a model may name another one."`
}

// Definition describes the connector.
var Definition = connector.Define(llm.Kind, "Ollama", "Asks models that Ollama runs.",
	func(_ context.Context, env connector.Env, s settings) (llm.Connector, error) {
		return &client{env: env, base: s.BaseURL}, nil
	})

// home is where Ollama listens when nobody told it otherwise.
const home = "http://127.0.0.1:11434"

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
	body, err := request(call)
	if err != nil {
		return err
	}
	ctx, way, address, header := c.prepare(ctx, &call.Target, call.Credential)
	r := reader{env: c.env, raw: call.Raw, yield: yield}
	if !call.Partial {
		answer, err := way.Ask(ctx, address+"/api/chat", header, body)
		if err != nil {
			return err
		}
		_, err = r.read(answer)
		return err
	}
	for line, err := range way.Lines(ctx, address+"/api/chat", header, body) {
		if err != nil {
			return err
		}
		piece, err := way.Decode(line)
		if err != nil {
			return err
		}
		if done, err := r.read(piece); done || err != nil {
			return err
		}
	}
	return nil // without a last piece the answer is not complete, and nothing is told
}

// prepare returns how a model is asked: the context, the way, the address without a path, and the headers. Ollama needs no
// key; one that is there is for a proxy before it or for Ollama's cloud.
func (c *client) prepare(ctx context.Context, target *models.Model, cred llm.Credential) (context.Context, *llm.Rest, string, http.Header) {
	base := target.BaseURL
	if base == "" {
		base = c.base
	}
	if base == "" {
		base = home
	}
	ctx = limits.WithRequestTime(llm.Reach(ctx, target, base), c.env.Bounds().ModelTime)
	header := http.Header{}
	if key := cred.Optional(); !key.IsZero() {
		slots := secret.NewSlots(c.env.Effects.NewID())
		ctx = secret.WithSlots(ctx, slots)
		header.Set("Authorization", "Bearer "+slots.Put(key))
	}
	address := strings.TrimRight(base, "/")
	for _, path := range []string{"/api", "/v1"} { // of one interface or the other
		address = strings.TrimSuffix(address, path)
	}
	way := &llm.Rest{
		HTTP:      c.env.HTTP,
		Clock:     c.env.Effects,
		Refused:   func(status int, body value.Value) llm.Refusal { return refusal(status, body, target.ModelID) },
		Unreached: "start Ollama (ollama serve), or set baseURL of the model or of the connector Ollama; the address is " + address,
	}
	return ctx, way, address, header
}

// refusal reads why Ollama refused, and says what to do.
func refusal(status int, body value.Value, model string) llm.Refusal {
	r := llm.Refusal{Message: body.GetString("error")}
	if r.Message == "" {
		r.Message, _ = body.Str()
	}
	switch status {
	case http.StatusNotFound:
		r.Hint = "get the model first: ollama pull " + model
	case http.StatusUnauthorized, http.StatusForbidden:
		r.Hint = "this server wants a key: sre vault set ollama"
	case http.StatusBadRequest:
		if strings.Contains(r.Message, "does not support") {
			r.Hint = "take another model, or leave out what this one cannot do"
		}
	}
	return r
}

// Embed implements [llm.Embedder].
func (c *client) Embed(ctx context.Context, call *llm.EmbedCall) (llm.Embeddings, error) {
	ctx, way, address, header := c.prepare(ctx, &call.Target, call.Credential)
	body := value.NewBuilder(3).Set("model", value.Of(call.Target.ModelID)).Set("input", value.Strings(call.Texts))
	if call.Dimensions > 0 {
		body.Set("dimensions", value.OfInt(call.Dimensions))
	}
	way.Bytes = c.env.Bounds().ResponseBytes
	answer, err := way.Ask(ctx, address+"/api/embed", header, body.Build())
	if err != nil {
		return llm.Embeddings{}, err
	}
	out := llm.Embeddings{Usage: llm.Usage{Input: count(answer.Get("prompt_eval_count"))}}
	for _, v := range answer.Get("embeddings").Items() {
		vector := make([]float32, v.Len())
		for i, it := range v.Items() {
			n, ok := it.Num()
			if !ok {
				return llm.Embeddings{}, fault.Newf(fault.Unavailable, "the provider sent a vector that is none")
			}
			vector[i] = float32(n)
		}
		out.Vectors = append(out.Vectors, vector)
	}
	return out, nil
}

var (
	_ llm.Connector = (*client)(nil)
	_ llm.Embedder  = (*client)(nil)
)
