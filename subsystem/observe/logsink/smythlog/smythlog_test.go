package smythlog

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/observe/logsink"
	"github.com/sre-go/sre/subsystem/observe/logsink/logsinktest"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	logsinktest.Run(t, Definition, func() logsinktest.Subject {
		e := newEndpoint(nil)
		t.Cleanup(e.stop)
		return logsinktest.Subject{
			Settings: value.Obj(value.M("endpoint", value.Of("http://logs.test/")), value.M("interval", value.OfInt(0))),
			HTTP:     e.client, Written: func(*testing.T, connector.Env) string { return e.text() },
		}
	})
}

// bubble runs a test with an endpoint of its own, under a clock of its own.
func bubble(t *testing.T, answer func(int, http.ResponseWriter, *http.Request) bool, more string, test func(w *world, e *endpoint)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint(answer)
		defer e.stop()
		w := dial(t, e.client, more)
		test(w, e)
	})
}

// pass lets the time of the bubble pass.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	if err := (effect.System{}).Sleep(context.Background(), d); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func names(t *testing.T, e *endpoint) string {
	t.Helper()
	var all []string
	for _, r := range e.records(t) {
		all = append(all, r.Get("data").GetString("componentName"))
	}
	return strings.Join(all, " ")
}

func TestRequest(t *testing.T) {
	t.Parallel()
	bubble(t, nil, `,"token":"canary-0123456789","preview":3`, func(w *world, e *endpoint) {
		ctx := access.WithActing(w.Context(), access.Acting{Candidate: w.handle.Candidate(), Team: "red"})
		id, err := w.handle.Log(ctx, logsink.Record{Component: "c2", Input: value.Of("abcdef")})
		if err != nil {
			w.Fatal(err)
		}
		if err := w.handle.Complete(w.Context(), id, logsink.Record{Output: value.Of("x")}); err != nil {
			w.Fatal(err)
		}
		if err := w.handle.CountTasks(w.Context(), 2, false); err != nil {
			w.Fatal(err)
		}
		if e.requests() != 0 {
			w.Error("a request was sent before others could come")
		}
		pass(w.T, time.Second)
		got := e.records(w.T)
		if len(got) != 3 || e.requests() != 1 {
			w.Fatalf("%d records in %d requests, want 3 in one: %s", len(got), e.requests(), e.text())
		}
		for i, want := range []string{
			`{"id":"` + id + `","action":"create","agentId":"a1","teamId":"red","data":{"componentId":"c2","input":{"preview":"abc...","full":null}}}`,
			`{"id":"` + id + `","action":"update","agentId":"a1","data":{"output":{"preview":"x","full":null}}}`,
			`{"id":"` + got[2].GetString("id") + `","action":"tasks","agentId":"a1","data":{"count":2}}`,
		} {
			if got[i].JSON() != want {
				w.Errorf("record %d is %s, want %s", i, got[i].JSON(), want)
			}
		}
		if h := e.headers[0]; h.Get("Authorization") != "Bearer canary-0123456789" || h.Get("Content-Type") != "application/json" {
			w.Errorf("headers are %v", h)
		}
		if w.secrets.For("red").Text("canary-0123456789") == "canary-0123456789" {
			w.Error("the token was not noted as a secret")
		}
		w.close()
		if _, err := w.handle.Log(w.Context(), logsink.Record{}); !fault.Is(err, fault.Unavailable) {
			w.Errorf("Log after Close = %v, want UNAVAILABLE", err)
		}
	})
}

// A full batch does not wait for the clock, and no request has more.
func TestBatches(t *testing.T) {
	t.Parallel()
	bubble(t, nil, `,"batch":2,"interval":3600`, func(w *world, e *endpoint) {
		w.write("a", "b")
		synctest.Wait()
		if got := names(w.T, e); got != "a b" {
			w.Errorf("taken is %q, want the full batch", got)
		}
		w.write("c")
		synctest.Wait()
		if e.requests() != 1 {
			w.Error("a batch that is not full was sent at once")
		}
		if err := w.conn.Flush(w.Context()); err != nil || names(w.T, e) != "a b c" {
			w.Errorf("Flush = %v, taken is %q", err, names(w.T, e))
		}
		if err := w.conn.Flush(w.Context()); err != nil {
			w.Errorf("Flush of nothing = %v", err)
		}
		w.write("d", "e", "f", "g", "h")
		w.close()
		if got := names(w.T, e); got != "a b c d e f g h" {
			w.Errorf("after Close taken is %q", got)
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, b := range e.bodies {
			if strings.Count(b, `"action"`) > 2 {
				w.Errorf("a request has more than two records: %s", b)
			}
		}
	})
}

// TestF19_EndpointIsDown: what is not taken is sent again, later and later, in order and without loss.
func TestF19_EndpointIsDown(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"503":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"429":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) },
		"408":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(408) },
		"reset": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"hangs": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(n int, w http.ResponseWriter, r *http.Request) bool {
				if n <= 4 {
					answer(w, r)
				}
				return n > 4
			}, `,"batch":2`, func(w *world, e *endpoint) {
				w.write("a", "b", "c")
				start := effect.System{}.Now()
				look := 4 * time.Second // before the fifth request, whatever the pauses are
				if name == "hangs" {
					look = 12 * time.Second
				}
				pass(w.T, look)
				if err := w.conn.Check(w.Context()); err == nil || !strings.Contains(err.Error(), "3 log records wait and 0 were dropped") {
					w.Errorf("Check = %v, want what waits", err)
				}
				if err := w.conn.Flush(w.Context()); err != nil {
					w.Error(err)
				}
				took := effect.System{}.Now().Sub(start)
				if got := names(w.T, e); got != "a b c" || took < 7*time.Second || took > 90*time.Second {
					w.Errorf("after %v taken is %q in %d requests", took, got, e.requests())
				}
				if err := w.conn.Check(w.Context()); err != nil {
					w.Errorf("Check = %v once all is taken", err)
				}
				if log := w.log.String(); strings.Count(log, "are not taken") != 1 || strings.Count(log, "are sent again") != 1 {
					w.Errorf("the log tells %s", log)
				}
				w.close()
			})
		})
	}
}

func TestF19_RetryAfter(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{"7": 7 * time.Second, "0": 0, "1000000000": longest, "1e300": longest} {
		bubble(t, func(n int, w http.ResponseWriter, _ *http.Request) bool {
			if n == 1 {
				w.Header().Set("Retry-After", header)
				w.WriteHeader(429)
			}
			return n > 1
		}, `,"interval":0`, func(w *world, e *endpoint) {
			start := effect.System{}.Now()
			w.write("a")
			if err := w.conn.Flush(w.Context()); err != nil {
				w.Fatal(err)
			}
			if got := (effect.System{}).Now().Sub(start); got != want || e.requests() != 2 {
				w.Errorf("Retry-After %s: waited %v, want %v", header, got, want)
			}
			w.close()
		})
	}
	synctest.Test(t, func(t *testing.T) {
		c := &smyth{effects: effect.System{}}
		now := effect.System{}.Now()
		for text, want := range map[string]string{
			"": "no", "soon": "no", "-1": "no", "NaN": "no", "0.5": "500ms", now.Add(9 * time.Second).UTC().Format(http.TimeFormat): "9s",
			now.Add(-time.Hour).UTC().Format(http.TimeFormat): "0s", now.Add(time.Hour).UTC().Format(http.TimeFormat): "2m0s",
		} {
			d, ok := c.retryAfter(text)
			got := d.String()
			if !ok {
				got = "no"
			}
			if got != want {
				t.Errorf("retryAfter(%q) = %s, want %s", text, got, want)
			}
		}
	})
}

// What an endpoint refuses for good is dropped and counted, and does not stand in the way.
func TestRefused(t *testing.T) {
	t.Parallel()
	bubble(t, func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n == 1 {
			w.WriteHeader(400)
		}
		return n > 1
	}, `,"batch":2`, func(w *world, e *endpoint) {
		w.write("a", "b")
		pass(w.T, time.Second)
		if err := w.conn.Check(w.Context()); err == nil || !strings.Contains(err.Error(), "2 were dropped") || !strings.Contains(err.Error(), "400") {
			w.Errorf("Check = %v, want what was dropped and why", err)
		}
		w.write("c")
		pass(w.T, time.Second)
		if err := w.conn.Check(w.Context()); err != nil || names(w.T, e) != "c" {
			w.Errorf("Check = %v, taken is %q, want the next one", err, names(w.T, e))
		}
		w.close()
	})
}

// Batches that are too large become smaller; one record that is too large is dropped.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	bubble(t, func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if r.ContentLength > 300 {
			w.WriteHeader(413)
		}
		return r.ContentLength <= 300
	}, `,"batch":8`, func(w *world, e *endpoint) {
		w.write("a", "b", "c", strings.Repeat("x", 400), "e", "f")
		if err := w.conn.Flush(w.Context()); err != nil {
			w.Fatal(err)
		}
		if got := names(w.T, e); got != "a b c e f" {
			w.Errorf("taken is %q, want all but the large one", got)
		}
		w.close()
	})
}

// TestF19_QueueIsBounded: while nothing is taken the queue fills and no further; runs are not held up and get no errors.
func TestF19_QueueIsBounded(t *testing.T) {
	t.Parallel()
	bubble(t, func(_ int, _ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return false }, `,"queue":3,"batch":2`, func(w *world, e *endpoint) {
		start := effect.System{}.Now()
		w.write("a", "b", "c", "d", "e")
		if got := (effect.System{}).Now().Sub(start); got != 0 {
			w.Errorf("writing took %v", got)
		}
		if err := w.conn.Check(w.Context()); err == nil || !strings.Contains(err.Error(), "2 log records were dropped") {
			w.Errorf("Check = %v, want the two that were dropped", err)
		}
		pass(w.T, time.Minute)
		if err := w.conn.Check(w.Context()); err == nil || !strings.Contains(err.Error(), "3 log records wait and 2 were dropped") {
			w.Errorf("Check = %v, want what waits and what was dropped", err)
		}
		start = effect.System{}.Now()
		w.close()
		if took := (effect.System{}).Now().Sub(start); took > closeTime {
			w.Errorf("Close took %v, want at most %v", took, closeTime)
		}
		if log := w.log.String(); !strings.Contains(log, "log records were not sent") || !strings.Contains(log, "records=3") {
			w.Errorf("the log tells %s", log)
		}
	})
	bubble(t, func(_ int, _ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return false }, `,"preview":1000000`, func(w *world, _ *endpoint) {
		for range 40 {
			if _, err := w.handle.Log(w.Context(), logsink.Record{Output: value.Of(strings.Repeat("x", 1<<20))}); err != nil {
				w.Fatal(err)
			}
		}
		w.conn.mu.Lock()
		if w.conn.bytes > maxQueue || w.conn.dropped == 0 {
			w.Errorf("%d bytes wait and %d records were dropped", w.conn.bytes, w.conn.dropped)
		}
		w.conn.mu.Unlock()
		w.close()
	})
}

// Close keeps to the deadline it is given, and a Flush to its context.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	bubble(t, func(_ int, _ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return false }, ``, func(w *world, _ *endpoint) {
		w.write("a")
		ctx, cancel := context.WithTimeout(w.Context(), 2*time.Second)
		defer cancel()
		if err := w.conn.Flush(ctx); !fault.Is(err, fault.Timeout) {
			w.Errorf("Flush = %v, want TIMEOUT", err)
		}
		start := effect.System{}.Now()
		ctx, cancel = context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := w.conn.Close(ctx); err != nil {
			w.Error(err)
		}
		if took := (effect.System{}).Now().Sub(start); took != time.Second {
			w.Errorf("Close took %v, want 1s", took)
		}
	})
}

func TestConcurrentWriters(t *testing.T) {
	t.Parallel()
	bubble(t, nil, `,"batch":7,"interval":0`, func(w *world, e *endpoint) {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for k := range 20 {
					w.write(fmt.Sprint(i, "-", k))
				}
			})
		}
		wg.Wait()
		w.close()
		seen := map[string]int{}
		for _, r := range e.records(w.T) {
			seen[r.Get("data").GetString("componentName")]++
		}
		for name, n := range seen {
			if n != 1 {
				w.Errorf("%s came %d times", name, n)
			}
		}
		if len(seen) != 160 {
			w.Errorf("%d records came, want 160", len(seen))
		}
	})
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]fault.Kind{
		`{}`: fault.Invalid, `{"endpoint":"logs"}`: fault.Invalid, `{"endpoint":"ftp://h.test"}`: fault.Invalid, `{"endpoint":"http://u:p@h.test"}`: fault.Invalid,
		`{"endpoint":"http://h.test","batch":0}`: fault.Invalid, `{"endpoint":"https://h.test"}`: fault.Unsupported,
	} {
		v, err := value.Parse(settings)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Definition.Open(t.Context(), connector.Env{}, v); !fault.Is(err, want) {
			t.Errorf("open with %s = %v, want %v", settings, err, want)
		}
	}
}
