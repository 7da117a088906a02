package jsonfix

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

// number reads a number, also one that was cut off or lacks digits around its point. Digits with leading zeros are
// an id rather than a number and stay text.
func (r *reader) number() (value.Value, bool) {
	rest := r.text[r.pos:]
	n := 0
	digits := func() {
		for n < len(rest) && isDigit(rest[n]) {
			n++
		}
	}
	ended := func() bool { return n >= len(rest) || endsNumber(rest[n:]) }
	missing := "" // digits that complete the number
	if rest[n] == '-' {
		if n++; ended() {
			missing = "0"
		}
	}
	whole := n
	digits()
	if missing == "" && whole == n && (n >= len(rest) || rest[n] != '.') {
		return value.Value{}, false
	}
	if n < len(rest) && rest[n] == '.' {
		n++
		point := n
		if digits(); n == point {
			if !ended() {
				return value.Value{}, false
			}
			missing = "0"
		}
	}
	if missing == "" && n < len(rest) && rest[n]|0x20 == 'e' {
		n++
		if n < len(rest) && (rest[n] == '+' || rest[n] == '-') {
			n++
		}
		exp := n
		if digits(); n == exp {
			missing = "0"
		}
	}
	if !ended() {
		return value.Value{}, false
	}
	literal := rest[:n]
	r.pos += n
	r.spend(n)
	if whole+1 < n && rest[whole] == '0' && isDigit(rest[whole+1]) {
		return value.Of(literal), true
	}
	f, _ := strconv.ParseFloat(literal+missing, 64) // out of range gives ±Inf, as in JavaScript
	return value.OfNumber(f), true
}

func endsNumber(s string) bool { return endsToken(s[0]) || blank(s) > 0 }

// bare reads a value without quotes: a word of JSON or Python, a call such as NumberLong(2), or plain text.
func (r *reader) bare(depth int) (value.Value, bool) {
	if v, ok := r.keyword(); ok {
		return v, true
	}
	if isNameStart(r.peek()) {
		if v, ok := r.call(depth); ok || r.err != nil {
			return v, ok
		}
	}
	s, ok := r.word(false)
	if !ok {
		return r.regex()
	}
	if s == "undefined" {
		return value.NullValue(), true
	}
	return value.Of(s), true
}

// keyword reads a word that stands for a value in JSON or Python.
func (r *reader) keyword() (value.Value, bool) {
	n := 0
	for n < len("false")+1 && r.pos+n < len(r.text) && isNamePart(r.text[r.pos+n]) {
		n++
	}
	v := value.Value{}
	switch r.text[r.pos : r.pos+n] {
	case "true", "True":
		v = value.OfBool(true)
	case "false", "False":
		v = value.OfBool(false)
	case "null", "None":
		v = value.NullValue()
	default:
		return v, false
	}
	r.pos += n
	r.spend(n)
	return v, true
}

// call reads the argument of a call, which is all that counts of JSONP and of the types of MongoDB.
func (r *reader) call(depth int) (value.Value, bool) {
	start := r.pos
	for isNamePart(r.peek()) {
		r.pos++
	}
	r.spend(r.pos - start)
	n, _ := blanks(r.text[r.pos:])
	r.pos += n
	if !r.take('(') {
		r.pos = start
		return value.Value{}, false
	}
	if depth >= r.limits.JSONDepth {
		r.limit(limits.JSONDepth, "JSON text is nested deeper than %d", r.limits.JSONDepth)
		return value.Value{}, false
	}
	v, ok := r.value(depth + 1)
	if !ok {
		r.fail("expected an argument")
		return value.Value{}, false
	}
	r.space()
	if r.take(')') {
		r.take(';')
	}
	return v, r.err == nil
}

// word reads text without quotes up to a delimiter. A stray closing mark behind it is skipped.
func (r *reader) word(key bool) (string, bool) {
	start := r.pos
	for r.pos < len(r.text) && !endsWord(r.text[r.pos]) && !r.atQuote() && (!key || r.text[r.pos] != ':') {
		r.pos++
	}
	if r.peek() == '/' && !key {
		r.pos += r.url(start)
	}
	r.spend(r.pos - start)
	if r.pos == start {
		return "", false
	}
	s := strings.TrimRight(r.text[start:r.pos], " \n\t\r")
	r.take('"')
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return s, true
}

// regex reads a regular expression between slashes as text.
func (r *reader) regex() (value.Value, bool) {
	if r.peek() != '/' {
		return value.Value{}, false
	}
	start := r.pos
	r.pos++
	for r.pos < len(r.text) && (r.text[r.pos] != '/' || r.text[r.pos-1] == '\\') {
		r.pos++
	}
	r.take('/')
	r.spend(r.pos - start)
	return value.Of(strings.ToValidUTF8(r.text[start:r.pos], "\uFFFD")), true
}
