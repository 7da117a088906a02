package openaillm

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"math"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// Embed implements [llm.Embedder]. Vectors travel as base64 of little-endian 32-bit floats, a third of their size as text.
func (c *client) Embed(ctx context.Context, call *llm.EmbedCall) (llm.Embeddings, error) {
	if !c.habits.embeddings {
		return llm.Embeddings{}, fault.Newf(fault.Unsupported, "%s makes no embeddings", c.habits.provider)
	}
	ctx, opts, err := c.prepare(ctx, &call.Target, call.Credential)
	if err != nil {
		return llm.Embeddings{}, err
	}
	p := openai.EmbeddingNewParams{
		Model: call.Target.ModelID, Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: call.Texts}, EncodingFormat: openai.EmbeddingNewParamsEncodingFormatBase64,
	}
	if call.Query && len(call.Texts) == 1 {
		p.Input = openai.EmbeddingNewParamsInputUnion{OfString: param.NewOpt(call.Texts[0])}
	}
	if call.Dimensions > 0 && call.Target.ModelID != "text-embedding-ada-002" {
		p.Dimensions = param.NewOpt(int64(call.Dimensions))
	}
	service := openai.NewEmbeddingService(opts...)
	answer, err := service.New(ctx, p)
	if err != nil {
		return llm.Embeddings{}, c.explain(ctx, err)
	}
	out := llm.Embeddings{Vectors: make([][]float32, len(call.Texts)), Usage: llm.Usage{Input: int(answer.Usage.PromptTokens)}}
	for i := range answer.Data {
		d := &answer.Data[i]
		if d.Index < 0 || int(d.Index) >= len(out.Vectors) {
			return llm.Embeddings{}, fault.Newf(fault.Unavailable, "the provider sent a vector for text %d of %d", d.Index, len(call.Texts))
		}
		if out.Vectors[d.Index], err = vector(d); err != nil {
			return llm.Embeddings{}, err
		}
	}
	for i, v := range out.Vectors {
		if v == nil {
			return llm.Embeddings{}, fault.Newf(fault.Unavailable, "the provider sent no vector for text %d", i)
		}
	}
	return out, nil
}

// vector reads a vector that is base64, or a list of numbers from servers that know no base64.
func vector(d *openai.Embedding) ([]float32, error) {
	raw := rawJSON(d.JSON.Embedding.Raw())
	if raw.IsArray() {
		out := make([]float32, raw.Len())
		for i, it := range raw.Items() {
			n, ok := it.Num()
			if !ok {
				return nil, badVector()
			}
			out[i] = float32(n)
		}
		return out, nil
	}
	text, _ := raw.Str()
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) == 0 || len(data)%4 != 0 {
		return nil, badVector()
	}
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out, nil
}

func badVector() error {
	return fault.Newf(fault.Unavailable, "the provider sent a vector that is none")
}

var _ llm.Embedder = (*client)(nil)
