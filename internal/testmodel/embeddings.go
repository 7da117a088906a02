package testmodel

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"math"
	"strings"

	"github.com/sre-go/sre/value"
)

// vectorsOf returns how a request for embeddings at a path is answered. The script does not speak of them.
func vectorsOf(path string) (answer func(body value.Value) value.Value, ok bool) {
	switch path {
	case embeddingsPath:
		return embeddings, true
	case ollamaEmbed:
		return ollamaEmbeddings, true
	}
	return geminiEmbeddings(path)
}

const (
	embeddingsPath    = version + "/embeddings"
	defaultDimensions = 1536
	maxDimensions     = 1 << 16
)

// embeddings answers a request for embeddings: each text as a bag of its words.
func embeddings(body value.Value) value.Value {
	dimensions := dimensionsOf(body.Get("dimensions"))
	input := body.Get("input")
	texts := input.Items()
	if !input.IsArray() {
		texts = []value.Value{input}
	}
	data := make([]value.Value, len(texts))
	for i, text := range texts {
		vector := bagOfWords(text.Plain(), dimensions)
		embedding := numbers(vector)
		if body.GetString("encoding_format") == "base64" {
			embedding = value.Of(packed(vector))
		}
		data[i] = value.Obj(value.M("object", value.Of("embedding")), value.M("index", value.OfInt(i)), value.M("embedding", embedding))
	}
	return value.Obj(
		value.M("object", value.Of("list")), value.M("data", value.OfItems(data)), value.M("model", body.Get("model")),
		value.M("usage", value.Obj(value.M("prompt_tokens", value.OfInt(10)), value.M("total_tokens", value.OfInt(10)))),
	)
}

// dimensionsOf reads how long a vector is to be.
func dimensionsOf(v value.Value) int {
	if n, ok := v.Num(); ok && n >= 1 && n <= maxDimensions {
		return int(n)
	}
	return defaultDimensions
}

// bagOfWords counts the words of [a-z0-9]+ of the text in lower case, each at the place its FNV-1a hash names.
func bagOfWords(text string, dimensions int) []float32 {
	vector := make([]float32, dimensions)
	for word := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}) {
		h := fnv.New32a()
		_, _ = h.Write([]byte(word)) // a hash does not fail
		vector[int(h.Sum32()%uint32(dimensions))]++
	}
	return vector
}

func numbers(vector []float32) value.Value {
	items := make([]value.Value, len(vector))
	for i, f := range vector {
		items[i] = value.OfNumber(float64(f))
	}
	return value.OfItems(items)
}

// packed returns the vector as little-endian float32 in base64.
func packed(vector []float32) string {
	data := make([]byte, 0, 4*len(vector))
	for _, f := range vector {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(f))
	}
	return base64.StdEncoding.EncodeToString(data)
}
