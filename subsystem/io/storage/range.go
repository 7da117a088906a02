package storage

import (
	"fmt"

	"github.com/sre-go/sre/fault"
)

// CodeRange is the code of errors about a range that lies outside of its object.
const CodeRange = "RANGE_INVALID"

// Range is a part of the bytes of an object. The zero Range is the whole of it.
type Range struct {
	Offset int64 // where it begins, in bytes
	Length int64 // how many bytes; 0 for all that follow
}

// Of returns the part in an object of that size: where it begins and how many bytes it has. A length beyond the end is
// cut; a part that begins at the end is empty. One that begins behind the end, or a negative number, is [fault.Invalid]
// with the code RANGE_INVALID.
func (r Range) Of(size int64) (offset, length int64, err error) {
	if r.Offset < 0 || r.Length < 0 || r.Offset > size {
		return 0, 0, &fault.Error{Kind: fault.Invalid, Code: CodeRange, Err: fmt.Errorf("no %d bytes from byte %d on in an object of %d", r.Length, r.Offset, size)}
	}
	length = size - r.Offset
	if r.Length > 0 {
		length = min(length, r.Length)
	}
	return r.Offset, length, nil
}
