// Package smythlog sends the records of agents to an endpoint over HTTP.
//
// Records wait in a queue and go out in batches; a run never waits for the network.
// What the endpoint does not take now is sent again, later and later; when the queue
// is full, new records are dropped and counted. Close sends what is left.
package smythlog

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/observe/logsink"
	"github.com/sre-go/sre/value"
)

// Settings of the connector.
type Settings struct {
	Endpoint string        `json:"endpoint" sre:"required" doc:"URL that batches are posted to."`
	Token    secret.Value  `json:"token" doc:"Sent as bearer token; empty for none."`
	Batch    int           `json:"batch" sre:"min=1,max=1000" default:"100" doc:"How many records one request has at most."`
	Queue    int           `json:"queue" sre:"min=1,max=1000000" default:"10000" doc:"How many records wait at most; more are dropped and counted. They take at most 16 MiB."`
	Interval time.Duration `json:"interval" sre:"min=0,max=3600" default:"1" doc:"Seconds that a record waits for others, unless a batch is full."`
	Timeout  time.Duration `json:"timeout" sre:"min=1,max=600" default:"10" doc:"Seconds that one request may take."`
	Preview  int           `json:"preview" sre:"min=0,max=1000000" default:"1000" doc:"How much of an input, an output, a result or an error is sent, in characters."`
}

// Definition is the connector as configuration names it.
var Definition = connector.Define(logsink.Kind, "Smyth", "Sends records to an endpoint over HTTP.", open).
	WithDoc("A request is a `POST` of `{\"records\":[...]}`; a record has `id`, `action` (`create`, `update` or `tasks`), `agentId`, `teamId` and `data`.\n" +
		"Records may come twice: the id tells. Any status from 200 to 299 takes a batch; 408, 425, 429 and those from 500 on have it sent again,\n" +
		"after the time of `Retry-After` where there is one; 413 makes batches smaller; what any other status refuses is dropped and counted.")

// maxQueue bounds what waits, in bytes.
const maxQueue = 16 << 20

// smyth is the connector. The goroutine that sends runs while something waits.
type smyth struct {
	settings Settings
	http     *http.Client
	effects  effect.Source
	log      *slog.Logger

	mu      sync.Mutex
	queue   [][]byte // records as JSON, the oldest first
	bytes   int      // of the queue
	batch   int      // how many go into one request now
	dropped int      // since the last batch that was taken
	failing error    // why the last batch was not taken
	closed  bool
	idle    chan struct{} // closed when nothing waits any more; nil while nothing does
	rush    bool          // somebody wants the next batch at once
	hurry   func()        // ends the wait for a full batch

	work  sync.WaitGroup
	until context.Context // of waiting
	stop  context.CancelFunc
	life  context.Context // of requests
	kill  context.CancelFunc
}

func open(_ context.Context, env connector.Env, s Settings) (logsink.Connector, error) {
	u, err := url.Parse(s.Endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, fault.Hint(fault.Newf(fault.Invalid, "the endpoint is not a URL of http or https without a password"), "write it like https://logs.example.com/records")
	}
	if env.HTTP == nil {
		return nil, fault.Newf(fault.Unsupported, "there is no way out to the network")
	}
	env.Secrets.Note("", s.Token)
	c := &smyth{settings: s, http: env.HTTP, effects: env.Effects, log: env.Log, batch: s.Batch, hurry: func() {}}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.until, c.stop = context.WithCancel(context.Background())
	c.life, c.kill = context.WithCancel(context.Background())
	return c, nil
}

// Write lets a record wait to be sent. Any id is taken for one of the agent's: the endpoint knows.
func (c *smyth) Write(ctx context.Context, g access.Grant[access.Write], id string, r logsink.Record) (string, error) {
	action := "update"
	if id == "" {
		action, id = "create", "log-"+c.effects.NewID()
	}
	return id, c.add(ctx, g, action, id, r.Wire(c.settings.Preview))
}

// Count lets a number of tasks wait to be sent.
func (c *smyth) Count(ctx context.Context, g access.Grant[access.Write], tasks int) error {
	return c.add(ctx, g, "tasks", "tasks-"+c.effects.NewID(), value.Obj(value.M("count", value.OfInt(tasks))))
}

// add appends to the queue. A full queue is no error of the run: what is dropped is counted.
func (c *smyth) add(ctx context.Context, g access.Grant[access.Write], action, id string, data value.Value) error {
	b := value.NewBuilder(5).Set("id", value.Of(id)).Set("action", value.Of(action)).Set("agentId", value.Of(g.Candidate().ID()))
	if a := access.ActingOf(ctx); a.Candidate == g.Candidate() && a.Team != "" {
		b.Set("teamId", value.Of(a.Team))
	}
	text := b.Set("data", data).Build().Append(nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fault.Newf(fault.Unavailable, "the log is closed")
	}
	if len(c.queue) >= c.settings.Queue || c.bytes+len(text) > maxQueue {
		if c.dropped++; c.dropped == 1 {
			c.log.Warn("the queue of log records is full: records are dropped")
		}
		return nil
	}
	c.queue = append(c.queue, text)
	c.bytes += len(text)
	if c.idle == nil {
		c.idle = make(chan struct{})
		c.work.Go(c.run)
	}
	if len(c.queue) >= c.batch {
		c.hurry()
	}
	return nil
}

// Flush sends what waits now, and returns when it is taken or dropped, or with the cause when ctx ends before.
func (c *smyth) Flush(ctx context.Context) error {
	c.mu.Lock()
	idle := c.idle
	c.rush = idle != nil
	c.hurry()
	c.mu.Unlock()
	if idle == nil {
		return nil
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Check returns why records do not arrive and how many were dropped; nil when they do.
func (c *smyth) Check(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.failing != nil:
		return fault.Newf(fault.Unavailable, "%d log records wait and %d were dropped: %w", len(c.queue), c.dropped, c.failing)
	case c.dropped > 0:
		return fault.Newf(fault.Unavailable, "%d log records were dropped: the queue is full", c.dropped)
	}
	return nil
}

// closeTime bounds the sending of what is left, when whoever closes gives no bound.
const closeTime = 5 * time.Second

// Close sends what waits, at most until ctx ends and for five seconds. What could not be sent is told by the log: an
// endpoint that is down is no reason for a program to fail.
func (c *smyth) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	defer context.AfterFunc(ctx, c.kill)()
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.work.Wait()
	var err error
	for err == nil && c.waiting() > 0 && c.life.Err() == nil {
		err = c.send()
	}
	c.kill()
	left := c.waiting()
	c.mu.Lock()
	defer c.mu.Unlock()
	if left == 0 {
		return nil
	}
	c.queue, c.bytes = nil, 0
	text := "the time was over"
	if c.failing != nil {
		text = c.failing.Error()
	}
	c.log.Error("log records were not sent", "records", left, "error", text)
	return nil
}

func (c *smyth) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue)
}

var (
	_ logsink.Connector = (*smyth)(nil)
	_ logsink.Flusher   = (*smyth)(nil)
	_ connector.Checker = (*smyth)(nil)
	_ connector.Closer  = (*smyth)(nil)
)
