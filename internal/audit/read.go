package audit

import (
	"bufio"
	"errors"
	"io"
	"iter"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
)

// Place is a line of a file.
type Place struct {
	File string
	Line int // 1 for the first
}

// line is one line as it was read.
type line struct {
	at   Place
	text []byte // without its end
	torn bool   // it has no end
}

// Reader reads the audit of a folder, while others may write to it. It is safe for concurrent use.
type Reader struct{ folder *disk.Folder }

// Open opens a folder for reading. Without one the error is [fault.NotFound].
func Open(path string) (*Reader, error) {
	f, err := disk.Open(path)
	if err != nil {
		return nil, err
	}
	return &Reader{f}, nil
}

// Close gives the folder back.
func (r *Reader) Close() error { return r.folder.Close() }

// Entries gives the records after that number, 0 for all, the oldest first, without checking how they hang together: see [Reader.Verify]. A line that
// is no record ends it with an error, but for one at the very end that is still being written.
func (r *Reader) Entries(after uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for l, err := range r.lines(after) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if l.torn {
				return
			}
			e, err := parse(l.text)
			if err != nil {
				yield(Entry{}, &fault.Error{Op: "audit.read", Resource: l.at.String(), Kind: fault.Invalid, Err: err})
				return
			}
			if e.Seq > after && !yield(e, nil) {
				return
			}
		}
	}
}

// lines gives the lines of all files but those that hold nothing after that number. The text is overwritten by the next
// one.
func (r *Reader) lines(after uint64) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		names, err := folder{r.folder}.names()
		if err != nil {
			yield(line{}, err)
			return
		}
		for i, name := range names {
			if i+1 < len(names) {
				if next, _ := firstOf(names[i+1]); next <= after {
					continue
				}
			}
			if !r.file(name, yield) {
				return
			}
		}
	}
}

// file gives the lines of a file and reports whether to go on.
func (r *Reader) file(name string, yield func(line, error) bool) bool {
	f, err := r.folder.Open(name, maxRead)
	if fault.Is(err, fault.NotFound) {
		return true // it was removed meanwhile, as the oldest
	}
	if err != nil {
		return yield(line{}, err) && false
	}
	defer func() { _ = f.Close() }() // it was only read
	lines := bufio.NewReaderSize(f, maxLine)
	for n := 1; ; n++ {
		at := Place{name, n}
		text, err := lines.ReadSlice('\n')
		switch {
		case err == nil:
			if !yield(line{at: at, text: text[:len(text)-1]}, nil) {
				return false
			}
		case errors.Is(err, bufio.ErrBufferFull):
			return yield(line{at: at}, &fault.Error{Op: "audit.read", Resource: at.String(), Kind: fault.Invalid, Err: errors.New("the line is too long")}) && false
		case errors.Is(err, io.EOF):
			return len(text) == 0 || yield(line{at: at, text: text, torn: true}, nil)
		default:
			return yield(line{}, err) && false
		}
	}
}
