package sqliteaccount

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// What another process changes counts within a second, membership and rank.
func TestT23_ChangedElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		_, one := opened(t, dir)
		_, two := opened(t, dir)
		fill(t, one)
		ann := candidate(t, "user:ann")
		if team, err := two.TeamOf(t.Context(), ann); err != nil || team != "team-a" {
			t.Fatalf("TeamOf = %q, %v", team, err)
		}
		if err := one.For(candidate(t, "team:team-a")).RemoveMember(t.Context(), ann); err != nil {
			t.Fatal(err)
		}
		if err := (effect.System{}).Sleep(t.Context(), time.Second); err != nil {
			t.Fatal(err)
		}
		if team, err := two.TeamOf(t.Context(), ann); !fault.Is(err, fault.NotFound) {
			t.Errorf("a second later TeamOf = %q, %v, want kind %v", team, err, fault.NotFound)
		}
	})
}

// On a full disk what was acknowledged stays and can be read, nothing is half there, and with room it works again.
func TestF04_FullDisk(t *testing.T) {
	t.Parallel()
	a, svc := opened(t, t.TempDir())
	fill(t, svc)
	team := svc.For(candidate(t, "team:team-a"))
	tok, shown, err := team.CreateToken(t.Context(), account.TokenSpec{Scopes: account.ScopeRun})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.db.Exec(t.Context(), "PRAGMA max_page_count = 20"); err != nil {
		t.Fatal(err)
	}
	full := func(what string, do func(n int) error) (done int) {
		for n := range 10_000 {
			err := do(n)
			if err == nil {
				continue
			}
			if fault.CodeOf(err) != sqlite.CodeFull {
				t.Errorf("%s %d: %v, want code %s", what, n, err, sqlite.CodeFull)
			}
			return n
		}
		t.Fatalf("%s: the disk is never full", what)
		return 0
	}
	users := full("pair of members", func(n int) error {
		pair := []account.Member{{Who: candidate(t, fmt.Sprintf("user:u%d", n)), Settings: value.Obj(value.M("x", value.Of(strings.Repeat("x", 400))))}, {Who: candidate(t, fmt.Sprintf("user:v%d", n))}}
		return team.PutMembers(t.Context(), pair...)
	})
	tokens := full("token", func(int) error {
		_, _, err := team.CreateToken(t.Context(), account.TokenSpec{Name: strings.Repeat("n", 90), Scopes: account.ScopeRun})
		return err
	})
	members, err := team.Members(t.Context())
	if err != nil || len(members) != 2*users+3 {
		t.Errorf("%d members, %v, want both of %d pairs and the 3 of before", len(members), err, users)
	}
	if list, damaged, err := team.Tokens(t.Context()); err != nil || len(damaged) != 0 || len(list) != tokens+1 {
		t.Errorf("%d tokens, %q damaged, %v, want %d", len(list), damaged, err, tokens+1)
	}
	if _, err := svc.Authenticate(t.Context(), shown.Reveal()); err != nil {
		t.Errorf("a token of before: %v", err)
	}
	if _, err := a.db.Exec(t.Context(), "PRAGMA max_page_count = 100000"); err != nil {
		t.Fatal(err)
	}
	if err := team.RevokeToken(t.Context(), tok.ID); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if damaged, err := svc.Verify(t.Context()); err != nil || len(damaged) != 0 {
		t.Errorf("Verify = %q, %v", damaged, err)
	}
}

// Whatever column of a row is not what was written: whoever it is about is refused, by name; nobody else notices.
func TestF06_DamagedRows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, stmt, about string }{
		{"moved to another team", "UPDATE member SET team = 'team-b' WHERE id = 'ann'", "user:ann"},
		{"another rank", "UPDATE member SET rank = 4 WHERE id = 'ann'", "user:ann"},
		{"no rank there is", "UPDATE member SET rank = 300 WHERE id = 'ann'", "user:ann"},
		{"below zero", "UPDATE member SET rank = -1 WHERE id = 'ann'", "user:ann"},
		{"settings", "UPDATE member SET settings = '{\"theme\":\"light\"}' WHERE id = 'ann'", "user:ann"},
		{"settings that are none", "UPDATE member SET settings = '{' WHERE id = 'ann'", "user:ann"},
		{"another kind", "UPDATE member SET kind = 'agent' WHERE id = 'ann'", "agent:ann"},
		{"another name", "UPDATE member SET id = 'amy' WHERE id = 'ann'", "user:amy"},
		{"the checksum", "UPDATE member SET mark = '' WHERE id = 'ann'", "user:ann"},
		{"a row of another", "UPDATE member SET (team, rank, settings, mark) = (SELECT team, rank, settings, mark FROM member WHERE id = 'bob') WHERE id = 'ann'", "user:ann"},
		{"an agent", "UPDATE member SET team = 'team-b' WHERE id = 'helper'", "agent:helper"},
		{"settings of a team", "UPDATE team SET settings = '{}' WHERE id = 'team-a'", "team:team-a"},
	} {
		a, svc := opened(t, t.TempDir())
		fill(t, svc)
		if _, err := a.db.Exec(t.Context(), tt.stmt); err != nil {
			t.Fatal(err)
		}
		if damaged, err := svc.Verify(t.Context()); err != nil || !slices.Equal(damaged, []string{tt.about}) {
			t.Errorf("%s: Verify = %q, %v, want %s", tt.name, damaged, err, tt.about)
		}
		about := candidate(t, tt.about)
		if team, err := svc.TeamOf(t.Context(), about); fault.CodeOf(err) != sqlite.CodeDamaged || !strings.Contains(err.Error(), tt.about) {
			t.Errorf("%s: TeamOf = %q, %v, want code %s", tt.name, team, err, sqlite.CodeDamaged)
		}
		if _, err := svc.For(about).Settings(t.Context()); fault.CodeOf(err) != sqlite.CodeDamaged {
			t.Errorf("%s: Settings: %v, want code %s", tt.name, err, sqlite.CodeDamaged)
		}
		for who, want := range map[string]string{"user:bob": "team-b", "agent:bare": "team-a", "agent:other": "team-b"} {
			if team, err := svc.TeamOf(t.Context(), candidate(t, who)); err != nil || team != want {
				t.Errorf("%s: TeamOf(%s) = %q, %v, want %q", tt.name, who, team, err, want)
			}
		}
		if about.Role() == access.RoleTeam {
			continue
		}
		var team string // that the row stands in now
		if err := a.db.Row(t.Context(), "SELECT team FROM member WHERE kind = ? AND id = ?", []any{about.Role().String(), about.ID()}, &team); err != nil {
			t.Fatal(err)
		}
		if err := svc.For(candidate(t, "team:"+team)).RemoveMember(t.Context(), about); err != nil {
			t.Errorf("%s: the operator removes it: %v", tt.name, err)
		}
	}
}

func TestF06_DamagedTokens(t *testing.T) {
	t.Parallel()
	for _, stmt := range []string{
		"UPDATE token SET team = 'team-b' WHERE id = ?", "UPDATE token SET holder = 'ann' WHERE id = ?", "UPDATE token SET record = replace(record, 'run', 'admin') WHERE id = ?",
		"UPDATE token SET record = substr(record, 1, 40) WHERE id = ?", "UPDATE token SET record = '' WHERE id = ?",
		"UPDATE token SET record = (SELECT record FROM token WHERE team = 'empty') WHERE id = ?",
	} {
		a, svc := opened(t, t.TempDir())
		fill(t, svc)
		tok, shown, err := svc.For(candidate(t, "team:team-a")).CreateToken(t.Context(), account.TokenSpec{Scopes: account.ScopeRun})
		if err != nil {
			t.Fatal(err)
		}
		_, other, err := svc.For(candidate(t, "team:empty")).CreateToken(t.Context(), account.TokenSpec{Scopes: account.ScopeAdmin})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.db.Exec(t.Context(), stmt, tok.ID); err != nil {
			t.Fatal(err)
		}
		if damaged, err := svc.Verify(t.Context()); err != nil || !slices.Equal(damaged, []string{"token:" + tok.ID}) {
			t.Errorf("%s: Verify = %q, %v, want the token", stmt, damaged, err)
		}
		if c, err := svc.Authenticate(t.Context(), shown.Reveal()); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: the token is good for team %q: %v", stmt, c.Team(), err)
		}
		if c, err := svc.Authenticate(t.Context(), other.Reveal()); err != nil || c.Team() != "empty" {
			t.Errorf("%s: another token: %q, %v", stmt, c.Team(), err)
		}
	}
}

// Bits flipped anywhere in the file, and cut tails: an answer is the right one or an error, never another right.
func TestF06_FileFlips(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, svc := opened(t, dir)
	fill(t, svc)
	_, shown, err := svc.For(candidate(t, "team:team-a")).CreateToken(t.Context(), account.TokenSpec{Scopes: account.ScopeRun})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "account.db"))
	if err != nil {
		t.Fatal(err)
	}
	detected := 0
	for at := 101; at < len(whole); at += 331 {
		text := bytes.Clone(whole)
		if at%2 == 0 {
			text[at] ^= 0x04
		} else {
			text = text[:at]
		}
		if broken := answersRight(t, text, shown.Reveal(), fmt.Sprint("at ", at)); broken {
			detected++
		}
	}
	if detected == 0 {
		t.Error("no damage was noticed")
	}
}

// answersRight asks a database for what it must not get wrong, and reports whether anything was an error.
func answersRight(t *testing.T, text []byte, shown, what string) (broken bool) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "account.db"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	conn, err := Definition.Open(t.Context(), env(dir), value.Value{})
	if err != nil {
		t.Fatal(err)
	}
	built, err := connector.Build(account.Kind, env(dir), "", []connector.Opened{{ID: "a", Connector: conn}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	svc := built.(*account.Service)
	for who, want := range map[string]string{"user:ann": "team-a", "user:bob": "team-b", "agent:helper": "team-a", "agent:other": "team-b", "team:empty": "empty"} {
		team, err := svc.TeamOf(t.Context(), candidate(t, who))
		if err == nil && team != want {
			t.Errorf("%s: %s is in %q, want %q or an error", what, who, team, want)
		}
		broken = broken || err != nil
	}
	if team, err := svc.TeamOf(t.Context(), candidate(t, "user:eve")); err == nil {
		t.Errorf("%s: a stranger is in %q", what, team)
	}
	c, err := svc.Authenticate(t.Context(), shown)
	if err == nil && (c.Team() != "team-a" || c.Has(account.ScopeDebug)) {
		t.Errorf("%s: the token is good for more than it was", what)
	}
	broken = broken || err != nil
	if err := conn.(*accounts).Close(t.Context()); err != nil {
		broken = true
	}
	return broken
}

func TestFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	a, svc := opened(t, dir)
	if err := a.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("opening made the folder: %v", err)
	}
	fill(t, svc)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 && !info.IsDir() {
			t.Errorf("%s has the mode %v, %v, want it for its owner only", e.Name(), info.Mode(), err)
		}
	}
	if _, err := Definition.Open(t.Context(), env(""), value.Value{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("without a data folder: %v, want kind %v", err, fault.Invalid)
	}
}

// BenchmarkTeamOf is a lookup in the database, as it is made once a second for each member in use.
func BenchmarkTeamOf(b *testing.B) {
	a, svc := opened(b, b.TempDir())
	fill(b, svc)
	ann, ctx := candidate(b, "user:ann"), b.Context()
	b.Run("database", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := a.TeamOf(ctx, ann); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("service", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := svc.TeamOf(ctx, ann); err != nil {
				b.Fatal(err)
			}
		}
	})
}
