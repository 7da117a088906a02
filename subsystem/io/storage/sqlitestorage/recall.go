package sqlitestorage

import "github.com/sre-go/sre/subsystem/io/storage"

// seen is an object as it was not long ago. Reading by it finds out whether it is still that one, and so does replacing it:
// see [updateObject].
type seen struct {
	row    row
	ruling storage.Ruling
}

// maxSeen is how much of one object is remembered, in bytes of its ACL and its metadata.
const maxSeen = 4096

// remember notes an object that was read or written just now.
func (s *store) remember(r row, ruling storage.Ruling) {
	if len(r.acl)+len(r.metadata) <= maxSeen {
		s.recent.Put(r.name, seen{row: r, ruling: ruling})
	} else {
		s.recent.Forget(r.name)
	}
}

// Recall implements [storage.Recaller].
func (s *store) Recall(name string) (storage.Ruling, bool) {
	known, ok := s.recent.Get(name)
	return known.ruling, ok
}
