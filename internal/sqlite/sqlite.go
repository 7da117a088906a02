// Package sqlite opens embedded databases.
//
// It is the only package that knows the driver. A [DB] is one file with one writer and
// several readers (write-ahead log), whose schema is brought up to date when it is first
// used. Errors have the kinds of package fault: a full disk, a damaged file and a busy
// database are told apart.
//
// The file and its folder appear with the first use, readable by their owner only. Several
// processes may use one file.
package sqlite

import (
	"context"
	"database/sql"
	"net/url"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite" // the driver

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
)

// Options describe a database.
type Options struct {
	// Folder of the file, a path of the operating system chosen by the operator.
	Folder string
	// Name of the file within the folder, such as "storage.db".
	Name string
	// Schema are the steps that make the database what it is today: step i takes version i to version i+1. A step is one
	// or more statements, and is never changed once released; a new one is added.
	Schema []string
	// Durable makes a write wait until the disk has it, so that it survives a loss of power. Otherwise it survives the
	// end of the process only.
	Durable bool
}

// DB is one database. It is safe for concurrent use.
type DB struct {
	o Options

	mu     sync.Mutex
	closed bool
	pools  *pools // nil until the first use
}

// pools are an open database: connections that read, and the one that writes.
type pools struct {
	read, write *pool
}

// The number of connections that read, and how long a statement waits for another process, in milliseconds.
const (
	readers  = 4
	busyTime = "5000"
)

// New describes a database without opening it.
func New(o Options) (*DB, error) {
	if err := disk.ValidName(o.Name); err != nil {
		return nil, err
	}
	if o.Folder == "" {
		return nil, fault.Newf(fault.Invalid, "the folder of %s is not named", o.Name)
	}
	return &DB{o: o}, nil
}

// open returns the open database, opening it when it is not.
func (db *DB) open(ctx context.Context) (*pools, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	switch {
	case db.closed:
		return nil, fault.Newf(fault.Unavailable, "the database %s is closed", db.o.Name)
	case db.pools != nil:
		return db.pools, nil
	}
	if err := db.prepareFile(); err != nil {
		return nil, err
	}
	p, err := db.connect()
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx, p.write.db); err != nil {
		_ = p.close() // the first error tells more
		return nil, err
	}
	db.pools = p
	return p, nil
}

// prepareFile makes the folder and the file, which nobody else may read.
func (db *DB) prepareFile() error {
	folder, err := disk.Create(db.o.Folder)
	if err != nil {
		return err
	}
	err = folder.Touch(db.o.Name)
	if closing := folder.Close(); err == nil {
		err = closing
	}
	return err
}

func (db *DB) path() string { return filepath.Join(db.o.Folder, db.o.Name) }

// connect opens the pools.
func (db *DB) connect() (*pools, error) {
	sync := "NORMAL"
	if db.o.Durable {
		sync = "FULL"
	}
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(" + busyTime + ")", "journal_mode(WAL)", "synchronous(" + sync + ")", "foreign_keys(1)",
		"trusted_schema(0)", "cell_size_check(1)",
	}}
	dsn := (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(db.path()), RawQuery: q.Encode()}).String()
	write, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, explain("sqlite.open", err)
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", dsn+"&_pragma=query_only(1)")
	if err != nil {
		_ = write.Close() // the first error tells more
		return nil, explain("sqlite.open", err)
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return &pools{read: newPool(read), write: newPool(write)}, nil
}

// Check reports whether the database can be read; for readiness. A database that was never used is well.
func (db *DB) Check(ctx context.Context) error {
	db.mu.Lock()
	p := db.pools
	db.mu.Unlock()
	if p == nil {
		return nil
	}
	var one int
	return explain("sqlite.check", p.read.db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&one))
}

// Verify reads the whole database and reports the first thing that is damaged.
func (db *DB) Verify(ctx context.Context) error {
	var first string
	if err := db.Row(ctx, "PRAGMA integrity_check(1)", nil, &first); err != nil {
		return err
	}
	if first != "ok" {
		return damaged(db.o.Name, first)
	}
	return nil
}

// Close closes the database. It waits for what is under way.
func (db *DB) Close() error {
	db.mu.Lock()
	p := db.pools
	db.pools, db.closed = nil, true
	db.mu.Unlock()
	if p == nil {
		return nil
	}
	return p.close()
}

func (p *pools) close() error {
	err := p.read.close()
	if werr := p.write.close(); err == nil {
		err = werr // the last one to close folds the log into the file
	}
	return explain("sqlite.close", err)
}
