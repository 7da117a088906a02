//go:build unix

package disk

import "syscall"

const (
	// nonblock makes opening a FIFO or a device return at once; on regular files it has no effect.
	nonblock = syscall.O_NONBLOCK
	// directory makes opening anything but a folder fail.
	directory = syscall.O_DIRECTORY
	// foldersSync says whether a folder can be flushed.
	foldersSync = true
	// modesCount says whether the mode of a file tells who may read it.
	modesCount = true
)
