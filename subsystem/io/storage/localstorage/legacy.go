package localstorage

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// The reference keeps the bytes of an object in "local/<name>" and its metadata, the ACL among them, as JSON in
// ".local.metadata/<name>". Such objects are read where they lie. One that is written becomes a record, which then
// hides the old files until they are removed.
const (
	oldData     = "local/"
	oldMetadata = ".local.metadata/"
	// maxOldMetadata bounds a metadata file of the reference, in bytes.
	maxOldMetadata = 1 << 20
)

// oldHeader reads what the reference knows of an object. No data file is [fault.NotFound]; data without readable
// metadata is damaged, so that nobody owns it.
func (s *store) oldHeader(name string) (header, error) {
	info, err := s.root.Stat(oldData + name)
	switch {
	case fault.CodeOf(err) == disk.CodePathDenied:
		return header{}, storage.Damaged("%w", err)
	case fault.Is(err, fault.Invalid):
		return header{}, storage.Missing() // a folder of other objects, or nothing that was ever an object
	case err != nil:
		return header{}, err
	}
	text, err := s.root.Read(oldMetadata+name, maxOldMetadata)
	if unusable(err) || fault.Is(err, fault.NotFound) {
		return header{}, storage.Damaged("metadata of the reference: %w", err)
	}
	if err != nil {
		return header{}, err
	}
	h, err := decodeOld(text)
	if err != nil {
		return header{}, err
	}
	h.name, h.modified = name, info.Modified
	return h, nil
}

// decodeOld reads a metadata file of the reference: an object of texts, of which "acl" is the ACL. The others are JSON
// where they can be read as such.
func decodeOld(text []byte) (header, error) {
	v, err := value.Decode(text, value.Limits{})
	if err != nil {
		return header{}, storage.Damaged("metadata of the reference: %w", err)
	}
	stored, ok := v.Get("acl").Str()
	if !ok {
		return header{}, storage.Damaged("metadata of the reference has no ACL")
	}
	acl, err := access.ParseACL(stored)
	if err != nil {
		return header{}, storage.Damaged("ACL of the reference: %w", err)
	}
	metadata := value.NewBuilder(v.Len())
	for _, m := range v.Members() {
		if m.Key == "acl" {
			continue
		}
		if s, ok := m.Value.Str(); ok {
			if parsed, err := value.Parse(s); err == nil {
				m.Value = parsed
			}
		}
		metadata.Add(m.Key, m.Value)
	}
	// The file has no generation; its content does, as the ACL is part of it.
	sum := sha256.Sum256(text)
	return header{
		Record:     storage.Record{ACL: acl, Metadata: metadata.Build()},
		generation: "old-" + hex.EncodeToString(sum[:]),
	}, nil
}

// removeOld removes the files of the reference, the bytes first, so that what is left after a crash in between is
// nobody's.
func (s *store) removeOld(name string) error {
	for _, file := range []string{oldData + name, oldMetadata + name} {
		err := s.root.Remove(file)
		switch fault.KindOf(err) {
		case fault.NotFound, fault.Invalid: // gone already, or a folder of other objects
		default:
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// oldNames returns the names of the reference's objects that begin with prefix and are hidden by no record, in the order
// of the files that they would have as records.
func (s *store) oldNames(prefix string) ([]string, error) {
	var names []string
	for file, err := range s.root.Walk(oldData+prefix, "") {
		if err != nil {
			return nil, err
		}
		name := file[len(oldData):]
		if storage.ValidName(name) == nil {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return disk.Compare(fileOf(a), fileOf(b)) })
	return names, nil
}
