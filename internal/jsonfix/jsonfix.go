// Package jsonfix reads JSON as language models and people write it.
//
// Answers of models come wrapped in prose and fences, with single quotes,
// trailing commas, Python words or a missing tail. The runtime accepts them the
// way the reference does, but with its own bounded reader: one pass that makes
// values directly, linear in the length of the text, with the limits that hold
// for all JSON from outside.
package jsonfix

import (
	"strings"
	"unicode"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// TryParse finds the object or array in text and returns it. It never fails: a text that holds none, or one over a
// limit, is returned as a string value. Text that starts with '{' or '[' is read as it is; otherwise the widest span
// from the first '{' to the last '}' counts. Numbers, booleans and quoted strings stay text.
func TryParse(text string) value.Value {
	if body := trim(text); looksLikeJSON(body) {
		if v, err := Parse(body); err == nil {
			return v
		}
	}
	first, last := strings.IndexByte(text, '{'), strings.LastIndexByte(text, '}')
	if first < 0 || last < first {
		return value.Of(text)
	}
	if v, err := Parse(text[first : last+1]); err == nil {
		return v
	}
	return value.Of(text)
}

// TryFullParse reads a text that starts with '{' or '[' and looks for nothing inside of other text, which is returned
// as a string value. A text that cannot be read gives an object with the text as "result" and the reason as "error".
func TryFullParse(text string) value.Value {
	if !looksLikeJSON(text) {
		return value.Of(text)
	}
	v, err := Parse(text)
	if err != nil {
		return value.Obj(value.M("result", value.Of(text)), value.M("error", value.Of(err.Error())))
	}
	return v
}

// Parse reads text as JSON and, when it is not, as what it seems to mean. Faults are [fault.Invalid], and [fault.Limit]
// for a text over the limits of [value.DefaultLimits].
func Parse(text string) (value.Value, error) {
	v, err := value.Parse(text)
	if err == nil || fault.Is(err, fault.Limit) {
		return v, err
	}
	return repair(text)
}

func looksLikeJSON(text string) bool {
	return text != "" && (text[0] == '{' || text[0] == '[')
}

func trim(text string) string {
	return strings.TrimFunc(text, func(c rune) bool { return c == '\uFEFF' || c != '\u0085' && unicode.IsSpace(c) })
}
