package sqlite

import (
	"context"
	"database/sql"
	"iter"
	"sync"
)

// pool is connections with their prepared statements. The text of statements is the program's own, never data, so there
// are few.
type pool struct {
	db    *sql.DB
	mu    sync.RWMutex
	known map[string]*sql.Stmt
	tx    inTx
}

func newPool(db *sql.DB) *pool { return &pool{db: db, known: make(map[string]*sql.Stmt)} }

// prepare returns a statement that lives as long as the pool.
func (p *pool) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	p.mu.RLock()
	st := p.known[text]
	p.mu.RUnlock()
	if st != nil {
		return st, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if st := p.known[text]; st != nil {
		return st, nil
	}
	st, err := p.db.PrepareContext(ctx, text)
	if err == nil {
		p.known[text] = st
	}
	return st, err
}

func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var first error
	for _, st := range p.known {
		if err := st.Close(); err != nil && first == nil {
			first = err
		}
	}
	clear(p.known)
	if err := p.db.Close(); err != nil && first == nil {
		first = err
	}
	return first
}

// Row reads one row into dest. No row is [fault.NotFound].
func (db *DB) Row(ctx context.Context, query string, args []any, dest ...any) error {
	const op = "sqlite.read"
	p, err := db.open(ctx)
	if err != nil {
		return err
	}
	st, err := p.read.prepare(ctx, query)
	if err != nil {
		return explain(op, err)
	}
	return explain(op, st.QueryRowContext(ctx, args...).Scan(dest...))
}

// Rows gives the rows of a query one by one; scan each before the next. It gives at most one error, as the last pair.
// A connection is taken until the iteration ends: do not wait for others within it.
func (db *DB) Rows(ctx context.Context, query string, args ...any) iter.Seq2[*sql.Rows, error] {
	const op = "sqlite.read"
	return func(yield func(*sql.Rows, error) bool) {
		p, err := db.open(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		st, err := p.read.prepare(ctx, query)
		if err != nil {
			yield(nil, explain(op, err))
			return
		}
		rows, err := st.QueryContext(ctx, args...)
		if err != nil {
			yield(nil, explain(op, err))
			return
		}
		each(rows, yield)
	}
}

// Exec runs one statement that writes, as a transaction of its own, and returns how many rows it changed.
func (db *DB) Exec(ctx context.Context, stmt string, args ...any) (int64, error) {
	const op = "sqlite.write"
	p, err := db.open(ctx)
	if err != nil {
		return 0, err
	}
	st, err := p.write.prepare(ctx, stmt)
	if err != nil {
		return 0, explain(op, err)
	}
	res, err := st.ExecContext(ctx, args...)
	if err != nil {
		return 0, explain(op, err)
	}
	n, err := res.RowsAffected()
	return n, explain(op, err)
}
