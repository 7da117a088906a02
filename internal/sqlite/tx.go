package sqlite

import (
	"context"
	"database/sql"
	"maps"
	"sync"
	"sync/atomic"
)

// Tx is a transaction that writes. It belongs to the function that [DB.Write] calls.
type Tx struct {
	tx   *sql.Tx
	pool *pool
}

// Write calls f in a transaction, which is committed when f returns nil and undone otherwise. Writers wait for each
// other, so f is quick and does nothing but ask the database. f's error comes back as it is.
func (db *DB) Write(ctx context.Context, f func(*Tx) error) error {
	const op = "sqlite.write"
	p, err := db.open(ctx)
	if err != nil {
		return err
	}
	p.write.prepareWanted(ctx)
	tx, err := p.write.db.BeginTx(ctx, nil)
	if err != nil {
		return explain(op, err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := f(&Tx{tx: tx, pool: p.write}); err != nil {
		return err
	}
	return explain(op, tx.Commit())
}

// Row reads one row into dest. No row is [fault.NotFound].
func (t *Tx) Row(ctx context.Context, query string, args []any, dest ...any) error {
	var row *sql.Row
	if st := t.pool.tx.find(query); st != nil {
		row = t.tx.StmtContext(ctx, st).QueryRowContext(ctx, args...)
	} else {
		row = t.tx.QueryRowContext(ctx, query, args...)
	}
	return explain("sqlite.read", row.Scan(dest...))
}

// Exec runs one statement and returns how many rows it changed.
func (t *Tx) Exec(ctx context.Context, stmt string, args ...any) (int64, error) {
	const op = "sqlite.write"
	var res sql.Result
	var err error
	if st := t.pool.tx.find(stmt); st != nil {
		res, err = t.tx.StmtContext(ctx, st).ExecContext(ctx, args...)
	} else {
		res, err = t.tx.ExecContext(ctx, stmt, args...)
	}
	if err != nil {
		return 0, explain(op, err)
	}
	n, err := res.RowsAffected()
	return n, explain(op, err)
}

// inTx are the prepared statements of transactions. Preparing takes a connection, and a transaction has the only one that
// writes: so a statement that a transaction uses for the first time is noted, and prepared before the next transaction.
type inTx struct {
	ready atomic.Pointer[map[string]*sql.Stmt] // never changed, but replaced

	mu     sync.Mutex
	wanted map[string]bool
}

// maxInTx bounds how many statements are prepared. A program has fewer.
const maxInTx = 100

// find returns a prepared statement, or nil and notes that one is wanted. It waits for nobody who waits for a connection.
func (x *inTx) find(text string) *sql.Stmt {
	ready := x.ready.Load()
	if ready != nil {
		if st := (*ready)[text]; st != nil {
			return st
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.wanted == nil {
		x.wanted = make(map[string]bool)
	}
	if len(x.wanted) < maxInTx && (ready == nil || len(*ready) < maxInTx) {
		x.wanted[text] = true
	}
	return nil
}

// take returns what is wanted and forgets it.
func (x *inTx) take() map[string]bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	wanted := x.wanted
	x.wanted = nil
	return wanted
}

// prepareWanted prepares what transactions noted. The caller has no transaction. What cannot be prepared is no failure: the
// transaction that uses it says what is wrong.
func (p *pool) prepareWanted(ctx context.Context) {
	wanted := p.tx.take()
	if len(wanted) == 0 {
		return
	}
	made := make(map[string]*sql.Stmt, len(wanted))
	for text := range wanted {
		if st, err := p.prepare(ctx, text); err == nil {
			made[text] = st
		}
	}
	for {
		old := p.tx.ready.Load()
		next := maps.Clone(made)
		if old != nil {
			maps.Copy(next, *old)
		}
		if p.tx.ready.CompareAndSwap(old, &next) {
			return
		}
	}
}
