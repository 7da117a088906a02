package vectordb

import "math"

// Cosine returns the cosine of the angle between two vectors of the same length: 1 for the same direction, 0 at right
// angles and for a vector without length, -1 for opposite ones. It adds up in 64 bits, in the order of the vectors, so
// that a score is the same wherever it is computed.
func Cosine(a, b []float32) float64 {
	if len(a) != len(b) {
		return 0
	}
	return CosineOf(a, b, Norm(a), Norm(b))
}

// CosineOf is [Cosine] for vectors of the same length whose lengths are known, see [Norm].
func CosineOf(a, b []float32, normA, normB float64) float64 {
	if normA == 0 || normB == 0 {
		return 0
	}
	var dot float64
	for i, x := range a {
		dot += float64(x) * float64(b[i])
	}
	return dot / (normA * normB)
}

// Norm returns the length of a vector.
func Norm(v []float32) float64 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}
