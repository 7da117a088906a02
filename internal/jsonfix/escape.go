package jsonfix

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

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
