package sqlite

import (
	"context"
	"database/sql"
	"iter"
)

// View is a transaction that only reads: all it shows is of one moment, however much others write meanwhile. It belongs to
// the function that [DB.Read] calls.
type View struct{ tx *Tx }

// Read calls f with a view, which takes a connection until f returns: f does not wait for others. f's error comes back as
// it is.
func (db *DB) Read(ctx context.Context, f func(*View) error) error {
	const op = "sqlite.read"
	p, err := db.open(ctx)
	if err != nil {
		return err
	}
	p.read.prepareWanted(ctx)
	tx, err := p.read.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return explain(op, err)
	}
	defer func() { _ = tx.Rollback() }() // there is nothing to undo
	return f(&View{&Tx{tx: tx, pool: p.read}})
}

// Row reads one row into dest. No row is [fault.NotFound].
func (v *View) Row(ctx context.Context, query string, args []any, dest ...any) error {
	return v.tx.Row(ctx, query, args, dest...)
}

// Rows gives the rows of a query one by one; scan each before the next, and ask nothing else meanwhile. It gives at most
// one error, as the last pair.
func (v *View) Rows(ctx context.Context, query string, args ...any) iter.Seq2[*sql.Rows, error] {
	const op = "sqlite.read"
	return func(yield func(*sql.Rows, error) bool) {
		var rows *sql.Rows
		var err error
		if st := v.tx.pool.tx.find(query); st != nil {
			rows, err = v.tx.tx.StmtContext(ctx, st).QueryContext(ctx, args...)
		} else {
			rows, err = v.tx.tx.QueryContext(ctx, query, args...)
		}
		if err != nil {
			yield(nil, explain(op, err))
			return
		}
		each(rows, yield)
	}
}

// each gives the rows of a query and closes them.
func each(rows *sql.Rows, yield func(*sql.Rows, error) bool) {
	defer func() { _ = rows.Close() }() // what it would say rows.Err has said
	for rows.Next() {
		if !yield(rows, nil) {
			return
		}
	}
	if err := rows.Err(); err != nil {
		yield(nil, explain("sqlite.read", err))
	}
}
