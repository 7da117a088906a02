package sqlitestorage

import (
	"context"
	"strconv"
	"sync"

	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/io/storage"
)

// loosen notes that a blob belongs to no object: it is being written, or its chunks can go.
func (s *store) loosen(ctx context.Context, tx *sqlite.Tx, blob int64, writing bool) error {
	s.loose.Store(true)
	w, now := int64(0), s.now()
	if writing {
		w = 1
	}
	_, err := tx.Exec(ctx, insertLoose, blob, w, now, looseSum(blob, w, now))
	return err
}

// looseSum is the checksum of a row: a damaged one must not cost an object its chunks.
func looseSum(blob, writing, since int64) int64 {
	return sqlite.Checksum("loose", strconv.FormatInt(blob, 10), strconv.FormatInt(writing, 10), strconv.FormatInt(since, 10))
}

// reserved is how many numbers of blobs a process takes at once.
const reserved = 64

// numbers are those that this process may give to blobs.
type numbers struct {
	mu         sync.Mutex
	next, last int64
}

// newBlob returns a number that no blob has or had.
func (s *store) newBlob(ctx context.Context) (int64, error) {
	n := &s.numbers
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.next >= n.last {
		err := s.db.Write(ctx, func(tx *sqlite.Tx) error { return tx.Row(ctx, reserveBlobs, []any{reserved}, &n.last) })
		if err == nil && (n.last < reserved || n.last >= 1<<(62-chunkBits)) {
			err = storage.Damaged("the number of the last blob is %d", n.last)
		}
		if err != nil {
			n.next, n.last = 0, 0
			return 0, err
		}
		n.next = n.last - reserved
	}
	n.next++
	return n.next, nil
}
