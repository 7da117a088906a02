package localnkv

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/value"
)

// List implements [nkv.Connector], in the order of the files. Damaged values are left out and named in the log.
func (s *store) List(ctx context.Context, g access.Grant[access.Read], after string) iter.Seq2[nkv.Item, error] {
	at := nkv.At(g)
	return func(yield func(nkv.Item, error) bool) {
		for file, err := range s.files(at, after) {
			if err == nil && ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			var item nkv.Item
			if err == nil {
				item, err = s.item(at, file)
			}
			switch {
			case fault.Is(err, fault.NotFound):
				continue // deleted meanwhile
			case fault.CodeOf(err) == nkv.CodeDamaged:
				s.log.ErrorContext(ctx, "a value is left out of a listing", "team", at.Team, "namespace", at.Namespace, "file", file.name, "error", err)
				continue
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// listed is a file of a listing.
type listed struct {
	name string // of the record that there is or would be
	old  string // the key, when it is a file of the reference
}

// item reads one value of a listing.
func (s *store) item(at nkv.Address, file listed) (nkv.Item, error) {
	if file.old != "" {
		at.Key = file.old
		v, err := s.get(at)
		return nkv.Item{Key: at.Key, Value: v}, err
	}
	found, v, err := s.record(file.name)
	if err == nil && (found.Team != at.Team || found.Namespace != at.Namespace || fileOf(found) != file.name) {
		err = nkv.Damaged(found, "it lies in the place of another")
	}
	if err != nil {
		return nkv.Item{}, err
	}
	return nkv.Item{Key: found.Key, Value: v}, nil
}

// files gives the records of a namespace, and the files of the reference that no record hides, after the key after.
func (s *store) files(at nkv.Address, after string) iter.Seq2[listed, error] {
	return func(yield func(listed, error) bool) {
		from := ""
		if after != "" {
			from = fileOf(nkv.Address{Team: at.Team, Namespace: at.Namespace, Key: after})
		}
		old, err := s.oldFiles(at, from)
		if err != nil {
			yield(listed{}, err)
			return
		}
		for name, err := range s.folder.Walk(spaceOf(at), from) {
			if err != nil {
				yield(listed{}, err)
				return
			}
			for len(old) > 0 && old[0].name < name {
				if !yield(old[0], nil) {
					return
				}
				old = old[1:]
			}
			if len(old) > 0 && old[0].name == name {
				old = old[1:]
			}
			if !yield(listed{name: name}, nil) {
				return
			}
		}
		for _, file := range old {
			if !yield(file, nil) {
				return
			}
		}
	}
}

// oldFiles returns the files of the reference in a namespace that would come after a record, in order.
func (s *store) oldFiles(at nkv.Address, from string) ([]listed, error) {
	keys, err := s.old.in(at)
	if err != nil {
		return nil, err
	}
	var files []listed
	for _, key := range keys {
		at.Key = key
		if name := fileOf(at); name > from {
			files = append(files, listed{name: name, old: key})
		}
	}
	slices.SortFunc(files, func(a, b listed) int { return cmp.Compare(a.name, b.name) })
	return files, nil
}

// record reads a record. No file is [nkv.Missing].
func (s *store) record(file string) (nkv.Address, value.Value, error) {
	b, err := s.folder.Read(file, maxRecord())
	switch {
	case fault.Is(err, fault.NotFound):
		return nkv.Address{}, value.Value{}, nkv.Missing()
	case unusable(err):
		return nkv.Address{}, value.Value{}, nkv.Damaged(nkv.Address{}, "%w", err)
	case err != nil:
		return nkv.Address{}, value.Value{}, err
	}
	at, v, err := decode(b)
	if err != nil {
		return nkv.Address{}, value.Value{}, nkv.Damaged(at, "%w", err)
	}
	return at, v, nil
}
