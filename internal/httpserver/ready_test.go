package httpserver

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/subsystem/security/account"
)

// Who may see the parts.
func TestReady_Parts(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := serve(t, func(c *Config) {
		d.with(c)
		c.Health = func(context.Context) map[string]error { return map[string]error{"Vault": errors.New("sealed")} }
	})
	_, admin := d.token("red", account.TokenSpec{Scopes: account.ScopeAdmin})
	_, debug := d.token("red", account.TokenSpec{Scopes: account.ScopeDebug})
	const bare, full = `{"status":"unready"}`, `{"status":"unready","parts":{"Vault":"sealed"}}`
	for auth, want := range map[string]string{"Authorization:": bare, debug: bare, admin: full, "Authorization: Bearer " + testToken: full} {
		if got := w.do("GET", "/readyz", "", auth); got.status != 503 || got.body != want {
			t.Errorf("%.22s: %d %s, want 503 %s", auth, got.status, got.body, want)
		}
	}
}

func askReady(ctx context.Context, s *Server) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, httptest.NewRequestWithContext(ctx, http.MethodGet, "/readyz", nil))
	return rec
}

// However many strangers ask, the parts are looked at once a second, and nobody waits for more than one look.
func TestReady_OneLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var looks, at atomic.Int64
		s := newWorld(t, func(c *Config) {
			c.Health = func(ctx context.Context) map[string]error {
				if at.Add(1) != 1 {
					t.Error("two looks at once")
				}
				defer at.Add(-1)
				looks.Add(1)
				return map[string]error{"slow": (effect.System{}).Sleep(ctx, 300*time.Millisecond)}
			}
		}).server
		ask := func(n int) {
			var all sync.WaitGroup
			for range n {
				all.Go(func() {
					if rec := askReady(context.Background(), s); rec.Code != 200 || strings.TrimSpace(rec.Body.String()) != `{"status":"ready"}` {
						t.Errorf("GET /readyz = %d %s", rec.Code, rec.Body)
					}
				})
			}
			all.Wait()
		}
		ask(100)
		ask(100)
		if got := looks.Load(); got != 1 {
			t.Errorf("%d looks, want 1", got)
		}
		if err := (effect.System{}).Sleep(t.Context(), readyAge); err != nil {
			t.Fatal(err)
		}
		ask(100)
		if got := looks.Load(); got != 2 {
			t.Errorf("%d looks after a second, want 2", got)
		}
	})
}

// Who goes away does not spoil the look for those who wait, and a look that breaks is taken again.
func TestReady_GoneAndBroken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int64
		s := newWorld(t, func(c *Config) {
			c.Health = func(ctx context.Context) map[string]error {
				err := (effect.System{}).Sleep(ctx, time.Second)
				if looks.Add(1) == 2 {
					panic("broken")
				}
				return map[string]error{"part": err}
			}
		}).server
		ctx, leave := context.WithCancel(context.Background())
		var all sync.WaitGroup
		all.Go(func() { askReady(ctx, s) })
		synctest.Wait()
		waiting, left := context.WithCancel(context.Background())
		all.Go(func() {
			if rec := askReady(waiting, s); rec.Code == 200 {
				t.Error("who left while waiting was answered")
			}
		})
		all.Go(func() {
			if rec := askReady(context.Background(), s); rec.Code != 200 {
				t.Errorf("who waits: %d %s, want 200", rec.Code, rec.Body)
			}
		})
		synctest.Wait()
		leave()
		left()
		all.Wait()
		if err := (effect.System{}).Sleep(t.Context(), readyAge); err != nil {
			t.Fatal(err)
		}
		if rec := askReady(context.Background(), s); rec.Code != 500 {
			t.Errorf("a look that breaks: %d %s, want 500", rec.Code, rec.Body)
		}
		if rec := askReady(context.Background(), s); rec.Code != 200 {
			t.Errorf("after it: %d %s, want 200", rec.Code, rec.Body)
		}
	})
}
