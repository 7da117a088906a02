package localnkv

import (
	"slices"
	"strings"
	"sync"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/value"
)

// The reference keeps a value as JSON in "team_<team>/<namespace>/<key>". It takes ":" in a namespace or key for "/" and
// other characters for ".", so several addresses have one file there. Here each file belongs to one address: the last
// part of its path is the key, and the folders between the team and it are the namespace, joined by ":". That is what the
// runtime itself writes and what listings of the reference show.
//
// Such files are read where they lie. A value that is stored anew becomes a record and the old file goes.
const oldPrefix = "team_"

// space is a namespace of a team.
type space struct{ team, namespace string }

// reference knows the files of the reference, by their true names: it looks once, at first use. What the reference adds
// later is seen by the next start. It is safe for concurrent use.
type reference struct {
	folder folder

	mu     sync.Mutex
	loaded bool
	keys   map[space]map[string]struct{}
}

// load looks for the files, unless that was done. The caller holds the lock.
func (r *reference) load() error {
	if r.loaded {
		return nil
	}
	keys := make(map[space]map[string]struct{})
	for file, err := range r.folder.Walk(oldPrefix, "") {
		if err != nil {
			return err
		}
		at, ok := oldAddress(file)
		if !ok {
			continue
		}
		in := space{at.Team, at.Namespace}
		if keys[in] == nil {
			keys[in] = make(map[string]struct{})
		}
		keys[in][at.Key] = struct{}{}
	}
	r.keys, r.loaded = keys, true
	return nil
}

// oldAddress returns the address of a file of the reference, false for a file that is none.
func oldAddress(file string) (nkv.Address, bool) {
	rest, ok := strings.CutPrefix(file, oldPrefix)
	if !ok || strings.Contains(rest, ":") {
		return nkv.Address{}, false // the reference makes no such names
	}
	team, rest, _ := strings.Cut(rest, "/")
	i := strings.LastIndexByte(rest, '/')
	if team == "" || i < 0 {
		return nkv.Address{}, false
	}
	return nkv.Address{Team: team, Namespace: strings.ReplaceAll(rest[:i], "/", ":"), Key: rest[i+1:]}, true
}

// oldFile is the inverse of oldAddress.
func oldFile(at nkv.Address) string {
	return oldPrefix + at.Team + "/" + strings.ReplaceAll(at.Namespace, ":", "/") + "/" + at.Key
}

// has reports whether the reference has a file for the address.
func (r *reference) has(at nkv.Address) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.load(); err != nil {
		return false, err
	}
	_, ok := r.keys[space{at.Team, at.Namespace}][at.Key]
	return ok, nil
}

// in returns the keys that the reference has in a namespace, in no order.
func (r *reference) in(at nkv.Address) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.load(); err != nil {
		return nil, err
	}
	keys := r.keys[space{at.Team, at.Namespace}]
	list := make([]string, 0, len(keys))
	for key := range keys {
		list = append(list, key)
	}
	slices.Sort(list)
	return list, nil
}

// read returns the value of a file that the reference has. When it is gone the error is [nkv.Missing].
func (r *reference) read(at nkv.Address) (value.Value, error) {
	text, err := r.folder.Read(oldFile(at), int64(nkv.StoredLimits().Bytes))
	switch {
	case fault.Is(err, fault.NotFound):
		return value.Value{}, nkv.Missing()
	case unusable(err):
		return value.Value{}, nkv.Damaged(at, "file of the reference: %w", err)
	case err != nil:
		return value.Value{}, err
	}
	limits := nkv.StoredLimits()
	limits.Duplicates = true // as JSON.parse takes them
	v, err := value.Decode(text, limits)
	if err != nil {
		return value.Value{}, nkv.Damaged(at, "file of the reference: %w", err)
	}
	return v, nil
}

// remove removes the file of the reference for an address, if there is one.
func (r *reference) remove(at nkv.Address) error {
	if ok, err := r.has(at); err != nil || !ok {
		return err
	}
	if err := r.folder.Remove(oldFile(at)); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.keys[space{at.Team, at.Namespace}], at.Key)
	return nil
}
