package localstorage

import (
	"context"
	"io"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/io/storage"
)

// maxFile is the largest file of a record.
const maxFile = int64(headerStart+maxHeader+sumSize+trailerSize) + storage.MaxObjectBytes + storage.MaxObjectBytes/blockSize*sumSize + sumSize

// opened is an object that was found, with its file.
type opened struct {
	header
	file *disk.File
	place
	old bool // it lies where the reference put it: a file that is the body
}

func (o *opened) close() error { return o.file.Close() }

// size returns the length of the body. A record whose end is lost is damaged.
func (o *opened) size() (int64, error) {
	if o.old {
		return o.file.Info().Size, nil
	}
	return o.bodySize(o.file)
}

func (o *opened) info() (storage.Info, error) {
	size, err := o.size()
	return storage.Info{Name: o.name, Size: size, Modified: o.modified, Expires: o.Expires, Metadata: o.Metadata}, err
}

// body is a part of the bytes of an object; closing it closes the file.
type body struct {
	io.Reader
	io.Closer
}

// part opens a part of the bytes.
func (o *opened) part(r storage.Range) (io.ReadCloser, error) {
	size, err := o.size()
	if err != nil {
		return nil, err
	}
	offset, length, err := r.Of(size)
	if err != nil {
		return nil, err
	}
	var in io.Reader
	switch {
	case o.old:
		in = io.NewSectionReader(o.file, offset, length)
	case o.oneSum:
		in, err = newOldPart(o.file, o.place, size, offset, length)
	default:
		in = newBlockReader(o.file, o.place, size, offset, length)
	}
	return body{in, o.file}, err
}

// open finds an object. No object is [fault.NotFound]. The caller closes what was opened.
func (s *store) open(name string) (*opened, error) {
	file, err := s.objects.Open(fileOf(name), maxFile)
	switch {
	case fault.Is(err, fault.NotFound):
		return s.openOld(name)
	case unusable(err):
		return nil, storage.Damaged("%w", err)
	case err != nil:
		return nil, err
	}
	h, p, err := readHeader(file, file.Info().Size)
	switch {
	case err != nil:
	case h.name != name:
		err = storage.Damaged("the record is that of another object") // copied, or on a disk that ignores case
	case h.gone(s.clock.Now()):
		err = storage.Missing()
	}
	if err != nil {
		_ = file.Close() // nothing was written
		return nil, err
	}
	return &opened{header: h, file: file, place: p}, nil
}

func (s *store) openOld(name string) (*opened, error) {
	h, err := s.oldHeader(name)
	if err != nil {
		return nil, err
	}
	file, err := s.root.Open(oldData+name, storage.MaxObjectBytes)
	if unusable(err) {
		return nil, storage.Damaged("%w", err)
	}
	if err != nil {
		return nil, err
	}
	return &opened{header: h, file: file, old: true}, nil
}

// unusable reports whether what lies at a place can be no object: no regular file, a link that leads out, or a size that
// no object has.
func unusable(err error) bool {
	return fault.Is(err, fault.Invalid) || fault.Is(err, fault.Limit) || fault.CodeOf(err) == disk.CodePathDenied
}

// current is open for an object that must have that generation.
func (s *store) current(name, generation string) (*opened, error) {
	o, err := s.open(name)
	if fault.Is(err, fault.NotFound) {
		return nil, storage.Changed()
	}
	if err != nil {
		return nil, err
	}
	if o.generation != generation {
		_ = o.close() // nothing was written
		return nil, storage.Changed()
	}
	return o, nil
}

// verify checks that an object still has that generation, or that there still is none for "". old reports whether it
// lies where the reference put it. The caller is alone.
func (s *store) verify(name, generation string) (old bool, err error) {
	o, err := s.open(name)
	switch {
	case fault.Is(err, fault.NotFound):
		if generation != "" {
			return false, storage.Changed()
		}
		return false, nil
	case err != nil:
		return false, err
	}
	if err := o.close(); err != nil {
		return false, err
	}
	if o.generation != generation {
		return false, storage.Changed()
	}
	return o.old, nil
}

// Rule implements [storage.Connector].
func (s *store) Rule(_ context.Context, name string) (storage.Ruling, error) {
	o, err := s.open(name)
	if err != nil {
		return storage.Ruling{}, err
	}
	return storage.Ruling{ACL: o.ACL, Generation: o.generation}, o.close()
}

// Read implements [storage.Connector].
func (s *store) Read(_ context.Context, g access.Grant[access.Read], generation string, r storage.Range) (*storage.Object, error) {
	o, err := s.current(g.Resource(), generation)
	if err != nil {
		return nil, err
	}
	info, err := o.info()
	var part io.ReadCloser
	if err == nil {
		part, err = o.part(r)
	}
	if err != nil {
		_ = o.close() // the first error says more
		return nil, err
	}
	return &storage.Object{Info: info, Body: part}, nil
}

// Stat implements [storage.Connector].
func (s *store) Stat(_ context.Context, g access.Grant[access.Read], generation string) (storage.Info, error) {
	o, err := s.current(g.Resource(), generation)
	if err != nil {
		return storage.Info{}, err
	}
	info, err := o.info()
	if cerr := o.close(); err == nil {
		err = cerr
	}
	return info, err
}

// Write implements [storage.Connector].
func (s *store) Write(ctx context.Context, g access.Grant[access.Write], generation string, r storage.Record, body io.Reader) error {
	h := header{Record: r, name: g.Resource(), generation: generation}
	if generation == "" {
		h.generation = s.clock.NewID()
	}
	return s.replace(ctx, generation, h, body)
}

// replace puts a record in place of the object of that generation. The slow part is done before others have to wait.
func (s *store) replace(ctx context.Context, generation string, h header, body io.Reader) error {
	h.modified = s.clock.Now()
	w, err := s.objects.Writer(fileOf(h.name))
	if err != nil {
		return err
	}
	if err = writeRecord(w, h, body); err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = s.alone(ctx, func() error {
			old, err := s.verify(h.name, generation)
			if err != nil {
				return err
			}
			if err := w.Commit(); err != nil {
				return err
			}
			if old {
				return s.removeOld(h.name)
			}
			return nil
		})
	}
	if err != nil {
		_ = w.Discard() // after Commit it does nothing, and before it the first error says more
	}
	return err
}

// Delete implements [storage.Connector]. The files of the reference go first: a record hides them, and they must not
// come to light again.
func (s *store) Delete(ctx context.Context, g access.Grant[access.Write], generation string) error {
	name := g.Resource()
	return s.alone(ctx, func() error {
		old, err := s.verify(name, generation)
		if err != nil {
			return err
		}
		if err := s.removeOld(name); err != nil || old {
			return err
		}
		return s.objects.Remove(fileOf(name))
	})
}

// purge removes an object whose time has passed, if it is still that one.
func (s *store) purge(ctx context.Context, name string) error {
	return s.alone(ctx, func() error {
		file, err := s.objects.Open(fileOf(name), maxFile)
		if err != nil {
			return err
		}
		h, _, err := readHeader(file, file.Info().Size)
		if cerr := file.Close(); err == nil {
			err = cerr
		}
		if err != nil || h.name != name || !h.gone(s.clock.Now()) {
			return err
		}
		if err := s.removeOld(name); err != nil {
			return err
		}
		return s.objects.Remove(fileOf(name))
	})
}
