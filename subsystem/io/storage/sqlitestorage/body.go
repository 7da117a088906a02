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
	size    int64 // of the whole object
	next    int64 // number of the next chunk
	skip    int64 // bytes before the part in the next chunk
	left    int64 // bytes of the part that were not read yet
	unread  []byte
	err     error // once something was wrong
	release func()
}

func (b *body) Read(p []byte) (int, error) {
	if len(b.unread) == 0 && b.err == nil {
		b.unread, b.err = b.load()
	}
	if len(b.unread) == 0 && b.err != nil {
		return 0, b.err
	}
	n := copy(p, b.unread)
	b.unread = b.unread[n:]
	return n, nil
}

// load reads and checks the next chunk.
func (b *body) load() ([]byte, error) {
	if b.left == 0 {
		return nil, io.EOF
	}
	length := min(chunkSize, b.size-b.next*chunkSize)
	data, err := b.store.chunk(b.ctx, b.blob, b.next, length)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, b.lost()
	case err != nil:
		return nil, err
	}
	data = data[b.skip:min(length, b.skip+b.left)]
	b.left -= int64(len(data))
	b.next, b.skip = b.next+1, 0
	return data, nil
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

// chunk returns the n-th chunk of a blob, of that length. No chunk is [fault.NotFound].
func (s *store) chunk(ctx context.Context, blob, n, length int64) ([]byte, error) {
	var sum int64
	var data []byte
	id := chunkID(blob, n)
	if err := s.db.Row(ctx, selectChunk, []any{id}, &sum, &data); err != nil {
		return nil, err
	}
	if int64(len(data)) != length || chunkSum(id, data) != sum {
		return nil, storage.Damaged("the checksum of chunk %d does not match", n)
	}
	return data, nil
}
