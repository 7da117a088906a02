package storage

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/value"
)

// Connector keeps objects by name. Its methods are safe for concurrent use and keep neither grants nor readers after
// they returned, but for the body of an [Object].
//
// Names have passed [ValidName]. A generation stands for one object under one ACL: it changes when the object is made
// anew after it was gone and when its ACL changes, and at no other time; "" stands for no object. A method that is given
// a generation acts only if it is still the one, as one step, and answers [fault.Conflict] otherwise. That ties what is
// done to what was decided.
//
// An object whose time has passed is gone in every respect.
type Connector interface {
	// Rule returns what the guard needs to decide about a name. No object is [fault.NotFound]. When the ACL is lost or
	// cannot be understood the error is [Damaged]; nobody gets in.
	Rule(ctx context.Context, name string) (Ruling, error)
	// Read opens a part of the object. A body that turns out to be damaged gives [Damaged] in place of the damaged bytes
	// or of the end; no part is given that was not checked. The error of [Range.Of] is returned as it is.
	Read(ctx context.Context, g access.Grant[access.Read], generation string, part Range) (*Object, error)
	// Stat describes the object.
	Stat(ctx context.Context, g access.Grant[access.Read], generation string) (Info, error)
	// Write stores the bytes of body until its end, with everything of the record, at once or not at all. Generation ""
	// makes the object; otherwise it keeps its generation. An error of body is returned as it is.
	Write(ctx context.Context, g access.Grant[access.Write], generation string, r Record, body io.Reader) error
	// Amend changes what stands beside the bytes.
	Amend(ctx context.Context, g access.Grant[access.Write], generation string, c Change) error
	// Delete removes the object.
	Delete(ctx context.Context, g access.Grant[access.Write], generation string) error
	// SetACL replaces the ACL.
	SetACL(ctx context.Context, g access.Grant[access.Owner], generation string, acl *access.ACL) error
	// List gives the objects whose names begin with [Prefix] of the grant, after the object named after ("" for the
	// first), in an order of the connector's own that does not change. Damaged ones are left out. It gives at most one
	// error, as the last pair.
	List(ctx context.Context, g access.Grant[access.Read], after string) iter.Seq2[Item, error]
}

// Ruling is what the guard decides by.
type Ruling struct {
	ACL        *access.ACL
	Generation string // not ""
}

// Record is what is stored with the bytes of an object.
type Record struct {
	ACL      *access.ACL
	Metadata value.Value // an object
	Expires  time.Time   // zero for never
}

// Change is what Amend changes.
type Change struct {
	Metadata value.Value // members to set; absent for none
	Expires  *time.Time  // when the object is gone, the zero time for never; nil leaves it
}

// Info describes an object.
type Info struct {
	Name     string
	Size     int64     // bytes
	Modified time.Time // when bytes, metadata, expiry or ACL last changed
	Expires  time.Time // zero for never
	Metadata value.Value
}

// Object is an open object. Its size is that of the whole, whatever part of it Body gives. The reader closes Body, which is
// for one goroutine at a time and gives the bytes of the moment it was opened, or an error: an object that is replaced
// meanwhile may end it with [fault.Conflict].
type Object struct {
	Info
	Body io.ReadCloser
}

// Verifier is a connector that can read all that it keeps.
type Verifier interface {
	// Verify gives each object that is damaged, with what is wrong with it as [Damaged]. Damage that belongs to no object
	// has the name "". Any other error ends it, as the last pair.
	Verify(ctx context.Context) iter.Seq2[string, error]
}

// Item is one object of a listing: what a caller may see, and the ACL by which the guard decides whether it may.
type Item struct {
	Info
	ACL *access.ACL
}

// Changed returns the record after a change. Metadata that grows over [MaxMetadataBytes] is [fault.Limit].
func (r Record) Changed(c Change) (Record, error) {
	if c.Expires != nil {
		r.Expires = *c.Expires
	}
	if !c.Metadata.IsObject() {
		return r, nil
	}
	members := value.NewBuilder(r.Metadata.Len() + c.Metadata.Len())
	for _, from := range []value.Value{r.Metadata, c.Metadata} {
		for _, m := range from.Members() {
			members.Add(m.Key, m.Value) // a later one takes the place of an earlier one
		}
	}
	r.Metadata = members.Build()
	return r, checkMetadataSize(len(r.Metadata.JSON()))
}
