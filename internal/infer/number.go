package infer

import (
	"math"
	"strconv"
	"strings"
	"unicode"
)

// isSpace reports whether JavaScript counts c as white space: the byte order mark is, the next-line sign is not.
func isSpace(c rune) bool { return c == '\uFEFF' || c != '\u0085' && unicode.IsSpace(c) }

// leadingFloat reads a number as parseFloat does: the longest decimal number at the start, after white space.
func leadingFloat(s string) (float64, bool) {
	s = strings.TrimLeftFunc(s, isSpace)
	if rest := strings.TrimLeft(s, "+-"); len(s)-len(rest) <= 1 && strings.HasPrefix(rest, "Infinity") {
		if s[0] == '-' {
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	}
	f, err := strconv.ParseFloat(s[:floatLength(s)], 64)
	return f, err == nil || math.IsInf(f, 0)
}

// floatLength returns how many bytes of s are a decimal number.
func floatLength(s string) int {
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	start := i
	i += digits(s[i:])
	whole := i - start
	if i < len(s) && s[i] == '.' {
		if frac := digits(s[i+1:]); frac > 0 || whole > 0 {
			i += 1 + frac
			whole += frac
		}
	}
	if whole == 0 {
		return 0
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if n := digits(s[j:]); n > 0 {
			i = j + n
		}
	}
	return i
}

// leadingInteger reads a number as parseInt does: decimal digits, or hexadecimal ones after 0x.
func leadingInteger(s string) (float64, bool) {
	s = strings.TrimLeftFunc(s, isSpace)
	sign := 1.0
	if s != "" && (s[0] == '+' || s[0] == '-') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	base := 10.0
	if len(s) > 1 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') {
		base, s = 16, s[2:]
	}
	n, read := 0.0, 0
	for ; read < len(s); read++ {
		d := digit(s[read])
		if d < 0 || float64(d) >= base {
			break
		}
		n = n*base + float64(d)
	}
	if base == 10 && read > 15 { // beyond exact integers: let the library round
		n, _ = strconv.ParseFloat(s[:read], 64)
	}
	return sign * n, read > 0
}

func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
