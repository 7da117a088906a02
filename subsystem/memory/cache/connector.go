package cache

import (
	"context"
	"fmt"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Connector keeps values by key. Its methods are safe for concurrent use and keep no grants.
//
// Keys have passed [access.ValidKey]; a connector that turns them into names of something else must not let two keys meet.
// A generation stands for one entry under one ACL: it changes when the entry is made anew after it was gone and when its
// ACL changes, and at no other time; "" stands for no entry. A method that is given a generation acts only if it is still
// the one, as one step, and answers [Changed] otherwise. That ties what is done to what was decided.
//
// An entry whose time has passed is gone in every respect. A connector may forget any entry at any time.
type Connector interface {
	// Rule returns what the guard needs to decide about a key. No entry is [Missing]. When the ACL is lost or cannot be
	// understood the error is [Damaged]; nobody gets in.
	Rule(ctx context.Context, key string) (Ruling, error)
	// Get returns an entry.
	Get(ctx context.Context, g access.Grant[access.Read], generation string) (Entry, error)
	// Set stores a value and everything of the record. Generation "" makes the entry; otherwise it keeps its generation.
	Set(ctx context.Context, g access.Grant[access.Write], generation string, r Record) error
	// Amend changes what stands beside the value.
	Amend(ctx context.Context, g access.Grant[access.Write], generation string, c Change) error
	// Delete removes an entry.
	Delete(ctx context.Context, g access.Grant[access.Write], generation string) error
	// SetACL replaces the ACL.
	SetACL(ctx context.Context, g access.Grant[access.Owner], generation string, acl *access.ACL) error
}

// Ruling is what the guard decides by.
type Ruling struct {
	ACL        *access.ACL
	Generation string // not ""
}

// Entry is what a reader gets.
type Entry struct {
	Value    value.Value
	Metadata value.Value // an object, or absent for none
	Expires  time.Time   // zero for never
}

// Record is what is stored.
type Record struct {
	Entry
	ACL *access.ACL
}

// Change is what Amend changes.
type Change struct {
	Metadata value.Value // members to set; absent for none
	Expires  *time.Time  // when the entry is gone, the zero time for never; nil leaves it
}

// Changed returns the entry after a change. Metadata that grows over [MaxMetadataBytes] is [fault.Limit].
func (e Entry) Changed(c Change) (Entry, error) {
	if c.Expires != nil {
		e.Expires = *c.Expires
	}
	if !c.Metadata.IsObject() {
		return e, nil
	}
	members := value.NewBuilder(e.Metadata.Len() + c.Metadata.Len())
	for _, from := range []value.Value{e.Metadata, c.Metadata} {
		for _, m := range from.Members() {
			members.Add(m.Key, m.Value) // a later one takes the place of an earlier one
		}
	}
	e.Metadata = members.Build()
	return e, checkMetadata(e.Metadata)
}

// LimitMetadataBytes is the name of the limit on the metadata of one entry, as JSON.
const LimitMetadataBytes = "cache_metadata_bytes"

// MaxMetadataBytes is the largest metadata.
const MaxMetadataBytes = 64 << 10

func checkMetadata(m value.Value) error {
	switch {
	case m.IsNil():
		return nil
	case !m.IsObject():
		return fault.Newf(fault.Invalid, "metadata is an object, not a %s", m.Kind())
	case m.Has("acl"):
		return fault.Newf(fault.Invalid, "the metadata %q is reserved; give the ACL as such", "acl")
	}
	if n := len(m.JSON()); n > MaxMetadataBytes {
		return fault.Limitf(LimitMetadataBytes, "metadata of %d bytes is over the limit of %d", n, MaxMetadataBytes)
	}
	return nil
}

// CodeDamaged is the code of errors about a stored entry that cannot be understood.
const CodeDamaged = "RECORD_DAMAGED"

// Damaged is the error of a connector for an entry that is lost in part or garbled. The guard denies on it.
func Damaged(format string, args ...any) error {
	return &fault.Error{Kind: fault.Internal, Code: CodeDamaged, Err: fmt.Errorf(format, args...)}
}

// Changed is the error of a connector for a generation that is not the one any more.
func Changed() error { return errChanged }

// Missing is the error of a connector for a key without an entry.
func Missing() error { return errMissing }

// Both are made once: a miss is nothing unusual.
var (
	errChanged = fault.Newf(fault.Conflict, "the entry was changed meanwhile")
	errMissing = fault.Newf(fault.NotFound, "no such entry")
)
