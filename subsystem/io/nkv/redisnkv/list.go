package redisnkv

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/redis"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/value"
)

const (
	scanCount = 1000    // keys that Redis looks at for one answer
	pageKeys  = 2048    // keys that a listing has in memory
	pageReads = 32      // values that are read at once,
	pageBytes = 4 << 20 // as long as they take no more than this together
)

// someScript answers with values and what stands beside them, for pairs of keys: the first one, and the next ones until
// they are too many bytes. A value that is too large by itself is answered by its size, what is no text by nothing.
const someScript = `
local function text(key) return redis.call('TYPE', key)['ok'] == 'string' end
local out, size = {}, 0
for i = 1, #KEYS, 2 do
  local n = 0
  if text(KEYS[i]) then n = redis.call('STRLEN', KEYS[i]) end
  local large = n > tonumber(ARGV[2])
  if not large then size = size + n end
  if i > 1 and size > tonumber(ARGV[1]) then break end
  if large then out[i] = n elseif text(KEYS[i]) then out[i] = redis.call('GET', KEYS[i]) else out[i] = false end
  if text(KEYS[i + 1]) then out[i + 1] = redis.call('GETRANGE', KEYS[i + 1], 0, 1048576) else out[i + 1] = false end
end
return out`

// scan gives the keys of a namespace, some at a time, in no order and some of them twice. It gives at most one error, as
// the last pair.
func (s *store) scan(ctx context.Context, at nkv.Address) iter.Seq2[[]string, error] {
	prefix := s.prefix + valuePrefix + spaceOf(at)
	return func(yield func([]string, error) bool) {
		var cursor uint64
		for {
			found, next, err := s.db.Scan(ctx, cursor, redis.Pattern(prefix), scanCount)
			if err != nil {
				yield(nil, err)
				return
			}
			var keys []string
			for _, name := range found {
				if key, ok := strings.CutPrefix(name, prefix); ok && access.ValidKey(key) == nil {
					keys = append(keys, key)
				}
			}
			if len(keys) > 0 && !yield(keys, nil) || next == 0 {
				return
			}
			cursor = next
		}
	}
}

// List implements [nkv.Connector], in the order of the bytes of the keys. Damaged values are left out and named in the log.
func (s *store) List(ctx context.Context, g access.Grant[access.Read], after string) iter.Seq2[nkv.Item, error] {
	at := nkv.At(g)
	return func(yield func(nkv.Item, error) bool) {
		for more := true; more; {
			var keys []string
			var err error
			if keys, more, err = s.next(ctx, at, after); err != nil {
				yield(nkv.Item{}, err)
				return
			}
			for some := range slices.Chunk(keys, pageReads) {
				if !s.read(ctx, at, some, yield) {
					return
				}
			}
			if len(keys) > 0 {
				after = keys[len(keys)-1]
			}
		}
	}
}

// next returns the first keys of a namespace after a key, in order, and whether there are more.
func (s *store) next(ctx context.Context, at nkv.Address, after string) (first []string, more bool, err error) {
	for keys, err := range s.scan(ctx, at) {
		if err != nil {
			return nil, false, err
		}
		for _, key := range keys {
			if key > after {
				first = append(first, key)
			}
		}
		if len(first) > 4*pageKeys {
			first, more = smallest(first, more)
		}
	}
	first, more = smallest(first, more)
	return first, more, nil
}

// smallest sorts keys and keeps one page of them; more reports whether any was left out, now or before.
func smallest(keys []string, before bool) (page []string, more bool) {
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if len(keys) > pageKeys {
		return keys[:pageKeys], true
	}
	return keys, before
}

// read gives the values of some keys and reports whether to go on.
func (s *store) read(ctx context.Context, at nkv.Address, keys []string, yield func(nkv.Item, error) bool) bool {
	for len(keys) > 0 {
		var names []string
		for _, key := range keys {
			at.Key = key
			names = append(names, s.keysOf(at)...)
		}
		list, err := s.db.List(ctx, s.some, names, pageBytes, nkv.StoredLimits().Bytes+len(magic)+sumLength+1)
		if err == nil && len(list) < 2 {
			err = fault.Newf(fault.Unavailable, "redis answered with nothing")
		}
		if err != nil {
			yield(nkv.Item{}, err)
			return false
		}
		n := min(len(list)/2, len(keys))
		for i, key := range keys[:n] {
			at.Key = key
			if !s.give(ctx, at, list[2*i], list[2*i+1], yield) {
				return false
			}
		}
		keys = keys[n:]
	}
	return true
}

// give gives one value of a listing and reports whether to go on.
func (s *store) give(ctx context.Context, at nkv.Address, stored, beside any, yield func(nkv.Item, error) bool) bool {
	var v value.Value
	var err error
	switch text := stored.(type) {
	case string:
		label, _ := beside.(string)
		v, err = decode(at, text, label)
	case int64:
		err = nkv.Damaged(at, "it has %d bytes", text)
	default: // removed meanwhile, or no text
		return true
	}
	switch {
	case fault.Is(err, fault.NotFound):
		return true
	case fault.CodeOf(err) == nkv.CodeDamaged:
		s.log.ErrorContext(ctx, "a value is left out of a listing", "team", at.Team, "namespace", at.Namespace, "error", err)
		return true
	}
	return yield(nkv.Item{Key: at.Key, Value: v}, err) && err == nil
}
