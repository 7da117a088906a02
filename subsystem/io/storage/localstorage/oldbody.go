package localstorage

import (
	"encoding/binary"
	"hash"
	"hash/crc32"
	"io"

	"github.com/sre-go/sre/subsystem/io/storage"
)

// oldBody gives the body of a record of the first form and checks it at its end.
type oldBody struct {
	r    io.Reader
	left int64
	size int64
	sum  hash.Hash32
	err  error // once the end was seen: io.EOF or what is wrong
}

func newOldBody(file io.ReaderAt, p place, size int64) *oldBody {
	return &oldBody{r: io.NewSectionReader(file, p.start, p.end-p.start), left: size, size: size, sum: crc32.New(castagnoli())}
}

// newOldPart gives a part of such a body, after all of it was checked: there is one checksum for the whole.
func newOldPart(file io.ReaderAt, p place, size, offset, length int64) (io.Reader, error) {
	if offset == 0 && length == size {
		return newOldBody(file, p, size), nil
	}
	if _, err := io.Copy(io.Discard, newOldBody(file, p, size)); err != nil {
		return nil, err
	}
	return io.NewSectionReader(file, p.start+offset, length), nil
}

func (b *oldBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.left == 0 {
		b.err = b.end()
		return 0, b.err
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	b.sum.Write(p[:n]) // a hash does not fail
	if err == io.EOF {
		err = storage.Damaged("the file ends too early")
	}
	b.err = err
	return n, err
}

// end reads the trailer.
func (b *oldBody) end() error {
	var trailer [trailerSize]byte
	if err := readFull(b.r, trailer[:]); err != nil {
		return err
	}
	if binary.BigEndian.Uint64(trailer[:8]) != uint64(b.size) || binary.BigEndian.Uint32(trailer[8:]) != b.sum.Sum32() {
		return storage.Damaged("checksum of the body does not match")
	}
	return io.EOF
}
