package storage

import (
	"fmt"

	"github.com/sre-go/sre/fault"
)

// CodeDamaged is the code of errors about a stored record that cannot be understood.
const CodeDamaged = "RECORD_DAMAGED"

// LimitObjectBytes is the name of the limit on the size of one object.
const LimitObjectBytes = "storage_object_bytes"

// MaxObjectBytes is the largest object.
const MaxObjectBytes int64 = 4 << 30

// LimitReadBytes is the name of the limit on what [Handle.Read] holds in memory.
const LimitReadBytes = "storage_read_bytes"

// MaxReadBytes is the largest object that [Handle.Read] reads. Larger ones are read by [Handle.Open].
const MaxReadBytes = 100 << 20

// LimitMetadataBytes is the name of the limit on the metadata of one object, as JSON.
const LimitMetadataBytes = "storage_metadata_bytes"

// MaxMetadataBytes is the largest metadata.
const MaxMetadataBytes = 64 << 10

// Damaged is the error of a connector for a record that is lost in part or garbled. The guard denies on it and asks
// for repair in the log; only who may read the object sees it.
func Damaged(format string, args ...any) error {
	return &fault.Error{Kind: fault.Internal, Code: CodeDamaged, Err: fmt.Errorf(format, args...)}
}

// Changed is the error of a connector for a generation that is not the one any more.
func Changed() error { return fault.Newf(fault.Conflict, "the object was changed meanwhile") }

// Missing is the error of a connector for a name without an object.
func Missing() error { return fault.Newf(fault.NotFound, "no such object") }
