package sqlite

import (
	"context"
	"database/sql"
	"strconv"

	"github.com/sre-go/sre/fault"
)

// migrate brings the schema up to date: each step with the count of steps in one transaction, so that a process that
// ends in between leaves the step before. A file of a newer program is refused: writing it could lose what it has more.
func (db *DB) migrate(ctx context.Context, w *sql.DB) error {
	const op = "sqlite.migrate"
	for {
		done, err := db.step(ctx, w)
		if err != nil {
			return explain(op, err)
		}
		if done {
			return nil
		}
	}
}

func (db *DB) step(ctx context.Context, w *sql.DB) (done bool, err error) {
	tx, err := w.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return false, err
	}
	switch {
	case version == len(db.o.Schema):
		return true, nil
	case version < 0 || version > len(db.o.Schema):
		err := fault.Newf(fault.Unsupported, "%s has schema version %d, this program knows %d", db.o.Name, version, len(db.o.Schema))
		return false, fault.Hint(err, "use the program that wrote it, or a newer one")
	}
	if _, err := tx.ExecContext(ctx, db.o.Schema[version]); err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, "PRAGMA user_version = "+strconv.Itoa(version+1)); err != nil {
		return false, err
	}
	return false, tx.Commit()
}
