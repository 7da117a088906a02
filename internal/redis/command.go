package redis

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/sre-go/sre/fault"
)

// Script is a program that runs inside Redis as one step: nothing comes between its commands.
type Script struct{ script *redis.Script }

// NewScript makes a script from its text in Lua.
func NewScript(lua string) *Script { return &Script{redis.NewScript(lua)} }

// Run runs a script that answers with a number. Redis is sent the whole text only when it does not know the script.
func (c *Client) Run(ctx context.Context, s *Script, keys []string, args ...any) (int64, error) {
	n, err := s.script.Run(ctx, c.db, keys, args...).Int64()
	return n, c.explain(ctx, err)
}

// List runs a script that answers with a list: texts, numbers (int64), nil for nothing.
func (c *Client) List(ctx context.Context, s *Script, keys []string, args ...any) ([]any, error) {
	list, err := s.script.Run(ctx, c.db, keys, args...).Slice()
	return list, c.explain(ctx, err)
}

// Put stores texts under keys, given as pairs, all at one moment. What the keys held before is gone, whatever its type.
func (c *Client) Put(ctx context.Context, pairs ...string) error {
	return c.explain(ctx, c.db.MSet(ctx, pairs).Err())
}

// Text is the text of a key, when there is one.
type Text struct {
	Text  string
	Found bool
}

// Get returns the texts of keys as they are at one moment. A key of another type has none.
func (c *Client) Get(ctx context.Context, keys ...string) ([]Text, error) {
	list, err := c.db.MGet(ctx, keys...).Result()
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	if len(list) != len(keys) {
		return nil, fault.Newf(fault.Unavailable, "redis answered with %d values to %d keys", len(list), len(keys))
	}
	texts := make([]Text, len(list))
	for i, one := range list {
		texts[i].Text, texts[i].Found = one.(string)
	}
	return texts, nil
}

// Scan returns some of the keys that match a pattern and where to go on, 0 at the end. A key may come more than once; one
// that is there all the time comes at least once.
func (c *Client) Scan(ctx context.Context, cursor uint64, pattern string, count int64) ([]string, uint64, error) {
	keys, next, err := c.db.Scan(ctx, cursor, pattern, count).Result()
	return keys, next, c.explain(ctx, err)
}

// Pattern returns the pattern of all keys that begin with a text.
func Pattern(prefix string) string {
	out := make([]byte, 0, len(prefix)+8)
	for i := range len(prefix) {
		switch prefix[i] {
		case '*', '?', '[', ']', '\\', '^', '-':
			out = append(out, '\\')
		}
		out = append(out, prefix[i])
	}
	return string(append(out, '*'))
}
