// Package ramstorage keeps objects in the memory of the process.
//
// It is for tests, for trying things out and for runtimes that must leave nothing behind: what it holds is gone when the
// runtime closes. It holds no more than its budget; a write over it is refused and nothing is thrown out for it.
package ramstorage

import (
	"bytes"
	"context"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
)

// LimitBytes is the name of the limit on all objects of one connector.
const LimitBytes = "ram_storage_bytes"

type settings struct {
	MaxBytes int `json:"maxBytes" doc:"Bytes that all objects together may take." sre:"default=268435456,min=1"`
}

// Definition returns the connector "RAMStorage".
func Definition() connector.Definition {
	return connector.Define(storage.Kind, "RAMStorage", "Keeps files in memory until the runtime closes.",
		func(_ context.Context, env connector.Env, s settings) (storage.Connector, error) {
			return &store{clock: env.Effects, budget: s.MaxBytes, objects: make(map[string]*object)}, nil
		})
}

// store implements [storage.Connector]. Bodies are never changed in place, so readers need no lock.
type store struct {
	clock  effect.Source
	budget int

	mu      sync.RWMutex
	objects map[string]*object
	sorted  []string // the names in order; nil when they have to be sorted anew
	used    int      // bytes of objects
	made    uint64
}

// object is one object. It is replaced, never changed.
type object struct {
	storage.Record
	body       []byte
	modified   time.Time
	generation string
}

func (o *object) info(name string) storage.Info {
	return storage.Info{Name: name, Size: int64(len(o.body)), Modified: o.modified, Expires: o.Expires, Metadata: o.Metadata}
}

// size is what the object counts for the budget.
func (o *object) size(name string) int { return len(name) + len(o.body) + len(o.Metadata.JSON()) }

func (o *object) gone(now time.Time) bool { return !o.Expires.IsZero() && !now.Before(o.Expires) }

// find returns the object of a name, nil when there is none. The caller holds the lock.
func (s *store) find(name string) *object {
	if o := s.objects[name]; o != nil && !o.gone(s.clock.Now()) {
		return o
	}
	return nil
}

// current returns the object if it has that generation. The caller holds the lock.
func (s *store) current(name, generation string) (*object, error) {
	o := s.find(name)
	if o == nil || o.generation != generation {
		return nil, storage.Changed()
	}
	return o, nil
}

// put replaces the object of a name, by nothing when o is nil. The caller holds the lock for writing.
func (s *store) put(name string, o *object) error {
	used := s.used
	if old := s.objects[name]; old != nil {
		used -= old.size(name)
	}
	if o == nil {
		delete(s.objects, name)
		s.used, s.sorted = used, nil
		return nil
	}
	used += o.size(name)
	if used > s.budget && used > s.used {
		return fault.Limitf(LimitBytes, "storage would hold %d bytes, over the limit of %d", used, s.budget)
	}
	if s.objects[name] == nil {
		s.sorted = nil
	}
	o.modified = s.clock.Now()
	s.objects[name], s.used = o, used
	return nil
}

// nextGeneration returns a generation that was never used. The caller holds the lock for writing.
func (s *store) nextGeneration() string {
	s.made++
	return strconv.FormatUint(s.made, 10)
}

// Rule implements [storage.Connector].
func (s *store) Rule(_ context.Context, name string) (storage.Ruling, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.find(name)
	if o == nil {
		return storage.Ruling{}, storage.Missing()
	}
	return storage.Ruling{ACL: o.ACL, Generation: o.generation}, nil
}

// Read implements [storage.Connector].
func (s *store) Read(_ context.Context, g access.Grant[access.Read], generation string, part storage.Range) (*storage.Object, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, err := s.current(g.Resource(), generation)
	if err != nil {
		return nil, err
	}
	offset, length, err := part.Of(int64(len(o.body)))
	if err != nil {
		return nil, err
	}
	return &storage.Object{Info: o.info(g.Resource()), Body: io.NopCloser(bytes.NewReader(o.body[offset : offset+length]))}, nil
}

// Stat implements [storage.Connector].
func (s *store) Stat(_ context.Context, g access.Grant[access.Read], generation string) (storage.Info, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, err := s.current(g.Resource(), generation)
	if err != nil {
		return storage.Info{}, err
	}
	return o.info(g.Resource()), nil
}

// Write implements [storage.Connector].
func (s *store) Write(_ context.Context, g access.Grant[access.Write], generation string, r storage.Record, body io.Reader) error {
	most := min(int64(s.budget), storage.MaxObjectBytes)
	data, err := io.ReadAll(io.LimitReader(body, most+1))
	if err != nil {
		return err
	}
	if int64(len(data)) > most {
		return fault.Limitf(LimitBytes, "an object is over the limit of %d bytes for all objects", most)
	}
	name := g.Resource()
	s.mu.Lock()
	defer s.mu.Unlock()
	next := &object{Record: r, body: data, generation: generation}
	if generation == "" {
		if s.find(name) != nil {
			return storage.Changed()
		}
		s.dropGone()
		next.generation = s.nextGeneration()
	} else if _, err := s.current(name, generation); err != nil {
		return err
	}
	return s.put(name, next)
}

// dropGone frees what expired objects take, if that is needed. The caller holds the lock for writing.
func (s *store) dropGone() {
	if s.used < s.budget/2 {
		return
	}
	now := s.clock.Now()
	for name, o := range s.objects {
		if o.gone(now) {
			s.used -= o.size(name)
			delete(s.objects, name)
			s.sorted = nil
		}
	}
}

// Amend implements [storage.Connector].
func (s *store) Amend(_ context.Context, g access.Grant[access.Write], generation string, c storage.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.current(g.Resource(), generation)
	if err != nil {
		return err
	}
	next := *o
	if next.Record, err = o.Record.Changed(c); err != nil {
		return err
	}
	return s.put(g.Resource(), &next)
}

// Delete implements [storage.Connector].
func (s *store) Delete(_ context.Context, g access.Grant[access.Write], generation string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.current(g.Resource(), generation); err != nil {
		return err
	}
	return s.put(g.Resource(), nil)
}

// SetACL implements [storage.Connector].
func (s *store) SetACL(_ context.Context, g access.Grant[access.Owner], generation string, acl *access.ACL) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.current(g.Resource(), generation)
	if err != nil {
		return err
	}
	next := *o
	next.ACL, next.generation = acl, s.nextGeneration()
	return s.put(g.Resource(), &next)
}

// List implements [storage.Connector]. It gives the objects of the moment it began, without those deleted meanwhile.
func (s *store) List(_ context.Context, g access.Grant[access.Read], after string) iter.Seq2[storage.Item, error] {
	prefix := storage.Prefix(g)
	return func(yield func(storage.Item, error) bool) {
		names := s.sortedNames()
		from, found := slices.BinarySearch(names, max(prefix, after))
		if found && names[from] == after {
			from++
		}
		for _, name := range names[from:] {
			if !strings.HasPrefix(name, prefix) {
				return // in this order, all names with the prefix stand together
			}
			s.mu.RLock()
			o := s.find(name)
			s.mu.RUnlock()
			if o != nil && !yield(storage.Item{Info: o.info(name), ACL: o.ACL}, nil) {
				return
			}
		}
	}
}

// sortedNames returns the names of all objects in order. They are sorted once and kept until one comes or goes.
func (s *store) sortedNames() []string {
	s.mu.RLock()
	names := s.sorted
	s.mu.RUnlock()
	if names != nil {
		return names
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sorted == nil {
		s.sorted = slices.AppendSeq(make([]string, 0, len(s.objects)), maps.Keys(s.objects))
		slices.Sort(s.sorted)
	}
	return s.sorted
}

// Close forgets everything.
func (s *store) Close(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.objects)
	s.used, s.sorted = 0, nil
	return nil
}

var (
	_ storage.Connector = (*store)(nil)
	_ connector.Closer  = (*store)(nil)
)
