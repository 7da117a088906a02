package sqlitestorage

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/sre-go/sre/internal/sqlite"
)

// Sizes in bytes: of a chunk, and of what one transaction brings to the disk, which is what a write holds in memory.
const (
	chunkSize = 256 << 10
	batchSize = 16 * chunkSize
)

// chunkBits is how many bits of an id number the chunk in its blob: enough for 256 GiB.
const chunkBits = 20

// chunkID is the id of the n-th chunk of a blob. The chunks of a blob stand together.
func chunkID(blob, n int64) int64 { return blob<<chunkBits | n }

// chunkSum is the checksum of a chunk. It covers the id, so no chunk passes for another one.
func chunkSum(id int64, data []byte) int64 {
	table := crc32.MakeTable(crc32.Castagnoli) // made once by its package
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(id))
	return int64(crc32.Update(crc32.Checksum(n[:], table), table, data))
}

// upload is the bytes of an object on their way into the database.
type upload struct {
	body   io.Reader
	blob   int64
	next   int64    // number of the next chunk
	size   int64    // bytes that were read
	chunks [][]byte // what was read and not written yet; all but the last are full
	spare  [][]byte // room for chunks
	end    bool     // the body has ended
	used   bool     // some of it is in the database, loose
}

// fill reads the next batch.
func (u *upload) fill() error {
	u.spare, u.chunks = append(u.spare, u.chunks...), u.chunks[:0]
	for len(u.chunks) < batchSize/chunkSize && !u.end {
		data, err := u.read()
		if err != nil {
			return err
		}
		if len(data) > 0 {
			u.chunks = append(u.chunks, data)
			u.size += int64(len(data))
		}
	}
	return nil
}

// firstRoom is the room that is made for an object that may be small, in bytes.
const firstRoom = 4 << 10

// read reads the next chunk, which is short at the end of the body only.
func (u *upload) read() ([]byte, error) {
	var data []byte
	switch {
	case len(u.spare) > 0:
		data, u.spare = u.spare[len(u.spare)-1][:0], u.spare[:len(u.spare)-1]
	case u.size == 0:
		data = make([]byte, 0, firstRoom)
	default:
		data = make([]byte, 0, chunkSize)
	}
	for len(data) < chunkSize {
		if len(data) == cap(data) {
			data = append(make([]byte, 0, min(4*cap(data), chunkSize)), data...)
		}
		n, err := u.body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			u.end = true
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return data, nil
}

// flush writes what fill read.
func (u *upload) flush(ctx context.Context, tx *sqlite.Tx) error {
	for i, data := range u.chunks {
		id := chunkID(u.blob, u.next+int64(i))
		if _, err := tx.Exec(ctx, insertChunk, id, chunkSum(id, data), data); err != nil {
			return err
		}
	}
	u.next += int64(len(u.chunks))
	return nil
}
