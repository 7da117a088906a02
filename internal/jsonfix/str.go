package jsonfix

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// str reads a string in any kind of quotation marks, and strings that a plus sign joins to it.
func (r *reader) str() (string, bool) {
	s, ok := r.quoted()
	if !ok {
		return "", false
	}
	var parts []string // set once there is a second one
	for {
		r.space()
		if !r.take('+') {
			break
		}
		r.space()
		next, ok := r.quoted()
		if !ok {
			break
		}
		if parts == nil {
			parts = append(parts, s)
		}
		parts = append(parts, next)
	}
	if parts != nil {
		s = strings.Join(parts, "")
	}
	return s, r.err == nil
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
		r.fail("unexpected backslash")
		return "", false
	}
	kind, size := quote(r.text[open:])
	if kind == noQuote {
		if escaped {
			r.fail("unexpected backslash")
		}
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
			return text(trimSpaces(buf)), nil
		}
		if r.pos == how.at {
			return text(trimSpaces(buf)), nil
		}
		if escaped {
			r.take('\\')
			if r.pos >= len(r.text) {
				continue
			}
		} else if n := r.plain(how); n > 0 {
			buf = append(buf, r.text[r.pos:r.pos+n]...)
			r.pos += n
			r.spend(n)
			continue
		}
		r.spend(1)
		c := r.text[r.pos]
		if mark, size := quote(r.text[r.pos:]); mark.closes(kind) {
			if s, again, done := r.closing(buf, kind, start, size, how); done {
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
			return text(trimSpaces(buf)), nil
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

// plain counts the bytes here that mean nothing but themselves in any string.
func (r *reader) plain(how ending) int {
	rest := r.text[r.pos:]
	if how.at > r.pos {
		rest = r.text[r.pos:how.at]
	}
	for i := range len(rest) {
		switch c := rest[i]; {
		case c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\'' || c == '`' || c == '\\':
			return i
		case how.atDelimiter && endsWord(c):
			return i
		}
	}
	return len(rest)
}

// closing decides whether the mark here ends the string. If not, and the string need not be read again, the mark is text.
func (r *reader) closing(buf []byte, kind quoteKind, start, size int, how ending) (s string, again *ending, done bool) {
	mark := r.pos
	r.pos += size
	r.space()
	if how.atDelimiter || r.pos >= len(r.text) || endsToken(r.text[r.pos]) || isDigit(r.text[r.pos]) ||
		r.atQuote() && !r.betterMark(kind) {
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

// betterMark reports whether the mark here, behind another one, is the one that ends the string: what follows it can
// follow a string.
func (r *reader) betterMark(kind quoteKind) bool {
	next, size := quote(r.text[r.pos:])
	if !next.closes(kind) {
		return false
	}
	here := r.pos
	r.pos += size
	r.space()
	better := r.pos >= len(r.text) || endsToken(r.text[r.pos])
	r.pos = here
	return better
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

// trimSpaces takes the spaces before a lost closing mark away; line breaks and tabs are taken as written.
func trimSpaces(buf []byte) []byte { return bytes.TrimRight(buf, " ") }

// text copies what was read; bytes that are not UTF-8 become U+FFFD.
func text(buf []byte) string { return strings.ToValidUTF8(string(buf), "\uFFFD") }
