// Package ramnkv keeps the values of the NKV service in the memory of the process.
//
// It is for tests, for trying things out and for runtimes that must leave nothing behind: what it holds is gone when the
// runtime closes. No team holds more than its share and all of them no more than the budget; a value over either is
// refused and nothing is thrown out for it.
package ramnkv

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/value"
)

// Names of the limits on all values of one connector and on those of one team.
const (
	LimitBytes     = "ram_nkv_bytes"
	LimitTeamBytes = "ram_nkv_team_bytes"
)

type settings struct {
	MaxBytes     int `json:"maxBytes" doc:"Bytes that all values together may take." sre:"default=268435456,min=1"`
	MaxTeamBytes int `json:"maxTeamBytes" doc:"Bytes that the values of one team may take." sre:"default=67108864,min=1"`
}

// Definition returns the connector "RAM".
func Definition() connector.Definition {
	return connector.Define(nkv.Kind, "RAM", "Keeps values in memory until the runtime closes.",
		func(_ context.Context, _ connector.Env, s settings) (nkv.Connector, error) {
			return &store{settings: s, teams: make(map[string]*team)}, nil
		})
}

// store implements [nkv.Connector].
type store struct {
	settings settings

	mu    sync.RWMutex
	teams map[string]*team
	used  int // bytes of values
}

type team struct {
	spaces map[string]*space
	used   int // bytes of values
}

// space is one namespace. It exists while it holds values.
type space struct {
	values map[string]value.Value
	sorted []string // the keys in order; nil when they have to be sorted anew
}

// entryBytes is a guess of what a value takes in the maps.
const entryBytes = 96

func sizeOf(key string, v value.Value) int { return entryBytes + len(key) + v.Footprint() }

// space returns the namespace of an address, nil when it holds nothing. The caller holds the lock.
func (s *store) space(at nkv.Address) *space {
	if t := s.teams[at.Team]; t != nil {
		return t.spaces[at.Namespace]
	}
	return nil
}

// Get implements [nkv.Connector].
func (s *store) Get(_ context.Context, g access.Grant[access.Read]) (value.Value, error) {
	at := nkv.At(g)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if sp := s.space(at); sp != nil {
		if v, ok := sp.values[at.Key]; ok {
			return v, nil
		}
	}
	return value.Value{}, nkv.Missing()
}

// Set implements [nkv.Connector].
func (s *store) Set(_ context.Context, g access.Grant[access.Write], v value.Value) error {
	at := nkv.At(g)
	at.Key = strings.Clone(at.Key)
	v = v.Detach()
	s.mu.Lock()
	defer s.mu.Unlock()
	t, sp := s.teams[at.Team], s.space(at)
	grow := sizeOf(at.Key, v)
	known := false
	if sp != nil {
		var old value.Value
		if old, known = sp.values[at.Key]; known {
			grow -= sizeOf(at.Key, old)
		}
	}
	held := 0
	if t != nil {
		held = t.used
	}
	switch {
	case grow > 0 && held+grow > s.settings.MaxTeamBytes:
		return fault.Limitf(LimitTeamBytes, "the team would hold %d bytes, over the limit of %d", held+grow, s.settings.MaxTeamBytes)
	case grow > 0 && s.used+grow > s.settings.MaxBytes:
		return fault.Limitf(LimitBytes, "all teams would hold %d bytes, over the limit of %d", s.used+grow, s.settings.MaxBytes)
	}
	if t == nil {
		t = &team{spaces: make(map[string]*space)}
		s.teams[strings.Clone(at.Team)] = t
	}
	if sp == nil {
		sp = &space{values: make(map[string]value.Value)}
		t.spaces[strings.Clone(at.Namespace)] = sp
	}
	if !known {
		sp.sorted = nil
	}
	sp.values[at.Key] = v
	t.used += grow
	s.used += grow
	return nil
}

// Delete implements [nkv.Connector].
func (s *store) Delete(_ context.Context, g access.Grant[access.Write]) error {
	at := nkv.At(g)
	s.mu.Lock()
	defer s.mu.Unlock()
	if sp := s.space(at); sp != nil {
		if v, ok := sp.values[at.Key]; ok {
			delete(sp.values, at.Key)
			sp.sorted = nil
			s.shrink(at, sizeOf(at.Key, v))
		}
	}
	return nil
}

// DeleteAll implements [nkv.Connector].
func (s *store) DeleteAll(_ context.Context, g access.Grant[access.Write]) error {
	at := nkv.At(g)
	s.mu.Lock()
	defer s.mu.Unlock()
	if sp := s.space(at); sp != nil {
		size := 0
		for key, v := range sp.values {
			size += sizeOf(key, v)
		}
		sp.values = nil
		s.shrink(at, size)
	}
	return nil
}

// shrink accounts for values that are gone and forgets what became empty. The caller holds the lock.
func (s *store) shrink(at nkv.Address, size int) {
	t := s.teams[at.Team]
	t.used -= size
	s.used -= size
	if len(t.spaces[at.Namespace].values) == 0 {
		delete(t.spaces, at.Namespace)
	}
	if len(t.spaces) == 0 {
		delete(s.teams, at.Team)
	}
}

// List implements [nkv.Connector], by key. It gives the keys of the moment it began, without those deleted meanwhile.
func (s *store) List(_ context.Context, g access.Grant[access.Read], after string) iter.Seq2[nkv.Item, error] {
	at := nkv.At(g)
	return func(yield func(nkv.Item, error) bool) {
		keys := s.keys(at)
		from, found := slices.BinarySearch(keys, after)
		if found {
			from++
		}
		for _, key := range keys[from:] {
			s.mu.RLock()
			var v value.Value
			ok := false
			if sp := s.space(at); sp != nil {
				v, ok = sp.values[key]
			}
			s.mu.RUnlock()
			if ok && !yield(nkv.Item{Key: key, Value: v}, nil) {
				return
			}
		}
	}
}

// keys returns the keys of a namespace in order. They are sorted once and kept until one comes or goes.
func (s *store) keys(at nkv.Address) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sp := s.space(at)
	if sp == nil {
		return nil
	}
	if sp.sorted == nil {
		sp.sorted = slices.Sorted(maps.Keys(sp.values))
	}
	return sp.sorted
}

// Close forgets everything.
func (s *store) Close(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.teams)
	s.used = 0
	return nil
}

var (
	_ nkv.Connector    = (*store)(nil)
	_ connector.Closer = (*store)(nil)
)
