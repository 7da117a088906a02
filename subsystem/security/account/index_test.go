package account

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
)

// shelf is a connector that keeps tokens, and takes its time.
type shelf struct {
	*remote
	slow  time.Duration
	loads atomic.Int64

	mu     sync.Mutex
	mark   string
	tokens []Stored
	err    error
	used   map[string]time.Time
	writes int
}

func (s *shelf) AnswersFromMemory() {}

func (s *shelf) LoadTokens(ctx context.Context, mark string) (TokenSet, error) {
	s.loads.Add(1)
	if err := (effect.System{}).Sleep(ctx, s.slow); err != nil {
		return TokenSet{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return TokenSet{}, s.err
	case mark == s.mark:
		return TokenSet{Mark: mark}, nil
	}
	return TokenSet{Mark: s.mark, Tokens: s.tokens, Damaged: []string{"one"}}, nil
}

func (s *shelf) PutToken(context.Context, access.Grant[access.Write], Stored) error { return s.err }

func (s *shelf) RevokeToken(context.Context, access.Grant[access.Write], string, time.Time) error {
	return s.err
}

func (s *shelf) MarkTokens(_ context.Context, used map[string]time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	if s.err == nil {
		maps.Copy(s.used, used)
	}
	return s.err
}

// hold changes what the shelf holds.
func (s *shelf) hold(mark string, err error, tokens ...Stored) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mark, s.err, s.tokens = mark, err, tokens
}

// newShelf is a service over a shelf with one token of the team x.
func newShelf(t testing.TB) (s *shelf, svc *Service, tok Stored, shown string) {
	t.Helper()
	plain, id, sum := newToken(effect.System{})
	tok = Stored{Token: Token{ID: id, Team: "x", Scopes: ScopeRun, Created: time.Unix(0, 0)}, Sum: sum}
	s = &shelf{remote: newRemote("x"), used: map[string]time.Time{}}
	s.hold("1", nil, tok)
	return s, serve(t, connector.Opened{ID: "shelf", Connector: s}), tok, plain.Reveal()
}

func start(t testing.TB, svc *Service) {
	t.Helper()
	if err := svc.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// In a server that is busy nobody waits for the disk, and still no answer is older than a second.
func TestT23_NobodyWaitsForTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, svc, tok, shown := newShelf(t)
		start(t, svc)
		if _, err := svc.Authenticate(t.Context(), shown); err != nil {
			t.Fatal(err)
		}
		s.slow = 100 * time.Millisecond
		ask := func() error {
			began := (effect.System{}).Now()
			_, err := svc.Authenticate(t.Context(), shown)
			if took := (effect.System{}).Now().Sub(began); took != 0 {
				t.Errorf("a caller waited %v", took)
			}
			pass(t, 20*time.Millisecond)
			return err
		}
		for range 500 {
			if err := ask(); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.loads.Load(); n < 10 || n > 30 {
			t.Errorf("%d looks in ten seconds, want about two a second", n)
		}
		tok.Revoked = time.Unix(1, 0)
		s.hold("2", nil, tok)
		changed := (effect.System{}).Now()
		for ask() == nil {
			if (effect.System{}).Now().Sub(changed) > time.Second {
				t.Fatal("a token is good a second after it was revoked")
			}
		}
		if err := svc.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// After a while in which nobody came the first caller waits for the truth.
func TestT23_IdleServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, svc, tok, shown := newShelf(t)
		start(t, svc)
		if _, err := svc.Authenticate(t.Context(), shown); err != nil {
			t.Fatal(err)
		}
		looks := s.loads.Load()
		pass(t, time.Hour)
		if n := s.loads.Load() - looks; n > 1 {
			t.Errorf("%d looks in an hour in which nobody came", n)
		}
		tok.Revoked = time.Unix(1, 0)
		s.hold("2", nil, tok)
		if _, err := svc.Authenticate(t.Context(), shown); !fault.Is(err, fault.Unauthenticated) || !strings.Contains(err.Error(), "revoked") {
			t.Errorf("Authenticate = %v, want that it was revoked", err)
		}
		if err := svc.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// What cannot be read lets nobody in, and counts again as soon as it can.
func TestT18_TokensDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, svc, tok, shown := newShelf(t)
		for range 2 {
			if _, err := svc.Authenticate(t.Context(), shown); err != nil {
				t.Fatal(err)
			}
			s.hold("1", errors.New("disk on fire"))
			pass(t, time.Second)
			if c, err := svc.Authenticate(t.Context(), shown); !fault.Is(err, fault.Unavailable) || !c.IsZero() {
				t.Errorf("Authenticate = %v, want kind %v", err, fault.Unavailable)
			}
			if c, err := svc.Authenticate(t.Context(), "no token"); !fault.Is(err, fault.Unauthenticated) || !c.IsZero() {
				t.Errorf("no token: %v, want kind %v", err, fault.Unauthenticated)
			}
			s.hold("1", nil, tok)
			pass(t, time.Second)
		}
		for name, answer := range map[string]struct {
			answer any
			want   fault.Kind
		}{
			"down": {fault.Newf(fault.Unavailable, "down"), fault.Unavailable}, "broken": {errors.New("boom"), fault.Unavailable}, "nonsense": {"a b", fault.Unavailable},
			"gone": {fault.Newf(fault.NotFound, "gone"), fault.Unauthenticated}, "moved": {"y", fault.Unauthenticated},
		} {
			s.answer(answer.answer)
			if c, err := svc.Authenticate(t.Context(), shown); !fault.Is(err, answer.want) || !c.IsZero() {
				t.Errorf("team %s: Authenticate = %v, want kind %v", name, err, answer.want)
			}
		}
		s.answer("x")
		c, err := svc.Authenticate(t.Context(), shown)
		if err != nil || !c.MayCall(t.Context(), agent(t, "a")) {
			t.Errorf("well again: %v", err)
		}
		s.answer(errors.New("boom"))
		if c.MayCall(t.Context(), agent(t, "a")) {
			t.Error("an agent whose team cannot be told may be called")
		}
	})
}

// Who goes away while the tokens are read does not spoil them for others.
func TestIndex_CanceledCaller(t *testing.T) {
	t.Parallel()
	_, svc, _, shown := newShelf(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := svc.Authenticate(ctx, shown); err != nil && !fault.Is(err, fault.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if _, err := svc.Authenticate(t.Context(), shown); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// Last uses are written once a minute and at the end, and again after an error.
func TestIndex_LastUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, svc, tok, shown := newShelf(t)
		start(t, svc)
		use := func() {
			t.Helper()
			if _, err := svc.Authenticate(t.Context(), shown); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		for range 100 {
			use()
			pass(t, 500*time.Millisecond)
		}
		if s.writes != 0 {
			t.Errorf("%d writes in less than a minute", s.writes)
		}
		pass(t, time.Minute)
		use()
		now := (effect.System{}).Now()
		if s.writes != 1 || now.Sub(s.used[tok.ID]) > time.Minute {
			t.Errorf("%d writes, last use %v, want one and %v", s.writes, s.used[tok.ID], now)
		}
		s.hold("1", nil, tok, tok) // expired by a change of a token
		svc.tokens.expire()
		pass(t, 2*time.Minute)
		use()
		pass(t, 30*time.Second)
		if err := svc.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if now := (effect.System{}).Now(); now.Sub(s.used[tok.ID]) > 2*time.Minute {
			t.Errorf("last use %v after the end at %v", s.used[tok.ID], now)
		}
		writes := s.writes
		if err := svc.Close(t.Context()); err != nil || s.writes != writes {
			t.Errorf("Close again: %v, %d writes more", err, s.writes-writes)
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	_, svc, _, shown := newShelf(b)
	a, ctx := agent(b, "a"), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		c, err := svc.Authenticate(ctx, shown)
		if err != nil || !c.MayCall(ctx, a) {
			b.Fatal(err)
		}
	}
}
