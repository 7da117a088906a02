// Package untrusted prepares texts of strangers for being shown: to a model, to which they are data, and to people, at
// whose terminal they must not do anything.
package untrusted

import "strings"

// Text shortens a text to a number of characters and takes away what people cannot see, control characters other than
// line breaks and tabs among it: it could tell a model what nobody reads.
func Text(s string, most int) string {
	kept, cut := 0, len(s)
	var b strings.Builder
	for at, r := range s {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || invisible(r) {
			continue
		}
		if kept++; kept > most {
			cut = at
			break
		}
		b.WriteRune(r)
	}
	if cut < len(s) {
		b.WriteString("…")
	}
	return b.String()
}

// invisible are characters without a picture: of zero width, for the direction of text, and tags.
func invisible(r rune) bool {
	switch {
	case r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x206f:
		return true
	case r == 0xfeff, r == 0x00ad, r >= 0xe0000 && r <= 0xe007f:
		return true
	}
	return false
}

// Name makes a name of letters, digits, _ and - of a text, at most that long in bytes. Everything else becomes _.
func Name(s string, most int) string {
	s = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' {
			return c
		}
		return '_'
	}, s)
	return s[:min(len(s), most)]
}
