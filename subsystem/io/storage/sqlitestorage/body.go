package sqlitestorage

import (
	"context"
	"errors"
	"io"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
)

// body gives a part of the bytes of an object, chunk by chunk, each after it was checked. It keeps no connection.
type body struct {
	store   *store
	ctx     context.Context
	name    string
	blob    int64
	size    int64  // of the whole object
	next    int64  // number of the next chunk
	skip    int64  // bytes before the part in the next chunk
	left    int64  // bytes of the part that were not read yet
	unread  []byte // checked bytes of the part
	err     error  // once something was wrong
	release func()
}

func (b *body) Read(p []byte) (int, error) {
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

// load reads the next chunk.
func (b *body) load() error {
	if b.left == 0 {
		return io.EOF
	}
	var sum int64
	var data []byte
	err := b.store.db.Row(b.ctx, selectChunk, []any{chunkID(b.blob, b.next)}, &sum, &data)
	switch {
	case fault.Is(err, fault.NotFound):
		return b.lost()
	case err != nil:
		return err
	}
	return b.take(data, sum)
}

// take checks the next chunk and gives of it what belongs to the part.
func (b *body) take(data []byte, sum int64) error {
	length := min(chunkSize, b.size-b.next*chunkSize)
	if int64(len(data)) != length || chunkSum(chunkID(b.blob, b.next), data) != sum {
		return storage.Damaged("the checksum of chunk %d of %q does not match", b.next, b.name)
	}
	b.unread = data[b.skip:min(length, b.skip+b.left)]
	b.left -= int64(len(b.unread))
	b.next, b.skip = b.next+1, 0
	return nil
}

// lost says why a chunk is not there: another process replaced or removed the object, or the chunk is lost.
func (b *body) lost() error {
	var now int64
	err := b.store.db.Row(b.ctx, "SELECT blob FROM object WHERE name = ?", []any{b.name}, &now)
	switch {
	case fault.Is(err, fault.NotFound), err == nil && now != b.blob:
		return storage.Changed()
	case err != nil:
		return err
	}
	return storage.Damaged("chunk %d of %q is missing", b.next, b.name)
}

// Close lets the chunks go.
func (b *body) Close() error {
	b.release()
	b.unread, b.err = nil, errors.New("the body is closed")
	return nil
}
