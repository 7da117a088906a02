package vectordb

import "math"

// Cosine returns the cosine of the angle between two vectors of the same length: 1 for the same direction, 0 at right
// angles and for a vector without length, -1 for opposite ones. It adds up in 64 bits, in the order of the vectors, so
// that a score is the same wherever it is computed.
func Cosine(a, b []float32) float64 {
	if len(a) != len(b) {
		return 0
	}
	var dot, as, bs float64
	for i, x := range a {
		x, y := float64(x), float64(b[i])
		dot += x * y
		as += x * x
		bs += y * y
	}
	if as == 0 || bs == 0 {
		return 0
	}
	return dot / (math.Sqrt(as) * math.Sqrt(bs))
}
