package localcache

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// A record is one file:
//
//	magic "SRECCH1\n"
//	length of the header, 4 bytes, big-endian
//	header, a JSON object
//	checksum of all of the above, 4 bytes
//	value, as JSON
//	checksum of all of the above, 4 bytes
//
// Checksums are CRC-32C. They find damage, not forgery: who can write here can change anything.
const (
	magic       = "SRECCH1\n"
	headerStart = len(magic) + 4
	sumSize     = 4
	maxHeader   = 1 << 20 // room for a large ACL beside the key and the metadata
)

// LimitHeaderBytes is the name of the limit on key, ACL and metadata of one entry together.
const LimitHeaderBytes = "local_cache_header_bytes"

// maxRecord is the size of the largest record, in bytes.
func maxRecord() int64 { return int64(headerStart + maxHeader + 2*sumSize + cache.MaxStoredBytes) }

// entry is what is stored under a key.
type entry struct {
	key        string
	acl        *access.ACL
	generation string
	metadata   value.Value // an object, or absent for none
	expires    time.Time   // zero for never
	text       string      // the value as JSON; "" when only the rest was read
	old        bool        // it lies where the reference put it
}

func (e *entry) gone(now time.Time) bool { return !e.expires.IsZero() && !now.Before(e.expires) }

// encode makes the record of an entry.
func encode(e *entry) ([]byte, error) {
	b := value.NewBuilder(5).
		Set("key", value.Of(e.key)).
		Set("acl", value.Of(e.acl.String())).
		Set("generation", value.Of(e.generation))
	if !e.expires.IsZero() {
		b.Set("expires", value.Of(e.expires.UTC().Format(time.RFC3339Nano)))
	}
	if !e.metadata.IsNil() {
		b.Set("metadata", e.metadata)
	}
	header, err := value.Encode(b.Build(), headerLimits())
	if err != nil {
		return nil, fault.Limitf(LimitHeaderBytes, "key, ACL and metadata together: %w", err)
	}
	out := make([]byte, 0, headerStart+len(header)+len(e.text)+2*sumSize)
	out = append(out, magic...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(header)))
	out = append(out, header...)
	out = binary.BigEndian.AppendUint32(out, checksum(0, out))
	out = append(out, e.text...)
	return binary.BigEndian.AppendUint32(out, checksum(0, out)), nil
}

// headerLimits leave room for metadata that is as deep as a value may be.
func headerLimits() value.Limits {
	return value.Limits{Bytes: maxHeader, Depth: cache.StoredLimits().Depth + 1}
}

// read reads a record of so many bytes, without its value unless whole is set. What cannot be one is [cache.Damaged].
func read(r io.Reader, size int64, whole bool) (*entry, error) {
	start := make([]byte, headerStart)
	if err := fill(r, start); err != nil {
		return nil, err
	}
	length := int64(binary.BigEndian.Uint32(start[len(magic):]))
	left := size - int64(headerStart) - length - 2*sumSize
	if string(start[:len(magic)]) != magic || length > maxHeader || left < 0 || left > cache.MaxStoredBytes {
		return nil, cache.Damaged("not the beginning of a record")
	}
	header := make([]byte, length+sumSize)
	if err := fill(r, header); err != nil {
		return nil, err
	}
	sum := checksum(checksum(0, start), header[:length])
	if binary.BigEndian.Uint32(header[length:]) != sum {
		return nil, cache.Damaged("the checksum of the header does not match")
	}
	e, err := decodeHeader(header[:length])
	if err != nil || !whole {
		return e, err
	}
	body := make([]byte, left+sumSize)
	if err := fill(r, body); err != nil {
		return nil, err
	}
	if binary.BigEndian.Uint32(body[left:]) != checksum(checksum(sum, header[length:]), body[:left]) {
		return nil, cache.Damaged("the checksum of the value of %q does not match", e.key)
	}
	e.text = string(body[:left])
	return e, nil
}

// fill fills p. A file that ends early is damaged; other errors stay what they are.
func fill(r io.Reader, p []byte) error {
	switch _, err := io.ReadFull(r, p); err {
	case io.EOF, io.ErrUnexpectedEOF:
		return cache.Damaged("the file ends too early")
	default:
		return err
	}
}

func decodeHeader(text []byte) (*entry, error) {
	v, err := value.Decode(text, headerLimits())
	if err != nil {
		return nil, cache.Damaged("header: %w", err)
	}
	e := &entry{key: v.GetString("key"), generation: v.GetString("generation"), metadata: v.Get("metadata")}
	acl, ok := v.Get("acl").Str()
	if !ok || e.generation == "" || !e.metadata.IsNil() && !e.metadata.IsObject() {
		return nil, cache.Damaged("the header is not complete")
	}
	if e.acl, err = access.ParseACL(acl); err != nil {
		return nil, cache.Damaged("ACL: %w", err)
	}
	if v.Has("expires") {
		if e.expires, err = time.Parse(time.RFC3339Nano, v.GetString("expires")); err != nil {
			return nil, cache.Damaged("time of expiry: %w", err)
		}
	}
	return e, nil
}

// checksum continues the sum of what came before, 0 for nothing, with b.
func checksum(sum uint32, b []byte) uint32 {
	return crc32.Update(sum, crc32.MakeTable(crc32.Castagnoli), b)
}
