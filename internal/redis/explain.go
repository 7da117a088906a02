package redis

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/sre-go/sre/fault"
)

// Codes of errors that an operator can do something about.
const (
	CodeDown      = "REDIS_DOWN"       // no answer
	CodeAuth      = "REDIS_AUTH"       // the password or the rights of the user
	CodeFull      = "REDIS_FULL"       // no memory or disk left for writes
	CodeBusy      = "REDIS_BUSY"       // starting, failing over, read only
	CodeWrongType = "REDIS_WRONG_TYPE" // the key holds something else
)

// explain gives an error of the library its kind and says what to do about it.
func (c *Client) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fault.New(fault.KindOf(ctx.Err()), context.Cause(ctx))
	}
	var said redis.Error
	if errors.As(err, &said) && !errors.Is(err, redis.Nil) {
		return c.answer(err, said.Error())
	}
	return c.silence(err)
}

// answer explains an error that Redis answered with.
func (c *Client) answer(err error, said string) error {
	word, _, _ := strings.Cut(said, " ")
	switch word {
	case "NOAUTH", "WRONGPASS", "NOPERM":
		return c.unavailable(CodeAuth, err, "check password and username of the connector (REDIS_PASSWORD) and what the user may do")
	case "OOM", "MISCONF":
		return c.unavailable(CodeFull, err, "give Redis more memory or disk, or set its maxmemory-policy")
	case "LOADING", "READONLY", "MASTERDOWN", "TRYAGAIN", "BUSY", "NOREPLICAS", "UNKILLABLE":
		return c.unavailable(CodeBusy, err, "wait until Redis is ready; hosts of the connector must name a master or its Sentinels")
	case "WRONGTYPE":
		return &fault.Error{Kind: fault.Internal, Code: CodeWrongType, Err: err, Hint: "something else writes to the same keys: set prefix of the connector"}
	case "MOVED", "ASK", "CROSSSLOT", "CLUSTERDOWN":
		return &fault.Error{Kind: fault.Unsupported, Err: err, Hint: "Redis Cluster is not supported: hosts of the connector must name one server or Sentinels"}
	}
	if strings.Contains(said, "AUTH") || strings.Contains(said, "invalid password") {
		return c.unavailable(CodeAuth, err, "check password and username of the connector (REDIS_PASSWORD)")
	}
	if strings.Contains(said, "max number of clients") {
		return c.unavailable(CodeBusy, err, "raise maxclients of Redis")
	}
	return fault.New(fault.Internal, err)
}

// silence explains that there was no answer.
func (c *Client) silence(err error) error {
	var e *fault.Error
	if errors.As(err, &e) && (e.Kind == fault.Denied || e.Kind == fault.Invalid || e.Kind == fault.Unsupported) {
		// The door to the network said why.
		return &fault.Error{Kind: e.Kind, Code: fault.CodeOf(e), Err: err, Hint: "check hosts of the connector (REDIS_HOSTS)"}
	}
	if errors.Is(err, redis.ErrClosed) {
		return fault.Newf(fault.Unavailable, "the connection to Redis is closed: %w", err)
	}
	var slow net.Error
	if errors.As(err, &slow) && slow.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return c.unavailable(CodeDown, err, "see whether Redis is busy; hosts of the connector (REDIS_HOSTS) say where it is")
	}
	return c.unavailable(CodeDown, err, "start Redis, or check hosts of the connector (REDIS_HOSTS) and tls")
}

func (c *Client) unavailable(code string, err error, hint string) error {
	return &fault.Error{
		Kind: fault.Unavailable, Code: code, Hint: hint,
		Err: fault.Newf(fault.Unavailable, "redis at %s: %w", strings.Join(c.hosts, ", "), err),
	}
}
