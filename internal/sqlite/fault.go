package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/sre-go/sre/fault"
)

// Codes of errors.
const (
	CodeFull    = "STORAGE_FULL"
	CodeDamaged = "RECORD_DAMAGED"
)

// explain gives an error of the driver its kind. An error that has one stays as it is.
func explain(op string, err error) error {
	if err == nil {
		return nil
	}
	return because(op, err)
}

// because is apart from explain so that a success costs no memory.
func because(op string, err error) error {
	var known *fault.Error
	var d *driver.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, sql.ErrNoRows):
		return errMissing
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &fault.Error{Op: op, Kind: fault.KindOf(err), Err: err}
	case !errors.As(err, &d):
		return &fault.Error{Op: op, Kind: fault.Unavailable, Err: err}
	}
	out := &fault.Error{Op: op, Kind: fault.Unavailable, Err: err}
	switch d.Code() & 0xff { // the upper bits tell details
	case lib.SQLITE_FULL:
		out.Code, out.Hint = CodeFull, "make room on the disk; reading goes on, and so does writing once there is room"
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		out.Kind, out.Code, out.Hint = fault.Internal, CodeDamaged, "stop the program and restore the file from a copy"
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		out.Hint = "another process holds the file; end it or wait"
	case lib.SQLITE_INTERRUPT:
		out.Kind = fault.Canceled
	case lib.SQLITE_CONSTRAINT:
		out.Kind = fault.Conflict
	case lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM:
		out.Hint = "let this user write the file and its folder"
	case lib.SQLITE_TOOBIG:
		out.Kind = fault.Limit
	}
	return out
}

// errMissing is made once: a miss is nothing unusual.
var errMissing = fault.Newf(fault.NotFound, "no such row")

func damaged(name, what string) error {
	return &fault.Error{
		Op: "sqlite.verify", Resource: name, Kind: fault.Internal, Code: CodeDamaged,
		Hint: "stop the program and restore the file from a copy", Err: fmt.Errorf("%s", what),
	}
}
