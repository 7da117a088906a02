package sqlitecache

import (
	"context"
	"sync"

	"github.com/sre-go/sre/internal/sqlite"
)

// database lets readers of this process go on side by side, but not beside a writer of this process.
//
// The database could do both at once. But a reader that meets a write in its last moment takes the lock of writers, to look
// again, and the next writer then waits by the clock, for a thousand times as long as that takes. So readers rather wait
// for writers, which is short but for the write that brings the log to the disk, about one in a thousand pages. Other
// processes are waited for by the clock.
type database struct {
	*sqlite.DB
	turn sync.RWMutex
}

// Row is [sqlite.DB.Row].
func (d *database) Row(ctx context.Context, query string, args []any, dest ...any) error {
	d.turn.RLock()
	defer d.turn.RUnlock()
	return d.DB.Row(ctx, query, args, dest...)
}

// Exec is [sqlite.DB.Exec].
func (d *database) Exec(ctx context.Context, stmt string, args ...any) (int64, error) {
	d.turn.Lock()
	defer d.turn.Unlock()
	return d.DB.Exec(ctx, stmt, args...)
}

// Write is [sqlite.DB.Write].
func (d *database) Write(ctx context.Context, f func(*sqlite.Tx) error) error {
	d.turn.Lock()
	defer d.turn.Unlock()
	return d.DB.Write(ctx, f)
}

// Check is [sqlite.DB.Check].
func (d *database) Check(ctx context.Context) error {
	d.turn.RLock()
	defer d.turn.RUnlock()
	return d.DB.Check(ctx)
}
