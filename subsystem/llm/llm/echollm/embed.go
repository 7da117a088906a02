package echollm

import (
	"context"
	"hash/fnv"
	"math"
	"strings"
	"unicode"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// Dimensions of vectors: the usual number, and the most.
const (
	usualDimensions = 256
	mostDimensions  = 4096
)

// Embed implements [llm.Embedder]. A vector counts the words of a text and the groups of three letters in them, each at a
// place that its hash decides, and has the length 1. The same text has the same vector, and texts with words in common lie near
// each other: enough to try a search without a model, and for tests. A text without a word has the vector 0.
func (*echo) Embed(ctx context.Context, call *llm.EmbedCall) (llm.Embeddings, error) {
	n := call.Dimensions
	if n == 0 {
		n = usualDimensions
	}
	if n < 1 || n > mostDimensions {
		return llm.Embeddings{}, fault.Newf(fault.Invalid, "vectors have 1 to %d dimensions, not %d", mostDimensions, n)
	}
	out := llm.Embeddings{Vectors: make([][]float32, len(call.Texts))}
	for i, text := range call.Texts {
		if ctx.Err() != nil {
			return llm.Embeddings{}, context.Cause(ctx)
		}
		out.Vectors[i] = vector(text, n)
	}
	return out, nil
}

func vector(text string, n int) []float32 {
	sums := make([]float64, n)
	for word := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
		add(sums, word, 1)
		letters := []rune(" " + word + " ")
		for i := 0; i+3 <= len(letters); i++ {
			add(sums, string(letters[i:i+3]), 0.3)
		}
	}
	length := 0.0
	for _, s := range sums {
		length += s * s
	}
	out := make([]float32, n)
	if length == 0 {
		return out
	}
	for i, s := range sums {
		out[i] = float32(s / math.Sqrt(length))
	}
	return out
}

// add counts a feature. Its hash decides the place and the sign, so that what falls together by chance evens out.
func add(sums []float64, feature string, weight float64) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(feature)) // never fails
	sum := h.Sum64()
	if sum>>63 == 1 {
		weight = -weight
	}
	sums[sum%uint64(len(sums))] += weight
}
