package jsonmodels

import (
	"encoding/binary"
	"iter"
)

// Several files travel as one text, so that one check sum tells whether any of them changed: for each file the length
// of its name, its name, the length of its content, its content.

// addPage appends a file.
func addPage(text []byte, name string, content []byte) []byte {
	text = binary.AppendUvarint(text, uint64(len(name)))
	text = append(text, name...)
	text = binary.AppendUvarint(text, uint64(len(content)))
	return append(text, content...)
}

// pages returns the files that addPage put together.
func pages(text []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for len(text) > 0 {
			var name, content []byte
			name, text = cut(text)
			content, text = cut(text)
			if !yield(string(name), content) {
				return
			}
		}
	}
}

// cut returns what stands first in text, and the rest.
func cut(text []byte) (first, rest []byte) {
	n, size := binary.Uvarint(text)
	if size <= 0 || n > uint64(len(text)-size) {
		return nil, nil
	}
	return text[size : size+int(n)], text[size+int(n):]
}
