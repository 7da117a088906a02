//go:build !unix

package disk

// There are no FIFOs among the files of these systems, their folders cannot be flushed, and modes do not tell who may read.
const (
	nonblock    = 0
	directory   = 0
	foldersSync = false
	modesCount  = false
)
