package localstorage

import (
	"encoding/binary"
	"hash"
	"hash/crc32"
	"io"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// A record is one file:
//
//	magic "SREOBJ1\n"
//	length of the header, 4 bytes, big-endian
//	header, a JSON object
//	checksum of all of the above, 4 bytes
//	body
//	length of the body, 8 bytes
//	checksum of the body, 4 bytes
//
// Checksums are CRC-32C. They find damage, not forgery: who can write here can change anything.
const (
	magic       = "SREOBJ1\n"
	headerStart = len(magic) + 4
	trailerSize = 12
	// maxHeader is what a reader accepts: room for a large ACL beside the metadata and the name.
	maxHeader = 4 << 20
)

// header is what a record says about its object.
type header struct {
	storage.Record
	name       string // so that a file that was moved or copied is noticed
	generation string
	modified   time.Time
}

func (h header) gone(now time.Time) bool { return !h.Expires.IsZero() && !now.Before(h.Expires) }

func checksums() hash.Hash32 { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }

// writeRecord writes a record with the bytes of body until its end.
func writeRecord(w io.Writer, h header, body io.Reader) error {
	text := h.encode()
	if len(text) > maxHeader {
		return fault.Limitf("storage_header_bytes", "name, ACL and metadata of %d bytes are over the limit of %d", len(text), maxHeader)
	}
	head := make([]byte, 0, headerStart+len(text)+4)
	head = append(head, magic...)
	head = binary.BigEndian.AppendUint32(head, uint32(len(text)))
	head = append(head, text...)
	sum := checksums()
	sum.Write(head) // a hash does not fail
	head = sum.Sum(head)
	if _, err := w.Write(head); err != nil {
		return err
	}
	sum.Reset()
	n, err := io.Copy(io.MultiWriter(w, sum), body)
	if err != nil {
		return err
	}
	trailer := binary.BigEndian.AppendUint64(make([]byte, 0, trailerSize), uint64(n))
	_, err = w.Write(sum.Sum(trailer))
	return err
}

func (h header) encode() string {
	b := value.NewBuilder(6).
		Set("name", value.Of(h.name)).
		Set("acl", value.Of(h.ACL.String())).
		Set("generation", value.Of(h.generation)).
		Set("modified", value.Of(h.modified.UTC().Format(time.RFC3339Nano)))
	if !h.Expires.IsZero() {
		b.Set("expires", value.Of(h.Expires.UTC().Format(time.RFC3339Nano)))
	}
	return b.Set("metadata", h.Metadata).Build().JSON()
}

// readHeader reads a record up to its body and returns the length of the body. size is that of the file.
func readHeader(r io.Reader, size int64) (header, int64, error) {
	start := make([]byte, headerStart)
	if err := readFull(r, start); err != nil {
		return header{}, 0, err
	}
	length := int64(binary.BigEndian.Uint32(start[len(magic):]))
	body := size - int64(headerStart) - length - 4 - trailerSize
	if string(start[:len(magic)]) != magic || length > maxHeader || body < 0 {
		return header{}, 0, storage.Damaged("not the beginning of a record")
	}
	rest := make([]byte, length+4)
	if err := readFull(r, rest); err != nil {
		return header{}, 0, err
	}
	sum := checksums()
	sum.Write(start)
	sum.Write(rest[:length])
	if sum.Sum32() != binary.BigEndian.Uint32(rest[length:]) {
		return header{}, 0, storage.Damaged("checksum of the header does not match")
	}
	h, err := decodeHeader(rest[:length])
	return h, body, err
}

// readFull fills p. A file that ends early is damaged; other errors stay what they are.
func readFull(r io.Reader, p []byte) error {
	switch _, err := io.ReadFull(r, p); err {
	case io.EOF, io.ErrUnexpectedEOF:
		return storage.Damaged("the file ends too early")
	default:
		return err
	}
}

func decodeHeader(text []byte) (header, error) {
	v, err := value.Decode(text, value.Limits{Bytes: maxHeader, Depth: value.DefaultLimits().Depth + 1})
	if err != nil {
		return header{}, storage.Damaged("header: %w", err)
	}
	h := header{name: v.GetString("name"), generation: v.GetString("generation")}
	h.Metadata = v.Get("metadata")
	acl, ok := v.Get("acl").Str()
	if !ok || h.generation == "" || !h.Metadata.IsObject() {
		return header{}, storage.Damaged("header is not complete")
	}
	if h.ACL, err = access.ParseACL(acl); err != nil {
		return header{}, storage.Damaged("ACL: %w", err)
	}
	if h.modified, err = time.Parse(time.RFC3339Nano, v.GetString("modified")); err != nil {
		return header{}, storage.Damaged("time of change: %w", err)
	}
	if v.Has("expires") {
		if h.Expires, err = time.Parse(time.RFC3339Nano, v.GetString("expires")); err != nil {
			return header{}, storage.Damaged("time of expiry: %w", err)
		}
	}
	return h, nil
}

// bodyReader gives the body of a record and checks it at its end.
type bodyReader struct {
	r    io.Reader
	c    io.Closer
	left int64
	size int64
	sum  hash.Hash32
	err  error // once the end was seen: io.EOF or what is wrong
}

func newBody(r io.ReadCloser, size int64) *bodyReader {
	return &bodyReader{r: r, c: r, left: size, size: size, sum: checksums()}
}

func (b *bodyReader) Read(p []byte) (int, error) {
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
	b.sum.Write(p[:n])
	if err == io.EOF {
		err = storage.Damaged("the file ends too early")
	}
	b.err = err
	return n, err
}

// end reads the trailer.
func (b *bodyReader) end() error {
	var trailer [trailerSize]byte
	if err := readFull(b.r, trailer[:]); err != nil {
		return err
	}
	if binary.BigEndian.Uint64(trailer[:8]) != uint64(b.size) || binary.BigEndian.Uint32(trailer[8:]) != b.sum.Sum32() {
		return storage.Damaged("checksum of the body does not match")
	}
	return io.EOF
}

func (b *bodyReader) Close() error { return b.c.Close() }
