package disk

import (
	"errors"
	"syscall"
	"unsafe"
)

// Arguments and the answer of LockFileEx.
const (
	failImmediately = 1
	exclusive       = 2
	lockViolation   = syscall.Errno(33)
)

// lockFile takes the lock of the open file. Closing the file gives it back.
func lockFile(f file) error {
	lock := syscall.NewLazyDLL("kernel32.dll").NewProc("LockFileEx")
	if err := lock.Find(); err != nil {
		return err
	}
	var at syscall.Overlapped
	ok, _, err := lock.Call(f.Fd(), failImmediately|exclusive, 0, 1, 0, uintptr(unsafe.Pointer(&at)))
	if ok != 0 {
		return nil
	}
	if errors.Is(err, lockViolation) {
		return errHeld
	}
	return err
}
