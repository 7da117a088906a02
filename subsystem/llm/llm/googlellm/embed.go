package googlellm

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// Texts in one request for vectors. The models of Vertex that are named after Gemini take one.
const (
	batch      = 100
	cloudBatch = 5
)

// fullLength is the length of vectors that come with the length one; shorter ones are given it here.
const fullLength = 3072

// Embed implements [llm.Embedder].
func (c *client) Embed(ctx context.Context, call *llm.EmbedCall) (llm.Embeddings, error) {
	var out llm.Embeddings
	to, err := c.route(ctx, &call.Target, call.Credential)
	if err != nil {
		return out, err
	}
	size, ask := batch, to.embed
	if c.cloud {
		size, ask = cloudBatch, to.predict
		if strings.Contains(call.Target.ModelID, "gemini") {
			size = 1
		}
	}
	for texts := range slices.Chunk(call.Texts, size) {
		before := len(out.Vectors)
		if err := ask(call, texts, &out); err != nil {
			return llm.Embeddings{}, err
		}
		if got := len(out.Vectors) - before; got != len(texts) {
			return llm.Embeddings{}, fault.Newf(fault.Unavailable, "the provider sent %d vectors for %d texts", got, len(texts))
		}
	}
	if call.Dimensions > 0 && call.Dimensions != fullLength {
		for _, v := range out.Vectors {
			unit(v)
		}
	}
	return out, nil
}

// embed asks the Gemini API for vectors, see https://ai.google.dev/api/embeddings. It does not tell what was used.
func (to *route) embed(call *llm.EmbedCall, texts []string, out *llm.Embeddings) error {
	requests := make([]value.Value, len(texts))
	for i, text := range texts {
		b := value.NewBuilder(3).Set("model", value.Of(resource(call.Target.ModelID, "models/"))).
			Set("content", value.Obj(value.M("parts", value.List(textPart(text)))))
		if call.Dimensions > 0 {
			b.Set("outputDimensionality", value.OfInt(call.Dimensions))
		}
		requests[i] = b.Build()
	}
	answer, err := to.Ask(to.ctx, to.model+":batchEmbedContents", to.header, value.Obj(value.M("requests", value.OfItems(requests))))
	if err != nil {
		return err
	}
	for _, e := range answer.Get("embeddings").Items() {
		v, err := vectorOf(e.Get("values"))
		if err != nil {
			return err
		}
		out.Vectors = append(out.Vectors, v)
	}
	return nil
}

// predict asks Vertex AI for vectors.
func (to *route) predict(call *llm.EmbedCall, texts []string, out *llm.Embeddings) error {
	instances := make([]value.Value, len(texts))
	for i, text := range texts {
		instances[i] = value.Obj(value.M("content", value.Of(text)))
	}
	body := value.NewBuilder(2).Set("instances", value.OfItems(instances))
	if call.Dimensions > 0 {
		body.Set("parameters", value.Obj(value.M("outputDimensionality", value.OfInt(call.Dimensions))))
	}
	answer, err := to.Ask(to.ctx, to.model+":predict", to.header, body.Build())
	if err != nil {
		return err
	}
	for _, p := range answer.Get("predictions").Items() {
		e := p.Get("embeddings")
		v, err := vectorOf(e.Get("values"))
		if err != nil {
			return err
		}
		out.Vectors = append(out.Vectors, v)
		out.Usage.Input += whole(e.Get("statistics").Get("token_count"))
	}
	return nil
}

// unit gives a vector the length one.
func unit(v []float32) {
	sum := 0.0
	for _, f := range v {
		sum += float64(f) * float64(f)
	}
	if sum == 0 {
		return
	}
	length := math.Sqrt(sum)
	for i, f := range v {
		v[i] = float32(float64(f) / length)
	}
}
