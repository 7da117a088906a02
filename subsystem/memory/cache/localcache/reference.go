package localcache

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// The reference keeps the text of an entry in "cache/<candidate>/<key>", and its ACL, expiry and metadata as JSON in
// "cache.metadata/<candidate>/<key>". Such entries are read where they lie. One that is written becomes a record, and the
// old files go.
//
// There each candidate had keys of its own, here all share them: a key that several candidates used there is nobody's
// here, as if it had expired.
const (
	oldData     = "cache/"
	oldMetadata = "cache.metadata/"
	// maxOldMetadata bounds a metadata file of the reference, in bytes.
	maxOldMetadata = 1 << 20
)

// reference knows the files of the reference, by their true names: it looks once, at first use. What the reference adds
// later is seen by the next start. It is safe for concurrent use.
type reference struct {
	folder folder

	mu     sync.Mutex
	loaded bool
	owners map[string][]string // the folders that have a key
}

// load looks for the files, unless that was done. The caller holds the lock.
func (r *reference) load() error {
	if r.loaded {
		return nil
	}
	owners := make(map[string][]string)
	for file, err := range r.folder.Walk(oldData, "") {
		if err != nil {
			return err
		}
		owner, key, ok := strings.Cut(strings.TrimPrefix(file, oldData), "/")
		if ok {
			owners[key] = append(owners[key], owner)
		}
	}
	r.owners, r.loaded = owners, true
	return nil
}

// of returns the folders of the reference that have a key.
func (r *reference) of(key string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.load(); err != nil {
		return nil, err
	}
	return slices.Clone(r.owners[key]), nil
}

// keys returns the keys that the reference has.
func (r *reference) keys() ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.load(); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(r.owners)), nil
}

// read returns the entry of one of the folders of the reference, without its value unless whole is set. No entry is
// [cache.Missing]; a value without readable metadata is damaged, so that nobody owns it.
func (r *reference) read(owner, key string, whole bool) (*entry, error) {
	name := owner + "/" + key
	metadata, merr := r.folder.Read(oldMetadata+name, maxOldMetadata)
	if merr != nil && !unusable(merr) && !fault.Is(merr, fault.NotFound) {
		return nil, merr
	}
	var text []byte
	var err error
	if whole {
		text, err = r.folder.Read(oldData+name, cache.MaxStoredBytes/6) // a byte takes at most six when it is quoted
	} else {
		_, err = r.folder.Stat(oldData + name)
	}
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, cache.Missing()
	case unusable(err):
		return nil, cache.Damaged("file of the reference: %w", err)
	case err != nil:
		return nil, err
	case merr != nil:
		return nil, cache.Damaged("metadata of the reference: %w", merr)
	case !utf8.Valid(text):
		return nil, cache.Damaged("the file of the reference for %q is no text", key)
	}
	e, err := decodeOld(metadata)
	if err != nil {
		return nil, err
	}
	e.key, e.old, e.text = key, true, value.Of(string(text)).JSON()
	// The files have no generation; their content does, as the ACL is part of it.
	sum := sha256.Sum256(append([]byte(owner+"\x00"), metadata...))
	e.generation = "old-" + hex.EncodeToString(sum[:])
	return e, nil
}

// decodeOld reads a metadata file of the reference: an object of texts, of which "acl" is the ACL and "expiresAt" the
// expiry in milliseconds since 1970. The others are JSON where they can be read as such.
func decodeOld(text []byte) (*entry, error) {
	v, err := value.Decode(text, value.Limits{Depth: cache.StoredLimits().Depth})
	if err != nil {
		return nil, cache.Damaged("metadata of the reference: %w", err)
	}
	stored, ok := v.Get("acl").Str()
	if !ok {
		return nil, cache.Damaged("the metadata of the reference has no ACL")
	}
	acl, err := access.ParseACL(stored)
	if err != nil {
		return nil, cache.Damaged("ACL of the reference: %w", err)
	}
	e := &entry{acl: acl}
	if e.expires, err = oldExpiry(v.Get("expiresAt")); err != nil {
		return nil, err
	}
	metadata := value.NewBuilder(v.Len())
	for _, m := range v.Members() {
		if m.Key == "acl" || m.Key == "expiresAt" {
			continue
		}
		if s, ok := m.Value.Str(); ok {
			if parsed, err := value.Parse(s); err == nil {
				m.Value = parsed
			}
		}
		metadata.Add(m.Key, m.Value)
	}
	if metadata.Len() > 0 {
		e.metadata = metadata.Build()
	}
	return e, nil
}

// oldExpiry reads a time of the reference: a number or its text, nothing or null for never.
func oldExpiry(v value.Value) (time.Time, error) {
	if v.IsNil() {
		return time.Time{}, nil
	}
	ms, ok := v.Num()
	if text, isText := v.Str(); isText {
		var err error
		ms, err = strconv.ParseFloat(text, 64)
		ok = err == nil
	}
	if !ok || math.IsNaN(ms) || ms < 0 || ms > 253402300799000 { // the year 9999
		return time.Time{}, cache.Damaged("the expiry of the reference is no time")
	}
	return time.UnixMilli(int64(ms)).UTC(), nil
}

// remove removes all files of the reference for a key, the values first, so that what is left after a crash in between
// is nobody's.
func (r *reference) remove(key string) error {
	owners, err := r.of(key)
	if err != nil || len(owners) == 0 {
		return err
	}
	for _, folder := range []string{oldData, oldMetadata} {
		for _, owner := range owners {
			err := r.folder.Remove(folder + owner + "/" + key)
			if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
				return err
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.owners, key)
	return nil
}
