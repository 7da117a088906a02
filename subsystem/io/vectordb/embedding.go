package vectordb

import (
	"context"
	"strings"
	"sync"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/chunk"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// Embedding is how texts become vectors. It stands in the settings of every connector under the name "embeddings".
type Embedding struct {
	Model      string `json:"model" default:"text-embedding-3-large" doc:"Model that makes the vectors of namespaces that are made from now on."`
	Dimensions int    `json:"dimensions" sre:"min=1,max=8192" default:"3072" doc:"Numbers in each vector. The model has to make vectors of this length."`
	Size       int    `json:"chunkSize" sre:"min=1,max=100000" default:"512" doc:"Length of a chunk at most, in UTF-16 code units, where a text does not say."`
	Overlap    int    `json:"chunkOverlap" sre:"min=0,max=100000" default:"100" doc:"How much of a chunk the next one begins with, at most, where a text does not say."`
	Batch      int    `json:"batchSize" sre:"min=1,max=2048" default:"10" doc:"Chunks in one request to the model, at most."`
}

// parallel is how many requests to the model one text has under way at once.
const parallel = 4

// newlines become blanks before a text is shown to a model: some give worse vectors with them.
func newlines() *strings.Replacer { return strings.NewReplacer("\r\n", " ", "\n", " ") }

// split cuts a text into chunks.
func split(text string, size, overlap int) ([]string, error) {
	pieces, err := chunk.Splitter{Size: size, Overlap: overlap}.Split(text)
	if err != nil {
		return nil, err
	}
	if len(pieces) > MaxChunks {
		err := fault.Limitf(LimitChunks, "the text makes %d chunks, over the limit of %d", len(pieces), MaxChunks)
		return nil, fault.Hint(err, "make the chunks larger, or give the text in parts")
	}
	return pieces, nil
}

// vectors asks the model of a namespace for the vectors of texts that are kept.
func (h *Handle) vectors(ctx context.Context, ns Namespace, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	batch := max(h.service.conn.Embedding().Batch, 1)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(parallel, (len(texts)+batch-1)/batch) {
		wg.Go(func() {
			for from := range next {
				to := min(from+batch, len(texts))
				got, err := h.ask(ctx, ns, texts[from:to], false)
				if err != nil {
					cancel(err)
					return
				}
				copy(out[from:to], got)
			}
		})
	}
	for from := 0; from < len(texts) && ctx.Err() == nil; from += batch {
		select {
		case next <- from:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return out, nil
}

// ask asks the model of a namespace for vectors, and sees to it that they are of use. query tells a text that is looked
// for from those that are kept.
func (h *Handle) ask(ctx context.Context, ns Namespace, texts []string, query bool) ([][]float32, error) {
	shown := make([]string, len(texts))
	blank := newlines()
	for i, text := range texts {
		shown[i] = blank.Replace(text)
	}
	got, err := h.service.embed(ctx, h.candidate, llm.EmbedRequest{Model: ns.Model, Texts: shown, Dimensions: ns.Dimensions, Query: query})
	if fault.CodeOf(err) == llm.CodeNoKey {
		err = fault.Hint(err, "or set embeddings.model of the VectorDB connector to a model that needs no key")
	}
	if err != nil {
		return nil, err
	}
	for _, v := range got.Vectors {
		if err := usable(ns, v); err != nil {
			return nil, err
		}
	}
	return got.Vectors, nil
}
