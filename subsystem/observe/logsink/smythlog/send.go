package smythlog

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/sre-go/sre/fault"
)

const (
	firstPause = time.Second // after the first batch that was not taken; each one after it waits twice as long
	lastPause  = time.Minute
	longest    = 2 * time.Minute // that an endpoint may ask for
	maxAnswer  = 64 << 10        // bytes of an answer that are read, so that the connection can be used again
)

// run sends until nothing waits, or until the connector is closed.
func (c *smyth) run() {
	pause := firstPause
	c.wait()
	for {
		c.mu.Lock()
		if len(c.queue) == 0 || c.until.Err() != nil {
			close(c.idle)
			c.idle = nil
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		err := c.send()
		if err == nil {
			pause = firstPause
			continue
		}
		wait := c.jitter(pause)
		if later := (*refusal)(nil); errors.As(err, &later) && later.asked {
			wait = later.wait
		}
		pause = min(2*pause, lastPause)
		_ = c.effects.Sleep(c.until, wait) // it ends early only when the connector is closed, which is seen above
	}
}

// wait gives other records the time to come, unless a batch is full already.
func (c *smyth) wait() {
	ctx, cancel := context.WithCancel(c.until)
	defer cancel()
	c.mu.Lock()
	c.hurry = cancel
	now := c.rush || len(c.queue) >= c.batch
	c.rush = false
	c.mu.Unlock()
	if !now {
		_ = c.effects.Sleep(ctx, c.settings.Interval) // it ends early when there is reason to send
	}
}

// jitter returns a time between half of d and d, so that runtimes do not come back all at once.
func (c *smyth) jitter(d time.Duration) time.Duration {
	var b [8]byte
	c.effects.Random(b[:])
	return d/2 + time.Duration(binary.LittleEndian.Uint64(b[:])%uint64(d/2))
}

// refusal is an answer that does not take a batch.
type refusal struct {
	status int
	wait   time.Duration // until the next attempt, when asked for
	asked  bool
}

func (r *refusal) Error() string { return "the endpoint answers " + strconv.Itoa(r.status) }

// again reports whether the same batch may be taken later.
func (r *refusal) again() bool {
	switch r.status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return r.status >= 500
}

// send posts the oldest records and takes them out of the queue, unless they are to be sent again: that is the error.
func (c *smyth) send() error {
	c.mu.Lock()
	n := min(c.batch, len(c.queue))
	batch := c.queue[:n:n]
	c.mu.Unlock()
	err := c.post(batch)
	var no *refusal
	refused := errors.As(err, &no)

	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		if c.failing != nil || c.dropped > 0 {
			c.log.Info("log records are sent again", "dropped", c.dropped)
		}
		c.failing, c.dropped, c.batch = nil, 0, min(c.batch+1, c.settings.Batch)
		c.remove(n)
		return nil
	case refused && no.status == http.StatusRequestEntityTooLarge && n > 1:
		c.batch = n / 2
		return nil
	}
	if c.failing == nil {
		c.log.Warn("log records are not taken", "error", err.Error())
	}
	c.failing = err
	if refused && !no.again() {
		c.dropped += n
		c.remove(n)
		return nil
	}
	return err
}

// remove takes the oldest records out of the queue. The caller holds the lock.
func (c *smyth) remove(n int) {
	for _, text := range c.queue[:n] {
		c.bytes -= len(text)
	}
	c.queue = append([][]byte(nil), c.queue[n:]...)
}

// post sends one request. An answer that does not take it is a [refusal].
func (c *smyth) post(batch [][]byte) (err error) {
	body := append([]byte(`{"records":[`), bytes.Join(batch, []byte{','})...)
	body = append(body, "]}"...)
	ctx, cancel := context.WithTimeout(c.life, c.settings.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.settings.Endpoint, bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Invalid, err)
	}
	req.Header.Set("Content-Type", "application/json")
	if !c.settings.Token.IsZero() {
		req.Header.Set("Authorization", "Bearer "+c.settings.Token.Reveal())
	}
	res, err := c.http.Do(req)
	if err != nil {
		return fault.New(fault.Unavailable, err)
	}
	defer func() {
		if closing := res.Body.Close(); err == nil {
			err = closing
		}
	}()
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer) // the status says it all
	if res.StatusCode >= 200 && res.StatusCode < 300 {
		return nil
	}
	no := &refusal{status: res.StatusCode}
	no.wait, no.asked = c.retryAfter(res.Header.Get("Retry-After"))
	return no
}

// retryAfter reads how long an endpoint wants to be left alone: seconds, or a time. It is bounded.
func (c *smyth) retryAfter(text string) (time.Duration, bool) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if !(seconds >= 0) {
			return 0, false
		}
		return time.Duration(min(seconds, longest.Seconds()) * float64(time.Second)), true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(c.effects.Now()), 0), longest), true
}
