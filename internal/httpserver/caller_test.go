package httpserver

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/tokenfile"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/subsystem/security/account/dummyaccount"
	"github.com/sre-go/sre/value"
)

const people = `{"data": {"red": {"agents": {"one": {}, "two": {}}, "users": {"ann": {"role": "owner"}, "vic": {"role": "viewer"}}}, "blue": {"agents": {"three": {}}}}}`

// desk is accounts that hand out API tokens.
type desk struct {
	*account.Service
	t     testing.TB
	dir   string
	clock *shiftedClock
}

// shiftedClock is a clock that a test moves.
type shiftedClock struct {
	effect.System
	by time.Duration
}

func (c *shiftedClock) Now() time.Time { return c.System.Now().Add(c.by) }

func newDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir(), clock: &shiftedClock{}}
	env := connector.Env{
		Dir: d.dir, Effects: d.clock, Events: new(event.Bus), Log: slog.New(slog.DiscardHandler),
		Record: func(context.Context, access.Decision) error { return nil },
	}
	settings, err := value.Parse(people)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := dummyaccount.Definition.Open(t.Context(), env, settings)
	if err != nil {
		t.Fatal(err)
	}
	built, err := connector.Build(account.Kind, env, "", []connector.Opened{{ID: "a", Connector: conn}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	d.Service = built.(*account.Service)
	return d
}

func (d *desk) with(c *Config) { c.Accounts = d.Service }

func (d *desk) team(id string) *account.Handle {
	d.t.Helper()
	c, err := access.Team(id)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.For(c)
}

// token makes a token of a team and returns its id and the header that shows it.
func (d *desk) token(team string, spec account.TokenSpec) (id, header string) {
	d.t.Helper()
	tok, shown, err := d.team(team).CreateToken(d.t.Context(), spec)
	if err != nil {
		d.t.Fatal(err)
	}
	return tok.ID, "Authorization: Bearer " + shown.Reveal()
}

func (w *world) loadThree() {
	w.t.Helper()
	for _, id := range []string{"one", "two", "three"} {
		w.load(id, "", part{endpoint: "greet"})
	}
}

// A token reaches the agents of its team, and of those the ones it names.
func TestAPIToken_Agents(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := serve(t, d.with)
	w.loadThree()
	for _, tt := range []struct {
		name, team string
		spec       account.TokenSpec
		reach      string
		alone      int // status of a path without an agent
	}{
		{"team", "red", account.TokenSpec{Scopes: account.ScopeRun}, "one two", 404},
		{"other team", "blue", account.TokenSpec{Scopes: account.ScopeAdmin}, "three", 200},
		{"one of two", "red", account.TokenSpec{Scopes: account.ScopeRun, Agents: []string{"two"}}, "two", 200},
		{"of others", "red", account.TokenSpec{Scopes: account.ScopeRun, Agents: []string{"three"}}, "", 404},
		{"user", "red", account.TokenSpec{Scopes: account.ScopeRun, User: "ann"}, "one two", 404},
	} {
		_, auth := d.token(tt.team, tt.spec)
		var reach []string
		list := w.do("GET", "/agents", "", auth)
		for _, id := range []string{"one", "two", "three"} {
			got, doc := w.do("POST", "/agents/"+id+"/api/greet", `{"name":"Ada"}`, auth, asJSON), w.do("GET", "/agents/"+id+"/openapi.json", "", auth)
			if got.status == 200 {
				reach = append(reach, id)
			}
			if listed := strings.Contains(list.body, `"id":"`+id+`"`); list.status != 200 || listed != (got.status == 200) || doc.status != got.status {
				t.Errorf("%s: agent %s answers %d, its document %d, listed %v", tt.name, id, got.status, doc.status, listed)
			}
		}
		if got := strings.Join(reach, " "); got != tt.reach {
			t.Errorf("%s: reaches %q, want %q", tt.name, got, tt.reach)
		}
		if got := w.do("POST", "/api/greet", "", auth); got.status != tt.alone {
			t.Errorf("%s: a path without an agent = %d %s, want %d", tt.name, got.status, got.body, tt.alone)
		}
	}
}

// An agent that a token does not reach is answered like one that does not exist, whatever is asked of it.
func TestT25_AgentsOfOthers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := serve(t, d.with)
	w.loadThree()
	_, auth := d.token("red", account.TokenSpec{Scopes: account.ScopeAdmin, Agents: []string{"one"}})
	for _, ask := range []struct{ method, path string }{
		{"POST", "/api/greet"}, {"POST", "/api/nothing"}, {"GET", "/api/greet"}, {"POST", "/v3/api/greet"}, {"POST", "/trigger/mail"}, {"GET", "/openapi.json"},
		{"POST", "/api/"}, {"DELETE", "/openapi.json"},
	} {
		for _, more := range []string{"X-Other: 1", "X-DEBUG-RUN: 1", "X-DEBUG-READ: dbg-1"} {
			want := w.do(ask.method, "/agents/nobody"+ask.path, "", auth, more)
			for _, id := range []string{"two", "three"} {
				got := w.do(ask.method, "/agents/"+id+ask.path, "", auth, more)
				for _, r := range []reply{want, got} {
					r.header.Del("Date")
					r.header.Del("X-Request-Id")
				}
				if got.status != want.status || got.body != want.body || fmt.Sprint(got.header) != fmt.Sprint(want.header) || got.status < 400 {
					t.Errorf("%s %s of %s = %d %s, want as for none: %d %s", ask.method, ask.path, id, got.status, got.body, want.status, want.body)
				}
			}
		}
	}
}

// Nor does the time tell: over 200 tries, the median for an agent of others is that for one that does not exist.
func TestT25_TimeTellsNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := serve(t, d.with)
	w.loadThree()
	_, auth := d.token("red", account.TokenSpec{Scopes: account.ScopeRun, Agents: []string{"one"}})
	took := map[string][]time.Duration{}
	for range 200 {
		for _, id := range []string{"nobody", "two", "three"} {
			began := (effect.System{}).Now()
			w.do("POST", "/agents/"+id+"/api/greet", `{"name":"Ada"}`, auth, asJSON)
			took[id] = append(took[id], (effect.System{}).Now().Sub(began))
		}
	}
	median := func(id string) time.Duration {
		slices.Sort(took[id])
		return took[id][100]
	}
	for _, id := range []string{"two", "three"} {
		if apart := (median(id) - median("nobody")).Abs(); apart > 5*time.Millisecond {
			t.Errorf("agent %s is answered %v apart from none, want at most 5 ms", id, apart)
		}
	}
}

// With the scope run, no header that steers or debugs exists; with the scope debug they do.
func TestT17_TokensWithoutDebug(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := serve(t, d.with)
	w.load("one", "", part{endpoint: "greet"})
	_, run := d.token("red", account.TokenSpec{Scopes: account.ScopeRun})
	for _, p := range []struct{ path, body string }{{"/api/greet", `{"name":"Ada"}`}, {"/api/greet?includeNewState=true", `{}`}, {"/api/", `[]`}} {
		want := w.do("POST", p.path, p.body, asJSON, run)
		for _, spoof := range spoofs() {
			if got := w.do("POST", p.path, p.body, asJSON, run, spoof); got.status != want.status || got.body != want.body {
				t.Errorf("POST %s with %q = %d %s, want as without: %d %s", p.path, spoof, got.status, got.body, want.status, want.body)
			}
		}
	}
	for _, s := range []account.Scopes{account.ScopeDebug, account.ScopeAdmin} {
		_, debug := d.token("red", account.TokenSpec{Scopes: s})
		step := w.do("POST", "/api/greet", `{"name":"Ada"}`, asJSON, debug, "X-DEBUG-RUN:")
		session := step.get("dbgSession")
		if step.status != 200 || session == "" {
			t.Fatalf("with scope %v: %d %s, want a debug session", s.Names(), step.status, step.body)
		}
		if got := w.do("POST", "/api/", "", debug, "X-DEBUG-READ: "+session); got.status != 200 {
			t.Errorf("reads the session: %d %s", got.status, got.body)
		}
		if got := w.do("POST", "/api/", "", run, "X-DEBUG-READ: "+session); got.status == 200 {
			t.Errorf("a token without debug reads the session: %s", got.body)
		}
	}
}

// Whatever is wrong with a token, the answer is the same.
func TestT26_APIToken(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := serve(t, d.with)
	w.load("one", "", part{endpoint: "greet"})
	hour := account.TokenSpec{Scopes: account.ScopeRun, Expires: d.clock.Now().Add(time.Hour)}
	_, good := d.token("red", account.TokenSpec{Scopes: account.ScopeRun})
	revoked, revokedAuth := d.token("red", account.TokenSpec{Scopes: account.ScopeRun})
	_, expired := d.token("red", hour)
	if got := w.do("POST", "/api/greet", "", expired); got.status != 200 {
		t.Errorf("before it expires: %d %s", got.status, got.body)
	}
	if got := w.do("POST", "/api/greet", "", revokedAuth); got.status != 200 {
		t.Errorf("before it is revoked: %d %s", got.status, got.body)
	}
	d.clock.by = time.Hour
	if err := d.team("red").RevokeToken(t.Context(), revoked); err != nil {
		t.Fatal(err)
	}
	want := w.do("POST", "/api/greet", "", "Authorization:")
	for name, auth := range map[string]string{
		"expired": expired, "revoked": revokedAuth, "unknown": "Authorization: Bearer sre_" + strings.Repeat("a", 60), "cut": good[:len(good)-1],
		"other scheme": strings.Replace(good, "Bearer", "Basic", 1), "two blanks": strings.Replace(good, "Bearer ", "Bearer  ", 1), "upper case": strings.ToUpper(good),
		"list": good + ", " + strings.TrimPrefix(good, "Authorization: "),
	} {
		got := w.do("POST", "/api/greet", "", auth)
		if got.status != 401 || got.body != want.body || got.header.Get("WWW-Authenticate") != want.header.Get("WWW-Authenticate") {
			t.Errorf("%s: %d %s, want %s", name, got.status, got.body, want.body)
		}
	}
	twice := w.request(t.Context(), "POST", "/api/greet", "", good)
	twice.Header["Authorization"] = append(twice.Header["Authorization"], twice.Header["Authorization"]...)
	if got := w.send(twice); got.status != 401 {
		t.Errorf("sent twice: %d %s, want 401", got.status, got.body)
	}
	if got := w.do("POST", "/api/greet", "", good); got.status != 200 {
		t.Errorf("the good one: %d %s", got.status, got.body)
	}
}

// Tokens reach neither agents nor the log, which says instead which one was shown and why it was refused.
func TestT64_TokensStayUnseen(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := serve(t, func(c *Config) { d.with(c); c.Open = true })
	w.load("one", "", part{endpoint: "greet"})
	id, good := d.token("red", account.TokenSpec{Scopes: account.ScopeRun})
	gone, bad := d.token("red", account.TokenSpec{Scopes: account.ScopeRun})
	if err := d.team("red").RevokeToken(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	for _, auth := range []string{good, bad} {
		if got := w.do("POST", "/api/greet", "", auth); got.status != 200 || strings.Contains(got.body, "sre_") || strings.Contains(got.body, "authorization") {
			t.Errorf("the agent sees %d %s, want no token", got.status, got.body)
		}
	}
	log := w.log.String()
	if !strings.Contains(log, "token="+id) || !strings.Contains(log, gone) || !strings.Contains(log, "revoked") || strings.Contains(log, "sre_") {
		t.Errorf("log = %s\nwant the ids of the tokens, and no token", log)
	}
}

// When nobody can tell tokens, their holders are told to come back; the operator, strangers and probes notice nothing.
func TestF06_TokensUnreadable(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := serve(t, d.with)
	w.load("one", "", part{endpoint: "greet"})
	_, auth := d.token("red", account.TokenSpec{Scopes: account.ScopeRun})
	path := filepath.Join(d.dir, tokenfile.Name)
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	got := w.do("POST", "/api/greet", "", auth)
	if got.status != 503 || strings.Contains(got.body, "file") || strings.Contains(got.body, "chmod") {
		t.Errorf("the holder of a token: %d %s, want 503 without details", got.status, got.body)
	}
	if log := w.log.String(); !strings.Contains(log, "chmod 600 tokens.json") {
		t.Errorf("log = %s\nwant what to do", log)
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200} {
		if got := w.do("GET", path, "", auth); got.status != want {
			t.Errorf("GET %s = %d %s, want %d", path, got.status, got.body, want)
		}
	}
	if got := w.do("POST", "/api/greet", ""); got.status != 200 {
		t.Errorf("the operator: %d %s", got.status, got.body)
	}
	if got := w.do("POST", "/api/greet", "", "Authorization:"); got.status != 401 {
		t.Errorf("a stranger: %d %s", got.status, got.body)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	d.clock.by = time.Second
	if got := w.do("POST", "/api/greet", "", auth); got.status != 200 {
		t.Errorf("mended: %d %s", got.status, got.body)
	}
}

// A server without accounts, and a token of a viewer, let nobody in.
func TestAPIToken_Nobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, auth := d.token("red", account.TokenSpec{Scopes: account.ScopeRun})
	w := serve(t, nil)
	w.load("one", "", part{endpoint: "greet"})
	if got := w.do("POST", "/api/greet", "", auth); got.status != 401 {
		t.Errorf("without accounts: %d %s, want 401", got.status, got.body)
	}
	if _, _, err := d.team("red").CreateToken(t.Context(), account.TokenSpec{Scopes: account.ScopeRun, User: "vic"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a token of a viewer: %v, want kind %v", err, fault.Invalid)
	}
}

// BenchmarkAuthenticate is what finding out who calls costs, for each kind of token.
func BenchmarkAuthenticate(b *testing.B) {
	d := newDesk(b)
	w := newWorld(b, func(c *Config) {
		d.with(c)
		c.Log = slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError}))
	})
	_, api := d.token("red", account.TokenSpec{Scopes: account.ScopeRun})
	for name, auth := range map[string]string{"operator": "Bearer " + testToken, "api": strings.TrimPrefix(api, "Authorization: "), "unknown": "Bearer sre_" + strings.Repeat("a", 60)} {
		b.Run(name, func(b *testing.B) {
			r := w.request(b.Context(), "POST", "/api/greet", "", "Authorization: "+auth)
			x := &exchange{Server: w.server, r: r}
			b.ReportAllocs()
			for b.Loop() {
				x.caller = caller{}
				if err := x.authenticate(); err != nil || x.caller.known() != (name != "unknown") {
					b.Fatal(err)
				}
			}
		})
	}
}
