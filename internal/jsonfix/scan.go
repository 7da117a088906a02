package jsonfix

import (
	"strings"
	"unicode/utf8"
)

// peek returns the next byte, 0 at the end.
func (r *reader) peek() byte {
	if r.pos < len(r.text) {
		return r.text[r.pos]
	}
	return 0
}

func (r *reader) take(c byte) bool {
	if r.pos < len(r.text) && r.text[r.pos] == c {
		r.pos++
		return true
	}
	return false
}

// space skips blanks and comments, and reports whether a line break was among the blanks.
func (r *reader) space() (lineBreak bool) {
	start := r.pos
	for {
		n, brk := blanks(r.text[r.pos:])
		r.pos += n
		lineBreak = lineBreak || brk
		rest := r.text[r.pos:]
		switch {
		case strings.HasPrefix(rest, "/*"):
			if end := strings.Index(rest[2:], "*/"); end >= 0 {
				r.pos += end + 4
			} else {
				r.pos = len(r.text)
			}
		case strings.HasPrefix(rest, "//"):
			if end := strings.IndexByte(rest, '\n'); end >= 0 {
				r.pos += end
			} else {
				r.pos = len(r.text)
			}
		default:
			r.spend(r.pos - start)
			return lineBreak
		}
	}
}

// brokeLine reports whether a line break is among the blanks before the place.
func (r *reader) brokeLine() bool {
	return strings.IndexByte(r.text[r.before(r.pos):r.pos], '\n') >= 0
}

// blanks counts the bytes of blanks at the start of s, typographic ones included.
func blanks(s string) (n int, lineBreak bool) {
	for n < len(s) {
		size := blank(s[n:])
		if size == 0 {
			break
		}
		lineBreak = lineBreak || s[n] == '\n'
		n += size
	}
	return n, lineBreak
}

// blank returns the length of the blank at the start of s, 0 when there is none.
func blank(s string) int {
	if s[0] < utf8.RuneSelf {
		if s[0] == ' ' || s[0] == '\n' || s[0] == '\t' || s[0] == '\r' {
			return 1
		}
		return 0
	}
	switch c, size := utf8.DecodeRuneInString(s); {
	case c == '\u00A0', c >= '\u2000' && c <= '\u200A', c == '\u202F', c == '\u205F', c == '\u3000', c == '\uFEFF':
		return size
	}
	return 0
}

// fence skips the line that opens or closes a Markdown code block.
func (r *reader) fence() {
	if !strings.HasPrefix(r.text[r.pos:], "```") {
		return
	}
	r.pos += 3
	if isNameStart(r.peek()) {
		for isNamePart(r.peek()) {
			r.pos++
		}
	}
	r.space()
}

// startsValue reports whether a value other than a bare sign begins here.
func (r *reader) startsValue() bool {
	if r.pos >= len(r.text) {
		return false
	}
	c := r.text[r.pos]
	if c == '{' || c == '[' || c == '-' || isNamePart(c) && c != '$' {
		return true
	}
	kind, _ := quote(r.text[r.pos:])
	return kind != noQuote
}

// endsToken reports whether a number or a string may end before the byte c.
func endsToken(c byte) bool { return strings.IndexByte(",:[]/{}()\n+", c) >= 0 }

// endsWord reports whether text without quotes ends before the byte c.
func endsWord(c byte) bool { return strings.IndexByte(",[]/{}\n+", c) >= 0 }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isNameStart(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '$' }

func isNamePart(c byte) bool { return isNameStart(c) || isDigit(c) }

type quoteKind uint8

const (
	noQuote quoteKind = iota
	singleQuote
	doubleQuote
	singleLike // typographic, accents
	doubleLike
)

// quote returns which quotation mark s starts with, and its length.
func quote(s string) (quoteKind, int) {
	switch c := s[0]; {
	case c == '"':
		return doubleQuote, 1
	case c == '\'':
		return singleQuote, 1
	case c == '`':
		return singleLike, 1
	case c < utf8.RuneSelf:
		return noQuote, 0
	}
	switch c, size := utf8.DecodeRuneInString(s); c {
	case '‘', '’', '´':
		return singleLike, size
	case '“', '”':
		return doubleLike, size
	}
	return noQuote, 0
}

// closes reports whether a mark of this kind ends a string that a mark of the other kind began.
func (k quoteKind) closes(opening quoteKind) bool {
	switch opening {
	case singleLike:
		return k == singleLike || k == singleQuote
	case doubleLike:
		return k == doubleLike || k == doubleQuote
	}
	return k == opening
}

const (
	urlSchemes = "http https ftp mailto file data irc"
	urlSigns   = "-._~:/?#@!$&'()*+;="
)

// url returns the length of the rest of an address when its "://" begins at pos and its scheme at start.
func (r *reader) url(start int) int {
	if !strings.HasPrefix(r.text[r.pos:], "//") || r.pos == start || r.text[r.pos-1] != ':' {
		return 0
	}
	scheme := r.text[start : r.pos-1]
	if len(scheme) > 6 || scheme == "" || strings.Contains(scheme, " ") || !strings.Contains(" "+urlSchemes+" ", " "+scheme+" ") {
		return 0
	}
	n := 0
	for _, c := range []byte(r.text[r.pos:]) {
		if !isNamePart(c) && strings.IndexByte(urlSigns, c) < 0 {
			break
		}
		n++
	}
	return n
}
