package functions

import (
	"strings"

	"github.com/sre-go/sre/value"
)

// transform turns what is to be signed into text as the setting says. Objects and arrays change; a text never does.
func transform(how string, v value.Value) value.Value {
	switch how {
	case "Stringify":
		if _, isText := v.Str(); !isText && !v.IsAbsent() {
			return value.Of(v.JSON())
		}
	case "Querystring":
		if v.IsObject() || v.IsArray() {
			return value.Of(queryString(v))
		}
	}
	return v
}

// queryString writes the members of an object, or the items of an array by index, as name=value pairs. An array gives
// a pair for each item; null and what is nested deeper give empty values.
func queryString(v value.Value) string {
	var out []byte
	for i, it := range v.Items() {
		out = appendPairs(out, value.OfInt(i).Text(), it)
	}
	for _, m := range v.Members() {
		out = appendPairs(out, m.Key, m.Value)
	}
	return string(out)
}

func appendPairs(out []byte, name string, v value.Value) []byte {
	if !v.IsArray() {
		return appendPair(out, name, v)
	}
	for _, it := range v.Items() {
		out = appendPair(out, name, it)
	}
	return out
}

func appendPair(out []byte, name string, v value.Value) []byte {
	if len(out) > 0 {
		out = append(out, '&')
	}
	out = appendEscaped(out, name)
	out = append(out, '=')
	switch v.Kind() {
	case value.Number:
		if n, _ := v.Num(); n-n != 0 {
			return out
		}
		return appendEscaped(out, v.Text())
	case value.String, value.Bool:
		return appendEscaped(out, v.Text())
	}
	return out
}

// appendEscaped escapes all but letters, digits and the marks that need no escape in a query.
func appendEscaped(out []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("!'()*~-_.", c) >= 0:
			out = append(out, c)
		default:
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return out
}
