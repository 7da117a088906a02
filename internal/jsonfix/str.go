package jsonfix

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string in any kind of quotation marks, and strings that a plus sign joins to it.
func (r *reader) str() (string, bool) {
	s, ok := r.quoted()
	if !ok {
		return "", false
	}
	for {
		r.space()
		if !r.take('+') {
			return s, true
		}
		r.space()
		next, ok := r.quoted()
		if !ok {
			return s, r.err == nil
		}
		s += next
		r.spend(len(s))
	}
}

// ending says how the end of a string is found.
type ending struct {
	atDelimiter bool // at the first delimiter: the closing mark was lost
	at          int  // at this place, -1 for none
}

// quoted reads one string. A closing mark counts when what follows can follow a string; when it cannot, either the
// mark belongs to the text, or the true closing mark was lost earlier and the string is read again up to there.
func (r *reader) quoted() (string, bool) {
	if r.pos >= len(r.text) {
		return "", false
	}
	start := r.pos
	escaped := r.text[start] == '\\' // the whole text was escaped once too often
	open := start
	if escaped {
		open++
	}
	if open >= len(r.text) {
		return "", false
	}
	kind, size := quote(r.text[open:])
	if kind == noQuote {
		return "", false
	}
	how := ending{at: -1}
	for {
		r.pos = open + size
		s, again := r.content(kind, escaped, how)
		if r.err != nil {
			return "", false
		}
		if again == nil {
			return s, true
		}
		how = *again
	}
}

// content reads up to the end of a string and past its closing mark. When the end turns out to be elsewhere it returns
// how to find it.
func (r *reader) content(kind quoteKind, escaped bool, how ending) (string, *ending) {
	buf := r.buf[:0]
	defer func() { r.buf = buf[:0] }()
	start := r.pos
	for r.err == nil {
		if r.pos >= len(r.text) {
			if prev := r.before(r.pos); !how.atDelimiter && prev > start && endsToken(r.text[prev-1]) {
				return "", &ending{atDelimiter: true, at: -1}
			}
			return text(trimBlanks(buf)), nil
		}
		if r.pos == how.at {
			return text(trimBlanks(buf)), nil
		}
		if escaped {
			r.take('\\')
			if r.pos >= len(r.text) {
				continue
			}
		}
		r.spend(1)
		c := r.text[r.pos]
		if mark, size := quote(r.text[r.pos:]); mark.closes(kind) {
			if s, again, done := r.closing(buf, start, size, how); done {
				return s, again
			}
			buf = append(buf, r.text[r.pos:r.pos+size]...)
			r.pos += size
			continue
		}
		switch {
		case how.atDelimiter && endsWord(c):
			if n := r.url(start); n > 0 {
				buf = append(buf, r.text[r.pos:r.pos+n]...)
				r.pos += n
			}
			return text(trimBlanks(buf)), nil
		case c == '\\':
			buf = r.escape(buf)
		case c < 0x20 && strings.IndexByte("\b\f\n\r\t", c) < 0:
			r.fail("control character in a string")
		default:
			buf = append(buf, c)
			r.pos++
		}
	}
	return "", nil
}

// closing decides whether the mark here ends the string. If not, and the string need not be read again, the mark is text.
func (r *reader) closing(buf []byte, start, size int, how ending) (s string, again *ending, done bool) {
	mark := r.pos
	r.pos += size
	r.space()
	if how.atDelimiter || r.pos >= len(r.text) || endsToken(r.text[r.pos]) || isDigit(r.text[r.pos]) || r.atQuote() {
		return text(buf), nil, true
	}
	r.pos = mark
	prev := r.before(mark)
	if prev <= start {
		return "", nil, false
	}
	switch c := r.text[prev-1]; {
	case c == ',':
		return "", &ending{at: prev - 1}, true
	case endsToken(c):
		return "", &ending{atDelimiter: true, at: -1}, true
	}
	return "", nil, false
}

func (r *reader) atQuote() bool {
	kind, _ := quote(r.text[r.pos:])
	return kind != noQuote
}

// before returns the end of the text before pos without blanks.
func (r *reader) before(pos int) int {
	end := pos
	for end > 0 && strings.IndexByte(" \n\t\r", r.text[end-1]) >= 0 {
		end--
	}
	r.spend(pos - end)
	return end
}

// escape reads an escape sequence. An unknown one stands for its character.
func (r *reader) escape(buf []byte) []byte {
	r.pos++
	c := r.peek()
	if r.pos >= len(r.text) {
		return buf
	}
	r.pos++
	switch c {
	case 'b':
		return append(buf, '\b')
	case 'f':
		return append(buf, '\f')
	case 'n':
		return append(buf, '\n')
	case 'r':
		return append(buf, '\r')
	case 't':
		return append(buf, '\t')
	case 'u':
		unit, ok := r.hex()
		if !ok {
			return buf
		}
		if utf16.IsSurrogate(unit) {
			mark := r.pos
			low := rune(utf8.RuneError)
			if strings.HasPrefix(r.text[r.pos:], `\u`) {
				r.pos += 2
				if second, ok := r.hex(); ok {
					low = utf16.DecodeRune(unit, second)
				}
			}
			if unit = low; unit == utf8.RuneError {
				r.pos = mark
			}
		}
		return utf8.AppendRune(buf, unit)
	}
	return append(buf, c)
}

// hex reads four hexadecimal digits. A text that ends before them loses the sequence.
func (r *reader) hex() (rune, bool) {
	if r.pos+4 > len(r.text) {
		if strings.Trim(r.text[r.pos:], "0123456789abcdefABCDEF") != "" {
			r.fail(`expected four hexadecimal digits after \u`)
		}
		r.pos = len(r.text)
		return 0, false
	}
	n, err := strconv.ParseUint(r.text[r.pos:r.pos+4], 16, 32)
	if err != nil {
		r.fail(`expected four hexadecimal digits after \u`)
		return 0, false
	}
	r.pos += 4
	return rune(n), true
}

func trimBlanks(buf []byte) []byte {
	end := len(buf)
	for end > 0 && strings.IndexByte(" \n\t\r", buf[end-1]) >= 0 {
		end--
	}
	return buf[:end]
}

// text copies what was read; bytes that are not UTF-8 become U+FFFD.
func text(buf []byte) string { return strings.ToValidUTF8(string(buf), "\uFFFD") }
