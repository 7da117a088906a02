package sqlitestorage

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"

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
	body io.Reader
	blob int64
	next int64 // number of the next chunk
	size int64 // bytes that were read
	data []byte
	end  bool // the body has ended
	used bool // some of it is in the database, loose
}

// fill reads the next batch.
func (u *upload) fill() error {
	u.data = u.data[:0]
	for len(u.data) < batchSize {
		if len(u.data) == cap(u.data) {
			u.data = slices.Grow(u.data, max(min(len(u.data), batchSize-len(u.data)), 4<<10))
		}
		n, err := u.body.Read(u.data[len(u.data):min(cap(u.data), batchSize)])
		u.data = u.data[:len(u.data)+n]
		u.size += int64(n)
		if err == io.EOF {
			u.end = true
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// flush writes what fill read.
func (u *upload) flush(ctx context.Context, tx *sqlite.Tx) error {
	next := u.next
	for data := range slices.Chunk(u.data, chunkSize) {
		id := chunkID(u.blob, next)
		if _, err := tx.Exec(ctx, insertChunk, id, chunkSum(id, data), data); err != nil {
			return err
		}
		next++
	}
	u.next = next
	return nil
}
