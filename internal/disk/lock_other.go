//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package disk

import (
	"errors"

	"github.com/sre-go/sre/fault"
)

// lockFile refuses: this system has no locks that end with their process.
func lockFile(file) error {
	return fault.New(fault.Unsupported, errors.New("this system has no file locks"))
}
