package storage

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Handle is the storage as one candidate sees it. It is safe for concurrent use.
//
// Errors: a name without an object is [fault.NotFound], a refusal [fault.Denied], a name that cannot be one
// [fault.Invalid], and an object that others keep replacing [fault.Conflict].
type Handle struct {
	service   *Service
	candidate access.Candidate
}

// Options are what a write stores beside the bytes.
type Options struct {
	// ACL is added to the ownership of the candidate when the write makes the object. An object that exists keeps its
	// ACL; SetACL changes it.
	ACL *access.ACL
	// Metadata replaces the metadata of the object; absent for none. The member "acl" is reserved.
	Metadata value.Value
	// TTL is how long the object lives from now on; 0 for ever.
	TTL time.Duration
}

// Open opens an object for reading. The caller closes its body.
func (h *Handle) Open(ctx context.Context, name string) (*Object, error) {
	return h.OpenRange(ctx, name, 0, 0)
}

// OpenRange is Open for the part of length bytes from offset on, all of them when length is 0. The errors are those of
// [Range.Of], too.
func (h *Handle) OpenRange(ctx context.Context, name string, offset, length int64) (*Object, error) {
	const op = "storage.read"
	var object *Object
	err := guarded(ctx, h, op, name, func(g access.Grant[access.Read], r Ruling) error {
		if r.Generation == "" {
			return Missing()
		}
		var err error
		object, err = h.service.conn.Read(ctx, g, r.Generation, Range{Offset: offset, Length: length})
		return err
	})
	if err != nil {
		return nil, err
	}
	return object, nil
}

// Read returns the bytes of an object of at most [MaxReadBytes]. The caller owns them.
func (h *Handle) Read(ctx context.Context, name string) ([]byte, error) {
	object, err := h.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	// The size is what the connector says; what counts is what comes.
	data := bytes.NewBuffer(make([]byte, 0, min(max(object.Size, 0), MaxReadBytes)+bytes.MinRead))
	if object.Size <= MaxReadBytes {
		_, err = data.ReadFrom(io.LimitReader(object.Body, MaxReadBytes+1))
	}
	if cerr := object.Body.Close(); err == nil {
		err = cerr
	}
	if err == nil && (object.Size > MaxReadBytes || data.Len() > MaxReadBytes) {
		err = fault.Hint(fault.Limitf(LimitReadBytes, "object is over the limit of %d bytes for one that is read at once", MaxReadBytes), "open it and read it bit by bit")
	}
	if err != nil {
		return nil, h.wrap("storage.read", name, err)
	}
	return data.Bytes(), nil
}

// Write stores data under a name, at once or not at all. The candidate becomes the owner of an object it makes.
func (h *Handle) Write(ctx context.Context, name string, data []byte, o Options) error {
	return h.WriteFrom(ctx, name, bytes.NewReader(data), o)
}

// WriteFrom is Write with what r gives until its end. When r is no [io.Seeker] and the object is replaced by another
// while r is read, the write is [fault.Conflict].
func (h *Handle) WriteFrom(ctx context.Context, name string, r io.Reader, o Options) error {
	const op = "storage.write"
	metadata, err := cleanMetadata(o.Metadata)
	if err != nil {
		return h.wrap(op, name, err)
	}
	if o.TTL < 0 {
		return h.wrap(op, name, fault.Newf(fault.Invalid, "a time to live must not be negative"))
	}
	body := &boundedReader{r: r, ctx: ctx}
	write := func(g access.Grant[access.Write], ruling Ruling) error {
		record := Record{ACL: ruling.ACL, Metadata: metadata, Expires: h.until(o.TTL)}
		if ruling.Generation == "" && o.ACL != nil {
			if o.ACL.Hash() == access.PlainID {
				return fault.Newf(fault.Invalid, "an ACL with plain ids grants nothing and is not stored")
			}
			record.ACL = o.ACL.With(h.candidate, access.RightOwner)
		}
		if err := body.rewind(); err != nil {
			return err
		}
		return h.service.conn.Write(ctx, g, ruling.Generation, record, body)
	}
	if _, again := r.(io.Seeker); !again { // what can be read once is not for a try
		return ruled(ctx, h, op, name, write)
	}
	return guarded(ctx, h, op, name, write)
}

// Delete removes an object.
func (h *Handle) Delete(ctx context.Context, name string) error {
	return guarded(ctx, h, "storage.delete", name, func(g access.Grant[access.Write], r Ruling) error {
		if r.Generation == "" {
			return Missing()
		}
		return h.service.conn.Delete(ctx, g, r.Generation)
	})
}

// until returns when something that lives for ttl from now on is gone.
func (h *Handle) until(ttl time.Duration) time.Time {
	if ttl == 0 {
		return time.Time{}
	}
	return h.service.clock.Now().Add(ttl)
}

func tooLarge() error {
	return fault.Limitf(LimitObjectBytes, "object is over the limit of %d bytes", MaxObjectBytes)
}

// cleanMetadata returns metadata as it is stored: what its JSON reads as, so that every connector keeps the same.
func cleanMetadata(m value.Value) (value.Value, error) {
	if m.IsNil() {
		return value.Obj(), nil
	}
	if !m.IsObject() {
		return m, fault.Newf(fault.Invalid, "metadata is an object, not a %s", m.Kind())
	}
	if m.Has("acl") {
		return m, fault.Newf(fault.Invalid, "the metadata %q is reserved; give the ACL as such", "acl")
	}
	text := m.JSON()
	if err := checkMetadataSize(len(text)); err != nil {
		return m, err
	}
	return value.Parse(text)
}

func checkMetadataSize(n int) error {
	if n > MaxMetadataBytes {
		return fault.Limitf(LimitMetadataBytes, "metadata of %d bytes is over the limit of %d", n, MaxMetadataBytes)
	}
	return nil
}

// boundedReader reads what a caller wants to store: no more than an object holds, and not after ctx ended.
type boundedReader struct {
	r     io.Reader
	ctx   context.Context
	n     int64
	start int64 // where r began
	begun bool
}

// Len returns how many bytes are left to read when that is known, otherwise 0.
func (b *boundedReader) Len() int {
	if known, ok := b.r.(interface{ Len() int }); ok {
		return known.Len()
	}
	return 0
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.ctx.Err() != nil {
		return 0, context.Cause(b.ctx)
	}
	n, err := b.r.Read(p)
	if b.n += int64(n); b.n > MaxObjectBytes {
		return 0, tooLarge()
	}
	return n, err
}

// rewind prepares for reading, from the start again when it is not the first time.
func (b *boundedReader) rewind() error {
	seeker, ok := b.r.(io.Seeker)
	var err error
	switch {
	case ok && !b.begun:
		b.start, err = seeker.Seek(0, io.SeekCurrent)
	case ok:
		_, err = seeker.Seek(b.start, io.SeekStart)
	case b.n > 0:
		err = fault.New(fault.Conflict, errors.New("the object was replaced while its bytes arrived; send them again"))
	}
	if err != nil {
		return err
	}
	b.begun, b.n = true, 0
	return nil
}
