// Package chunk cuts texts into pieces for embedding.
//
// A text is cut at paragraphs, then at lines, then at blanks, and in the middle of a
// word only when nothing else fits; short pieces are put together again up to the wanted
// size. So a piece is as long as it may be and ends where the text does. The order of
// separators and the overlap are those of the reference, so that indexes agree.
package chunk

import (
	"strings"
	"unicode/utf16"

	"github.com/sre-go/sre/fault"
)

// Splitter cuts texts. Sizes are in UTF-16 code units, as JavaScript counts the length of a text.
type Splitter struct {
	Size    int // of the longest piece; at least 1
	Overlap int // how much of a piece the next one begins with, at most; less than Size
}

// Split returns the pieces of a text in their order, without blanks around them; none of them is empty.
func (s Splitter) Split(text string) ([]string, error) {
	switch {
	case s.Size < 1:
		return nil, fault.Newf(fault.Invalid, "a chunk has at least one character")
	case s.Overlap < 0:
		return nil, fault.Newf(fault.Invalid, "an overlap must not be negative")
	case s.Overlap >= s.Size:
		return nil, fault.Newf(fault.Invalid, "Cannot have chunkOverlap >= chunkSize")
	}
	return s.split(text, separators()), nil
}

// separators are what texts are cut at, the best first. The last one cuts between any two characters.
func separators() []string { return []string{"\n\n", "\n", " ", ""} }

// split cuts a text at the first separator it has, and what is still too long at the ones after it.
func (s Splitter) split(text string, seps []string) []string {
	for len(seps) > 1 && !strings.Contains(text, seps[0]) {
		seps = seps[1:]
	}
	var out, short []string
	for _, part := range cut(text, seps[0]) {
		if length(part) < s.Size {
			short = append(short, part)
			continue
		}
		out = append(out, s.join(short)...)
		short = nil
		if len(seps) == 1 {
			out = append(out, part)
		} else {
			out = append(out, s.split(part, seps[1:])...)
		}
	}
	return append(out, s.join(short)...)
}

// cut cuts before each separator, which stays with what follows it. "" cuts between characters.
func cut(text, sep string) []string {
	if sep == "" {
		return strings.Split(text, "")
	}
	var parts []string
	for i, part := range strings.Split(text, sep) {
		if i > 0 {
			part = sep + part
		}
		if part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// join puts short parts together to pieces that are as long as they may be. Each begins with the last parts of the one
// before, as many as the overlap has room for.
func (s Splitter) join(parts []string) []string {
	var out []string
	total, from := 0, 0
	add := func(to int) {
		if piece := strings.TrimSpace(strings.Join(parts[from:to], "")); piece != "" {
			out = append(out, piece)
		}
	}
	for i, part := range parts {
		n := length(part)
		if total+n > s.Size && i > from {
			add(i)
			for total > s.Overlap || total+n > s.Size && total > 0 {
				total -= length(parts[from])
				from++
			}
		}
		total += n
	}
	add(len(parts))
	return out
}

// length counts UTF-16 code units.
func length(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}
