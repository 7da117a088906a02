package value

import (
	"math"
	"strconv"
)

// AppendNumber appends f as JavaScript's Number-to-String prints it (ECMA-262, Number::toString, radix 10).
func AppendNumber(dst []byte, f float64) []byte {
	switch {
	case f != f:
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case f == 0:
		return append(dst, '0') // also for -0
	}
	if abs := math.Abs(f); abs < 1e15 && f == math.Trunc(f) {
		return strconv.AppendInt(dst, int64(f), 10)
	} else if abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	// Exponent form: JavaScript writes at least one digit of exponent, Go at least two.
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	for i := start; i < len(dst); i++ {
		if dst[i] == 'e' && i+2 < len(dst) && dst[i+2] == '0' && i+3 < len(dst) {
			return append(dst[:i+2], dst[i+3:]...)
		}
	}
	return dst
}

// FormatNumber returns f as JavaScript prints it.
func FormatNumber(f float64) string { return string(AppendNumber(nil, f)) }
