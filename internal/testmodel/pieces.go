package testmodel

import (
	"unicode"
	"unicode/utf8"
)

// split cuts a text into the pieces of a stream: each word with the blanks after it, and blanks at the start alone.
func split(text string) []string {
	var pieces []string
	for len(text) > 0 {
		end := spaces(text)
		if end == 0 {
			for end < len(text) {
				r, size := utf8.DecodeRuneInString(text[end:])
				if blank(r) {
					break
				}
				end += size
			}
			end += spaces(text[end:])
		}
		pieces = append(pieces, text[:end])
		text = text[end:]
	}
	return pieces
}

func spaces(text string) int {
	for i, r := range text {
		if !blank(r) {
			return i
		}
	}
	return len(text)
}

// blank tells what \s means in JavaScript.
func blank(r rune) bool { return r == '\uFEFF' || (unicode.IsSpace(r) && r != '\u0085') }

// halves cuts a text in the middle, counted in UTF-16 units as JavaScript counts them.
func halves(text string) [2]string {
	units := 0
	for _, r := range text {
		units += width(r)
	}
	sofar := 0
	for i, r := range text {
		if sofar += width(r); sofar > units/2 {
			return [2]string{text[:i], text[i:]}
		}
	}
	return [2]string{text, ""}
}

func width(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

// pieces returns what the stream of a reply is made of.
func (r reply) pieces(text string) []string {
	if r.chunks != nil {
		return r.chunks
	}
	return split(text)
}
