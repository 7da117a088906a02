package value

import (
	"encoding/json"
	"math"
	"testing"
)

// The expected texts follow ECMA-262, Number::toString (6.1.6.1.20), radix 10.
func TestFormatNumber(t *testing.T) {
	t.Parallel()
	tenth := 0.1 // a variable, so that the sum is rounded as at run time
	tests := []struct {
		name string
		f    float64
		want string
	}{
		{"zero", 0, "0"},
		{"negative zero", math.Copysign(0, -1), "0"},
		{"NaN", math.NaN(), "NaN"},
		{"infinity", math.Inf(1), "Infinity"},
		{"negative infinity", math.Inf(-1), "-Infinity"},
		{"one", 1, "1"},
		{"negative", -1.5, "-1.5"},
		{"tenth", 0.1, "0.1"},
		{"sum of tenths", tenth + 2*tenth, "0.30000000000000004"},
		{"third", 1.0 / 3, "0.3333333333333333"},
		{"hundred", 100, "100"},
		{"below the integer shortcut", 999999999999999, "999999999999999"},
		{"at the integer shortcut", 1e15, "1000000000000000"},
		{"largest exact integer", 1<<53 - 1, "9007199254740991"},
		{"2^53", 1 << 53, "9007199254740992"},
		{"2^63", 1 << 63, "9223372036854776000"},
		{"2^64", 1 << 64, "18446744073709552000"},
		{"twenty zeros", 1e20, "100000000000000000000"},
		{"largest without exponent", 999999999999999900000, "999999999999999900000"},
		{"first with exponent", 1e21, "1e+21"},
		{"exponent with digits", 1.5e21, "1.5e+21"},
		{"negative with exponent", -1.2345e25, "-1.2345e+25"},
		{"exponent of three digits", 1e100, "1e+100"},
		{"largest", math.MaxFloat64, "1.7976931348623157e+308"},
		{"millionth", 1e-6, "0.000001"},
		{"digits over a millionth", 0.00000123, "0.00000123"},
		{"below a millionth", 1e-7, "1e-7"},
		{"digits below a millionth", 1.25e-7, "1.25e-7"},
		{"exponent of two digits", 1e-10, "1e-10"},
		{"smallest", math.SmallestNonzeroFloat64, "5e-324"},
		{"smallest normal", 2.2250738585072014e-308, "2.2250738585072014e-308"},
		{"half up to an even digit", 5e-7, "5e-7"},
		{"shortest of several", 4.35, "4.35"},
		{"large fraction", 123456789012345.67, "123456789012345.67"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := FormatNumber(tt.f); got != tt.want {
				t.Errorf("FormatNumber(%g) = %q, want %q", tt.f, got, tt.want)
			}
		})
	}
}

// encoding/json prints finite numbers as ECMAScript does, but for -0; it is the second opinion.
func FuzzFormatNumber(f *testing.F) {
	for _, seed := range []float64{0, 1, -1, 0.1, 1e15, 1e20, 1e21, 1e-6, 1e-7, 5e-324, math.MaxFloat64, 1 << 53, 123456.789} {
		f.Add(math.Float64bits(seed))
	}
	f.Fuzz(func(t *testing.T, bits uint64) {
		n := math.Float64frombits(bits)
		if math.IsNaN(n) || math.IsInf(n, 0) || n == 0 {
			return
		}
		want, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		if got := FormatNumber(n); got != string(want) {
			t.Errorf("FormatNumber(%g) = %q, want %q", n, got, want)
		}
		back, err := Parse(string(want))
		if got, ok := back.Num(); err != nil || !ok || got != n {
			t.Errorf("Parse(%s) = %v, %v, want %g", want, got, err, n)
		}
	})
}
