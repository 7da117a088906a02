//go:build !unix

package disk

// There are no FIFOs among the files of these systems, and their folders cannot be flushed.
const (
	nonblock    = 0
	directory   = 0
	foldersSync = false
)
