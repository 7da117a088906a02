package egress

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/internal/limits"
)

// A team uses its own connections again, and never those of another.
func TestPools_Apart(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	from := map[string]map[string]bool{} // teams by connection
	w := newWorld(t)
	w.serve("a.test", publicIP, func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if from[r.RemoteAddr] == nil {
			from[r.RemoteAddr] = map[string]bool{}
		}
		from[r.RemoteAddr][r.Header.Get("X-Team")] = true
		hello(rw, r)
	})
	c := w.client(Policy{}, limits.Default())
	const teams, rounds = 5, 4
	for range rounds {
		for i := range teams {
			team := fmt.Sprintf("t%d", i)
			if _, err := get(access.WithActing(t.Context(), access.Acting{Team: team}), c, "http://a.test/", "X-Team", team); err != nil {
				t.Fatal(err)
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(from) != teams {
		t.Errorf("%d connections for %d teams, want one each", len(from), teams)
	}
	for connection, used := range from {
		if len(used) != 1 {
			t.Errorf("%s served %v, want one team", connection, used)
		}
	}
}

// However many teams there are, few keep connections open, and a team that is in the middle of a request loses nothing.
func TestPools_Bounded(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	open := 0
	release := make(chan struct{})
	w := newWorld(t)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			rw.WriteHeader(http.StatusOK)
			rw.(http.Flusher).Flush()
			<-release
		}
		hello(rw, r)
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		switch s {
		case http.StateNew:
			open++
		case http.StateClosed:
			open--
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	w.at("a.test", publicIP, srv)
	c := w.client(Policy{}, limits.Default())
	as := func(team string) context.Context {
		return access.WithActing(t.Context(), access.Acting{Team: team})
	}
	req, err := http.NewRequestWithContext(as("slow"), http.MethodGet, "http://a.test/slow", nil)
	if err != nil {
		t.Fatal(err)
	}
	slow, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	pools := &c.Transport.(*door).pools
	for i := range 3 * maxPools {
		if _, err := get(as("t"+strconv.Itoa(i)), c, "http://a.test/"); err != nil {
			t.Fatal(err)
		}
		if got := len(pools.teams); got > maxPools {
			t.Fatalf("%d pools after %d teams, want at most %d", got, i+1, maxPools)
		}
	}
	if pools.teams["slow"] == nil {
		t.Error("the pool of a team with a request under way was closed")
	}
	close(release)
	body := make([]byte, 5)
	if n, err := io.ReadFull(slow.Body, body); err != nil || string(body) != "hello" {
		t.Errorf("the slow answer: %q, %v", body[:n], err)
	}
	if err := slow.Body.Close(); err != nil {
		t.Error(err)
	}
	for team, p := range pools.teams {
		if p.users != 0 {
			t.Errorf("team %s: %d requests under way at the end, want none", team, p.users)
		}
	}
	c.CloseIdleConnections()
	srv.Close() // waits for the connections
	mu.Lock()
	defer mu.Unlock()
	if open != 0 {
		t.Errorf("%d connections are open, want none", open)
	}
}

// A pool beyond the bound lives as long as its request, when all others are busy.
func TestPools_AllBusy(t *testing.T) {
	t.Parallel()
	p := pools{make: func(string, kind) *http.Transport { return new(http.Transport) }}
	var releases []func()
	for i := range maxPools + 3 {
		_, release := p.take(strconv.Itoa(i), 0)
		releases = append(releases, release)
	}
	if got, want := len(p.teams), maxPools+3; got != want {
		t.Errorf("%d pools, want %d", got, want)
	}
	for _, release := range releases {
		release()
	}
	if got := len(p.teams); got != maxPools {
		t.Errorf("%d pools at rest, want %d", got, maxPools)
	}
}

// patient is a server that keeps its connections.
func patient(conn net.Conn) {
	buf := make([]byte, 4096)
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
		if _, err := conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")); err != nil {
			return
		}
	}
}

// A team that gives way closes its connections.
func TestPools_GiveWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := pipes(t, patient)
		const more = 3
		for i := range maxPools + more {
			ctx := access.WithActing(t.Context(), access.Acting{Team: strconv.Itoa(i)})
			if _, err := get(ctx, w.client, "http://127.0.0.1/"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if opened, closed := w.opened.Load(), w.closed.Load(); opened != maxPools+more || closed != more {
			t.Errorf("%d connections were opened, %d closed, want %d and %d", opened, closed, maxPools+more, more)
		}
	})
}

// Connections that nobody uses are closed after a while.
func TestPools_IdleEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := pipes(t, patient)
		for range 2 {
			if _, err := get(t.Context(), w.client, "http://127.0.0.1/"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if opened, closed := w.opened.Load(), w.closed.Load(); opened != 1 || closed != 0 {
			t.Errorf("%d connections were opened, %d closed, want one that is open", opened, closed)
		}
		pause(t, 2*idleTime)
		if closed := w.closed.Load(); closed != 1 {
			t.Errorf("%d connections were closed after %s, want 1", closed, 2*idleTime)
		}
	})
}
