// Package rediscache keeps cache entries in Redis, for several runtimes at once.
//
// An entry is two keys, where the reference has them: the value, and a label that holds the ACL, the generation, the expiry
// and the metadata. Every act is one step inside Redis that names the generation it is for, so the two are written and
// removed together and nothing comes between a decision and what was decided. Nothing that is stored is trusted: a label
// that is damaged is refused to everybody, a damaged value is an error that names it, and every other entry goes on.
//
// Rulings are remembered for a while, so that most calls take one journey; see [cache.Recaller] for why that is safe.
package rediscache

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/recent"
	"github.com/sre-go/sre/internal/redis"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// Definition returns the connector "Redis".
func Definition() connector.Definition {
	return connector.Define(cache.Kind, "Redis", "Keeps entries in Redis, for several runtimes at once.", open).
		WithDoc("Entries that the TypeScript runtime left in Redis are read. Redis decides what is forgotten when its memory is used up: set its maxmemory-policy.")
}

// store implements [cache.Connector].
type store struct {
	db      *redis.Client
	prefix  string
	clock   effect.Source
	scripts scripts
	recent  recent.Map[cache.Ruling]
}

func open(_ context.Context, env connector.Env, s redis.Settings) (cache.Connector, error) {
	db, err := redis.Open(env, s)
	if err != nil {
		return nil, err
	}
	return &store{db: db, prefix: s.Prefix, clock: env.Effects, scripts: newScripts()}, nil
}

// keys returns the keys of the label and of the value.
func (s *store) keys(key string) []string {
	return []string{s.prefix + "smyth:metadata:" + key, s.prefix + "smyth:cache:" + key}
}

func (s *store) now() int64 { return s.clock.Now().UnixMilli() }

// Recall implements [cache.Recaller].
func (s *store) Recall(key string) (cache.Ruling, bool) { return s.recent.Get(key) }

// maxRecalled is the length of the stored form of an ACL that is remembered, in bytes.
const maxRecalled = 4096

func (s *store) remember(key string, r cache.Ruling, l label) {
	if len(l.acl) <= maxRecalled {
		s.recent.Put(key, r)
	}
}

// Rule implements [cache.Connector]. An entry whose time has passed is removed when it is met, so that it stays gone when
// the clock is set back.
func (s *store) Rule(ctx context.Context, key string) (cache.Ruling, error) {
	s.recent.Forget(key)
	keys := s.keys(key)
	list, err := s.db.List(ctx, s.scripts.look, keys, maxLabel)
	if err != nil {
		return cache.Ruling{}, damagedType(key, err)
	}
	text, labelled, size, there := looked(list)
	switch {
	case !there:
		return cache.Ruling{}, cache.Missing()
	case !labelled:
		return cache.Ruling{}, cache.Damaged("nothing stands beside the value of %q", key)
	case size > cache.MaxStoredBytes:
		return cache.Ruling{}, cache.Damaged("the value of %q has %d bytes", key, size)
	}
	l, err := decodeLabel(key, text)
	if err != nil {
		return cache.Ruling{}, err
	}
	if l.gone(s.now()) {
		_, err := s.db.Run(ctx, s.scripts.expire, keys, text)
		if err != nil && ctx.Err() != nil {
			return cache.Ruling{}, err
		}
		return cache.Ruling{}, cache.Missing() // Redis removes it in time, when this could not
	}
	ruling, err := l.ruling(key)
	if err == nil {
		s.remember(key, ruling, l)
	}
	return ruling, err
}

// looked reads the answer of the script look.
func looked(list []any) (label string, labelled bool, size int64, there bool) {
	if len(list) != 4 {
		return "", false, 0, false
	}
	label, labelled = list[0].(string)
	n, _ := list[1].(int64)
	size, _ = list[2].(int64)
	return label, labelled, size, n == 1
}

// damagedType says that a key which holds something else than a text is damaged.
func damagedType(key string, err error) error {
	if fault.CodeOf(err) == redis.CodeWrongType {
		return cache.Damaged("%q holds something else: %w", key, err)
	}
	return err
}

// Get implements [cache.Connector].
func (s *store) Get(ctx context.Context, g access.Grant[access.Read], generation string) (cache.Entry, error) {
	key := g.Resource()
	texts, err := s.db.Get(ctx, s.keys(key)...)
	if err != nil {
		return cache.Entry{}, err
	}
	if !texts[0].Found || !texts[1].Found {
		return cache.Entry{}, s.changed(key)
	}
	l, err := decodeLabel(key, texts[0].Text)
	switch {
	case err != nil: // Rule says so, and the guard refuses
		return cache.Entry{}, s.changed(key)
	case l.generation != generation || l.gone(s.now()):
		return cache.Entry{}, s.changed(key)
	case !l.old:
		return l.entry(key, texts[1].Text)
	}
	found, err := s.load(ctx, key, generation)
	return found.entry, err
}

// changed forgets what was remembered about a key.
func (s *store) changed(key string) error {
	s.recent.Forget(key)
	return cache.Changed()
}

// found is an entry with the texts it was read from.
type found struct {
	label label
	text  string // of the label
	value string
	entry cache.Entry
}

// load reads a whole entry, with its expiry also when the reference wrote it.
func (s *store) load(ctx context.Context, key, generation string) (found, error) {
	list, err := s.db.List(ctx, s.scripts.load, s.keys(key))
	if err != nil {
		return found{}, damagedType(key, err)
	}
	var f found
	var labelled, there bool
	var ttl int64
	if len(list) == 3 {
		f.text, labelled = list[0].(string)
		f.value, there = list[1].(string)
		ttl, _ = list[2].(int64)
	}
	if !labelled || !there {
		return found{}, s.changed(key)
	}
	if f.label, err = decodeLabel(key, f.text); err != nil {
		return found{}, s.changed(key)
	}
	if f.label.old && ttl > 0 {
		f.label.expires = s.now() + ttl
	}
	if f.label.generation != generation || f.label.gone(s.now()) {
		return found{}, s.changed(key)
	}
	f.entry, err = f.label.entry(key, f.value)
	return f, err
}

// Set implements [cache.Connector].
func (s *store) Set(ctx context.Context, g access.Grant[access.Write], generation string, r cache.Record) error {
	key := g.Resource()
	text, err := value.Encode(r.Value, cache.StoredLimits())
	if err != nil {
		return err
	}
	metadata, err := encodeMetadata(r.Metadata)
	if err != nil {
		return err
	}
	l := label{generation: generation, expires: stamp(r.Expires), acl: r.ACL.String(), metadata: metadata, value: sum(text)}
	if generation == "" {
		l.generation = s.clock.NewID()
	}
	now := s.now()
	if err := s.act(ctx, key, s.scripts.set, generation, now, l.encode(key), text, left(l.expires, now)); err != nil {
		return err
	}
	if generation == "" {
		s.remember(key, cache.Ruling{ACL: r.ACL, Generation: l.generation}, l)
	}
	return nil
}

// act runs a script that is to act on an entry, and answers [cache.Changed] when it did not.
func (s *store) act(ctx context.Context, key string, script *redis.Script, args ...any) error {
	n, err := s.db.Run(ctx, script, s.keys(key), args...)
	if err != nil {
		s.recent.Forget(key)
		return damagedType(key, err)
	}
	if n == 0 {
		return s.changed(key)
	}
	return nil
}

// maxTries bounds how often a label is written anew because somebody else wrote it meanwhile.
const maxTries = 16

// rewrite replaces the label of an entry: change is given the entry, and a copy of its label to change.
func (s *store) rewrite(ctx context.Context, key, generation string, change func(cache.Entry, *label) error) error {
	for range maxTries {
		f, err := s.load(ctx, key, generation)
		if err != nil {
			return err
		}
		l := f.label
		if err := change(f.entry, &l); err != nil {
			return err
		}
		args := []any{f.text, "", left(l.expires, s.now())}
		if l.old {
			text, err := value.Encode(f.entry.Value, cache.StoredLimits())
			if err != nil {
				return err
			}
			l.value = sum(text)
			args = append(args, text)
		}
		args[1] = l.encode(key)
		switch err := s.act(ctx, key, s.scripts.replace, args...); {
		case err == nil:
			return nil
		case !fault.Is(err, fault.Conflict):
			return err
		}
	}
	return s.changed(key)
}

// Amend implements [cache.Connector].
func (s *store) Amend(ctx context.Context, g access.Grant[access.Write], generation string, c cache.Change) error {
	return s.rewrite(ctx, g.Resource(), generation, func(e cache.Entry, l *label) error {
		e, err := e.Changed(c)
		if err != nil {
			return err
		}
		l.expires = stamp(e.Expires)
		l.metadata, err = encodeMetadata(e.Metadata)
		return err
	})
}

// SetACL implements [cache.Connector].
func (s *store) SetACL(ctx context.Context, g access.Grant[access.Owner], generation string, acl *access.ACL) error {
	key, id := g.Resource(), s.clock.NewID()
	s.recent.Forget(key)
	return s.rewrite(ctx, key, generation, func(_ cache.Entry, l *label) error {
		l.generation, l.acl = id, acl.String()
		return nil
	})
}

// Delete implements [cache.Connector].
func (s *store) Delete(ctx context.Context, g access.Grant[access.Write], generation string) error {
	key := g.Resource()
	err := s.act(ctx, key, s.scripts.remove, generation, s.now())
	s.recent.Forget(key)
	return err
}

// Check reports whether Redis answers.
func (s *store) Check(ctx context.Context) error { return s.db.Check(ctx) }

// Close closes the connections.
func (s *store) Close(context.Context) error { return s.db.Close() }

var (
	_ cache.Connector   = (*store)(nil)
	_ cache.Recaller    = (*store)(nil)
	_ connector.Checker = (*store)(nil)
	_ connector.Closer  = (*store)(nil)
)
