package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/sre-go/sre/fault"
)

var things = []string{
	"CREATE TABLE thing (name TEXT PRIMARY KEY, size INTEGER NOT NULL) STRICT, WITHOUT ROWID",
	"ALTER TABLE thing ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'; CREATE INDEX thing_size ON thing (size)",
}

func open(t *testing.T, dir string, schema []string) *DB {
	t.Helper()
	db, err := New(Options{Folder: dir, Name: "things.db", Schema: schema, Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return db
}

func put(t *testing.T, db *DB, name string, size int) {
	t.Helper()
	if _, err := db.Exec(t.Context(), "INSERT INTO thing (name, size) VALUES (?, ?)", name, size); err != nil {
		t.Fatal(err)
	}
}

func TestDB_NoTraceBeforeUse(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	db := open(t, dir, things)
	if err := db.Check(t.Context()); err != nil {
		t.Errorf("Check = %v, want nil for a database that was never used", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is there before the first use: %v", err)
	}
	put(t, db, "a", 1)
	info, err := os.Stat(filepath.Join(dir, "things.db"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v (%v), want 0600", info.Mode(), err)
	}
	if err := db.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
}

func TestDB_ReadsWhatWasWritten(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), things)
	for i, name := range []string{"a", "b", "c"} {
		put(t, db, name, i)
	}
	var size int
	if err := db.Row(t.Context(), "SELECT size FROM thing WHERE name = ?", []any{"c"}, &size); err != nil || size != 2 {
		t.Errorf("Row = %d, %v, want 2", size, err)
	}
	if err := db.Row(t.Context(), "SELECT size FROM thing WHERE name = ?", []any{"d"}, &size); !fault.Is(err, fault.NotFound) {
		t.Errorf("Row of nothing = %v, want NotFound", err)
	}
	var names []string
	for rows, err := range db.Rows(t.Context(), "SELECT name FROM thing ORDER BY name") {
		if err != nil {
			t.Fatal(err)
		}
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if names = append(names, name); len(names) == 2 {
			break // gives the connection back
		}
	}
	if got := fmt.Sprint(names); got != "[a b]" {
		t.Errorf("Rows = %s, want [a b]", got)
	}
	if _, err := db.Exec(t.Context(), "INSERT INTO thing (name, size) VALUES ('a', 9)"); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second a = %v, want Conflict", err)
	}
	if err := db.Verify(t.Context()); err != nil {
		t.Errorf("Verify = %v", err)
	}
}

func TestDB_WriteIsAllOrNothing(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), things)
	boom := errors.New("boom")
	err := db.Write(t.Context(), func(tx *Tx) error {
		if _, err := tx.Exec(t.Context(), "INSERT INTO thing (name, size) VALUES ('a', 1)"); err != nil {
			return err
		}
		var n int
		if err := tx.Row(t.Context(), "SELECT count(*) FROM thing", nil, &n); err != nil || n != 1 {
			t.Errorf("within the transaction there are %d (%v), want 1", n, err)
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Errorf("Write = %v, want the error of the function", err)
	}
	var n int
	if err := db.Row(t.Context(), "SELECT count(*) FROM thing", nil, &n); err != nil || n != 0 {
		t.Errorf("after a failed Write there are %d (%v), want 0", n, err)
	}
}

func TestDB_Migrates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := open(t, dir, things[:1])
	put(t, old, "a", 1)
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	db := open(t, dir, things)
	var colour string
	if err := db.Row(t.Context(), "SELECT colour FROM thing WHERE name = 'a'", nil, &colour); err != nil || colour != "red" {
		t.Errorf("colour = %q, %v, want red", colour, err)
	}
	older := open(t, dir, things[:1])
	if err := older.Row(t.Context(), "SELECT name FROM thing", nil, &colour); !fault.Is(err, fault.Unsupported) {
		t.Errorf("a file of a newer program = %v, want Unsupported", err)
	}
}

func TestDB_FailedStepLeavesTheOneBefore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	broken := open(t, dir, []string{things[0], "CREATE TABLE other (x); SELECT nonsense FROM nowhere"})
	var n int
	if err := broken.Row(t.Context(), "SELECT count(*) FROM thing", nil, &n); err == nil {
		t.Error("a broken step was taken")
	}
	db := open(t, dir, things)
	if err := db.Row(t.Context(), "SELECT count(*) FROM thing", nil, &n); err != nil {
		t.Errorf("after a broken step: %v", err)
	}
}

func TestF06_DamagedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "things.db"), bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	db := open(t, dir, things)
	_, err := db.Exec(t.Context(), "INSERT INTO thing (name, size) VALUES ('a', 1)")
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != CodeDamaged {
		t.Errorf("Exec on a damaged file = %v, want code %s", err, CodeDamaged)
	}
}

func TestF04_FullDisk(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), things)
	put(t, db, "first", 1)
	if _, err := db.Exec(t.Context(), "PRAGMA max_page_count = 8"); err != nil {
		t.Fatal(err)
	}
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		_, err = db.Exec(t.Context(), "INSERT INTO thing (name, size) VALUES (?, ?)", fmt.Sprint("long name ", bytes.Repeat([]byte{'x'}, 100), i), i)
	}
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != CodeFull {
		t.Fatalf("Exec on a full disk = %v, want code %s", err, CodeFull)
	}
	var size int
	if err := db.Row(t.Context(), "SELECT size FROM thing WHERE name = 'first'", nil, &size); err != nil {
		t.Errorf("reading on a full disk: %v", err)
	}
	if _, err := db.Exec(t.Context(), "PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	put(t, db, "room again", 1)
}

func TestDB_ManyAtOnce(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), things)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 20 {
				if _, err := db.Exec(context.Background(), "INSERT INTO thing (name, size) VALUES (?, ?)", fmt.Sprintf("%d-%d", i, j), j); err != nil {
					t.Error(err)
				}
				var n int
				if err := db.Row(context.Background(), "SELECT count(*) FROM thing", nil, &n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	var n int
	if err := db.Row(t.Context(), "SELECT count(*) FROM thing", nil, &n); err != nil || n != 160 {
		t.Errorf("there are %d (%v), want 160", n, err)
	}
}

func TestDB_Closed(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), things)
	put(t, db, "a", 1)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), "DELETE FROM thing"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Exec after Close = %v, want Unavailable", err)
	}
}

func TestNew_Refuses(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{Folder: "x", Name: "../a.db"}, {Folder: "x"}, {Name: "a.db"}} {
		if _, err := New(o); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Denied) {
			t.Errorf("New(%+v) = %v, want a refusal", o, err)
		}
	}
}

func TestDB_CanceledQueryEnds(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), things)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var n int
	if err := db.Row(ctx, "SELECT count(*) FROM thing", nil, &n); !fault.Is(err, fault.Canceled) {
		t.Errorf("Row with an ended context = %v, want Canceled", err)
	}
}
