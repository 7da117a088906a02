// Package redisnkv keeps the values of the NKV service in Redis, for several runtimes at once.
//
// A value is one key, so what is written is written as a whole. How much of it survives an end of Redis is decided there:
// with "appendonly yes" and "appendfsync always" every acknowledged write does. A value that is damaged is an error that
// names it, and listings go on without it.
//
// Redis has no order of keys, so a listing looks at all of them, a piece at a time, and keeps the next ones in order.
package redisnkv

import (
	"context"
	"log/slog"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/internal/redis"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/value"
)

// Definition returns the connector "Redis".
func Definition() connector.Definition {
	return connector.Define(nkv.Kind, "Redis", "Keeps values in Redis, for several runtimes at once.", open).
		WithDoc("Values that the TypeScript runtime left in Redis are read. Set `appendonly yes` and `appendfsync always` in Redis when no acknowledged write may be lost, and no maxmemory-policy that evicts.")
}

// store implements [nkv.Connector].
type store struct {
	db     *redis.Client
	prefix string
	log    *slog.Logger
	remove *redis.Script
	some   *redis.Script
}

func open(_ context.Context, env connector.Env, s redis.Settings) (nkv.Connector, error) {
	db, err := redis.Open(env, s)
	if err != nil {
		return nil, err
	}
	st := &store{db: db, prefix: s.Prefix, log: env.Log, remove: redis.NewScript(removeScript), some: redis.NewScript(someScript)}
	if st.log == nil {
		st.log = slog.New(slog.DiscardHandler)
	}
	return st, nil
}

// removeScript removes values with what stands beside them, but nothing of the cache. Its keys come in pairs.
const removeScript = `
local n = 0
for i = 1, #KEYS, 2 do
  local kind = redis.call('TYPE', KEYS[i + 1])['ok']
  if kind ~= 'string' or redis.call('GETRANGE', KEYS[i + 1], 0, 4) ~= 'SRE1 ' then
    n = n + redis.call('UNLINK', KEYS[i], KEYS[i + 1])
  end
end
return n`

// Get implements [nkv.Connector].
func (s *store) Get(ctx context.Context, g access.Grant[access.Read]) (value.Value, error) {
	at := nkv.At(g)
	texts, err := s.db.Get(ctx, s.keysOf(at)...)
	switch {
	case err != nil:
		return value.Value{}, err
	case !texts[0].Found:
		return value.Value{}, nkv.Missing()
	}
	return decode(at, texts[0].Text, texts[1].Text)
}

// Set implements [nkv.Connector].
func (s *store) Set(ctx context.Context, g access.Grant[access.Write], v value.Value) error {
	at := nkv.At(g)
	record, err := encode(at, v)
	if err != nil {
		return err
	}
	keys := s.keysOf(at)
	return s.db.Put(ctx, keys[0], record, keys[1], "")
}

// Delete implements [nkv.Connector].
func (s *store) Delete(ctx context.Context, g access.Grant[access.Write]) error {
	_, err := s.db.Run(ctx, s.remove, s.keysOf(nkv.At(g)))
	return err
}

// DeleteAll implements [nkv.Connector]. What is stored while it runs may stay.
func (s *store) DeleteAll(ctx context.Context, g access.Grant[access.Write]) error {
	at := nkv.At(g)
	for names, err := range s.scan(ctx, at) {
		if err != nil {
			return err
		}
		var keys []string
		for _, key := range names {
			keys = append(keys, s.keysOf(nkv.Address{Team: at.Team, Namespace: at.Namespace, Key: key})...)
		}
		if _, err := s.db.Run(ctx, s.remove, keys); err != nil {
			return err
		}
	}
	return nil
}

// Check reports whether Redis answers.
func (s *store) Check(ctx context.Context) error { return s.db.Check(ctx) }

// Close closes the connections.
func (s *store) Close(context.Context) error { return s.db.Close() }

var (
	_ nkv.Connector     = (*store)(nil)
	_ connector.Checker = (*store)(nil)
	_ connector.Closer  = (*store)(nil)
)
