package sqlitestorage

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"sync"

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
	rooms  *rooms
	end    bool // the body has ended
	used   bool // some of it is in the database, loose
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

// room is what the first chunk takes, as far as the body tells, with a byte for its end.
func (u *upload) room() int {
	if known, ok := u.body.(interface{ Len() int }); ok && known.Len() > 0 {
		return min(known.Len()+1, chunkSize)
	}
	return firstRoom
}

// read reads the next chunk, which is short at the end of the body only.
func (u *upload) read() ([]byte, error) {
	var data []byte
	switch {
	case u.size == 0 && u.room() < chunkSize/2:
		data = make([]byte, 0, u.room())
	case u.size == 0:
		data = u.rooms.take()
	default:
		first, err := u.one() // most often there is no other chunk, and no room is needed for it
		if err != nil || u.end {
			return nil, err
		}
		if n := len(u.spare); n > 0 {
			data, u.spare = u.spare[n-1][:0], u.spare[:n-1]
		}
		if cap(data) < chunkSize {
			data = u.rooms.take()
		}
		data = append(data, first)
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

// done gives the room back. Nobody uses the chunks any more.
func (u *upload) done() {
	for _, data := range append(u.spare, u.chunks...) {
		u.rooms.give(data)
	}
	u.spare, u.chunks = nil, nil
}

// rooms are those of chunks that were written, for chunks to come.
type rooms struct{ free sync.Pool }

// take returns an empty slice with room for a chunk.
func (r *rooms) take() []byte {
	if room, ok := r.free.Get().(*[chunkSize]byte); ok {
		return room[:0]
	}
	return make([]byte, 0, chunkSize)
}

// give takes room back; what is too small for a chunk is left to the garbage collector.
func (r *rooms) give(data []byte) {
	if cap(data) == chunkSize {
		r.free.Put((*[chunkSize]byte)(data[:chunkSize]))
	}
}

// one reads one byte, unless the body is at its end.
func (u *upload) one() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(u.body, b[:])
	if err == io.EOF {
		u.end, err = true, nil
	}
	return b[0], err
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
