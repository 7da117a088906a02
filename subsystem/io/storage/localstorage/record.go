package localstorage

import (
	"encoding/binary"
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
//	magic "SREOBJ2\n"
//	length of the header, 4 bytes, big-endian
//	header, a JSON object
//	checksum of all of the above, 4 bytes
//	body in blocks of 64 KiB, the last one shorter, each followed by its checksum, 4 bytes
//	length of the body, 8 bytes
//	checksum of the length, 4 bytes
//
// The checksum of a block goes over the checksum of the header, the number of the block and its bytes, that of the length
// over the checksum of the header and the length. So a part of the body is checked without reading the rest, and no block
// passes for another one or for one of another record.
//
// Records of the first form begin with "SREOBJ1\n", and their body stands in one piece:
//
//	body
//	length of the body, 8 bytes
//	checksum of the body, 4 bytes
//
// They are read as they are, and written anew in the new form.
//
// Checksums are CRC-32C. They find damage, not forgery: who can write here can change anything.
const (
	magic       = "SREOBJ2\n"
	oldMagic    = "SREOBJ1\n"
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

// castagnoli is made once by its package.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

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
	sum := crc32.Checksum(head, castagnoli())
	if _, err := w.Write(binary.BigEndian.AppendUint32(head, sum)); err != nil {
		return err
	}
	return writeBlocks(w, sum, body)
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

// place says where the body of a record is in its file.
type place struct {
	sum   uint32 // checksum of the header
	start int64  // of the body
	end   int64  // of the file
	// oneSum says that the record is of the first form.
	oneSum bool
}

// readHeader reads a record up to its body. size is that of the file.
func readHeader(r io.Reader, size int64) (header, place, error) {
	start := make([]byte, headerStart)
	if err := readFull(r, start); err != nil {
		return header{}, place{}, err
	}
	form, length := string(start[:len(magic)]), int64(binary.BigEndian.Uint32(start[len(magic):]))
	p := place{start: int64(headerStart) + length + 4, end: size, oneSum: form == oldMagic}
	if form != magic && form != oldMagic || length > maxHeader || p.end-p.start < trailerSize {
		return header{}, place{}, storage.Damaged("not the beginning of a record")
	}
	rest := make([]byte, length+4)
	if err := readFull(r, rest); err != nil {
		return header{}, place{}, err
	}
	p.sum = crc32.Update(crc32.Checksum(start, castagnoli()), castagnoli(), rest[:length])
	if p.sum != binary.BigEndian.Uint32(rest[length:]) {
		return header{}, place{}, storage.Damaged("checksum of the header does not match")
	}
	h, err := decodeHeader(rest[:length])
	return h, p, err
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
