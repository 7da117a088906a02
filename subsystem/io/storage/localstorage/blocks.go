package localstorage

import (
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/sre-go/sre/subsystem/io/storage"
)

// Blocks of a body, in bytes, and what each takes in the file.
const (
	blockSize = 64 << 10
	sumSize   = 4
	blockStep = blockSize + sumSize
)

// blockSum is the checksum of one block.
func blockSum(head uint32, number int64, data []byte) uint32 {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(number))
	return crc32.Update(crc32.Update(head, castagnoli(), n[:]), castagnoli(), data)
}

// lengthSum is the checksum of the length of a body. It is no checksum of a block, which has a number before its bytes.
func lengthSum(head uint32, length []byte) uint32 {
	return crc32.Update(crc32.Update(head, castagnoli(), []byte("length")), castagnoli(), length)
}

// blocksSize is what a body of that length takes in the file.
func blocksSize(length int64) int64 {
	return length + (length+blockSize-1)/blockSize*sumSize
}

// writeBlocks writes the bytes of body until its end, and their length.
func writeBlocks(w io.Writer, head uint32, body io.Reader) error {
	block := make([]byte, blockStep)
	length := int64(0)
	for number := int64(0); ; number++ {
		n, err := io.ReadFull(body, block[:blockSize])
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return err
		}
		if n > 0 {
			binary.BigEndian.PutUint32(block[n:], blockSum(head, number, block[:n]))
			if _, werr := w.Write(block[:n+sumSize]); werr != nil {
				return werr
			}
			length += int64(n)
		}
		if err != nil {
			break
		}
	}
	trailer := binary.BigEndian.AppendUint64(make([]byte, 0, trailerSize), uint64(length))
	_, err := w.Write(binary.BigEndian.AppendUint32(trailer, lengthSum(head, trailer)))
	return err
}

// bodySize returns the length of the body of a record.
func (p place) bodySize(file io.ReaderAt) (int64, error) {
	if p.oneSum {
		return p.end - p.start - trailerSize, nil
	}
	var trailer [trailerSize]byte
	if err := readFullAt(file, trailer[:], p.end-trailerSize); err != nil {
		return 0, err
	}
	if lengthSum(p.sum, trailer[:8]) != binary.BigEndian.Uint32(trailer[8:]) {
		return 0, storage.Damaged("checksum of the length does not match")
	}
	length := binary.BigEndian.Uint64(trailer[:8])
	if length > uint64(p.end) || blocksSize(int64(length)) != p.end-p.start-trailerSize {
		return 0, storage.Damaged("the body is not as long as it was")
	}
	return int64(length), nil
}

// readFullAt fills p from off on. A file that ends early is damaged; other errors stay what they are.
func readFullAt(file io.ReaderAt, p []byte, off int64) error {
	n, err := file.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case err == io.EOF:
		return storage.Damaged("the file ends too early")
	}
	return err
}

// blockReader gives a part of a body, block by block, each after it was checked.
type blockReader struct {
	file   io.ReaderAt
	place  place
	size   int64  // of the whole body
	next   int64  // number of the next block
	skip   int64  // bytes before the part in the next block
	left   int64  // bytes of the part that were not read yet
	block  []byte // room for one block
	unread []byte // checked bytes in it
	err    error  // once something was wrong
}

func newBlockReader(file io.ReaderAt, p place, size, offset, length int64) *blockReader {
	return &blockReader{
		file: file, place: p, size: size, next: offset / blockSize, skip: offset % blockSize, left: length,
		block: make([]byte, min(blockSize, size)+sumSize),
	}
}

func (b *blockReader) Read(p []byte) (int, error) {
	if len(b.unread) == 0 && b.err == nil {
		b.err = b.load()
	}
	if len(b.unread) == 0 && b.err != nil {
		return 0, b.err
	}
	n := copy(p, b.unread)
	b.unread = b.unread[n:]
	return n, nil
}

// load reads and checks the next block.
func (b *blockReader) load() error {
	if b.left == 0 {
		return io.EOF
	}
	length := min(blockSize, b.size-b.next*blockSize)
	block := b.block[:length+sumSize]
	if err := readFullAt(b.file, block, b.place.start+b.next*blockStep); err != nil {
		return err
	}
	if blockSum(b.place.sum, b.next, block[:length]) != binary.BigEndian.Uint32(block[length:]) {
		return storage.Damaged("checksum of block %d of the body does not match", b.next)
	}
	b.unread = block[b.skip:min(length, b.skip+b.left)]
	b.left -= int64(len(b.unread))
	b.next, b.skip = b.next+1, 0
	return nil
}
