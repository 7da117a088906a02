package localnkv

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/value"
)

// A record is one file:
//
//	magic "SRENKV1\n"
//	length of the header, 4 bytes, big-endian
//	header, a JSON object: the address
//	value, as JSON
//	checksum of all of the above, 4 bytes
//
// The checksum is CRC-32C. It finds damage, not forgery: who can write here can change anything.
const (
	magic       = "SRENKV1\n"
	headerStart = len(magic) + 4
	sumSize     = 4
	maxHeader   = 32 << 10 // more than the longest address takes
)

// maxRecord is the size of the largest record, in bytes.
func maxRecord() int64 {
	return int64(headerStart + maxHeader + sumSize + nkv.StoredLimits().Bytes)
}

// encode makes the record of a value.
func encode(at nkv.Address, v value.Value) ([]byte, error) {
	text, err := value.Encode(v, nkv.StoredLimits())
	if err != nil {
		return nil, err
	}
	header := value.Obj(value.M("team", value.Of(at.Team)), value.M("namespace", value.Of(at.Namespace)), value.M("key", value.Of(at.Key))).JSON()
	b := make([]byte, 0, headerStart+len(header)+len(text)+sumSize)
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(header)))
	b = append(b, header...)
	b = append(b, text...)
	return binary.BigEndian.AppendUint32(b, checksum(b)), nil
}

// decode reads a record: what it is about, and its value.
func decode(b []byte) (nkv.Address, value.Value, error) {
	if len(b) < headerStart+sumSize || string(b[:len(magic)]) != magic {
		return nkv.Address{}, value.Value{}, fmt.Errorf("not the beginning of a record")
	}
	body, sum := b[:len(b)-sumSize], binary.BigEndian.Uint32(b[len(b)-sumSize:])
	if checksum(body) != sum {
		return nkv.Address{}, value.Value{}, fmt.Errorf("the checksum does not match")
	}
	length := binary.BigEndian.Uint32(b[len(magic):])
	rest := body[headerStart:]
	if length > maxHeader || int(length) > len(rest) {
		return nkv.Address{}, value.Value{}, fmt.Errorf("the header is longer than the record")
	}
	header, err := value.Decode(rest[:length], value.Limits{})
	if err != nil {
		return nkv.Address{}, value.Value{}, fmt.Errorf("header: %w", err)
	}
	at := nkv.Address{Team: header.GetString("team"), Namespace: header.GetString("namespace"), Key: header.GetString("key")}
	v, err := value.Decode(rest[length:], nkv.StoredLimits())
	if err != nil {
		return nkv.Address{}, value.Value{}, fmt.Errorf("value: %w", err)
	}
	return at, v, nil
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
