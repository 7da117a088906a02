package disk

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/sre-go/sre/fault"
)

// CodeStorageFull is the code of errors of a full disk or quota.
const CodeStorageFull = "STORAGE_FULL"

// explain gives an error of the system its kind and wraps it with the operation and the name the caller used.
// Errors that are classified already pass as they are.
func explain(op, name string, err error) error {
	if err == nil {
		return nil
	}
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	out := &fault.Error{Op: op, Resource: name, Kind: fault.Unavailable, Err: bare(err)}
	var errno syscall.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		out.Kind = fault.NotFound
	case errors.Is(err, fs.ErrExist):
		out.Kind = fault.Conflict
	case errors.Is(err, fs.ErrClosed):
		out.Err = errors.New("the folder is closed")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		out.Code, out.Hint = CodeStorageFull, "free space on the disk of the data folder"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		out.Hint = "check who owns the folder and whether it is mounted read-only"
	case errors.Is(err, syscall.ELOOP):
		out.Kind, out.Code = fault.Denied, CodePathDenied
	case errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENXIO), errors.Is(err, syscall.ENAMETOOLONG):
		out.Kind = fault.Invalid
	case errors.As(err, &errno):
		// An error of the device or the system, with nothing to add.
	case isPathError(err):
		// The system was not asked: package os itself refused, because the name leads out of the folder.
		out.Kind, out.Code = fault.Denied, CodePathDenied
	}
	return out
}

func isPathError(err error) bool {
	var pathErr *fs.PathError
	var linkErr *os.LinkError
	return errors.As(err, &pathErr) || errors.As(err, &linkErr)
}

// bare strips what package os adds: the names in it may be absolute.
func bare(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	var linkErr *os.LinkError
	if errors.As(err, &linkErr) {
		return linkErr.Err
	}
	return err
}

// first returns the first of errs that is one: what went wrong, rather than what went wrong while cleaning up.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
