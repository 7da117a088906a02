package tokenfile

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/security/account"
)

// token is one of a team with a number; its id and hash follow from it.
func token(team string, n int) account.Stored {
	t := account.Stored{Token: account.Token{
		ID: fmt.Sprintf("%c%c%caaaaa", 'a'+n%26, 'a'+n/26%26, 'a'+n/676%26), Name: fmt.Sprint("token ", n), Team: team, Scopes: account.ScopeRun,
		Agents: []string{"x", "y"}, Created: time.Date(2026, 1, 1, 0, 0, n, 0, time.UTC), Expires: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
	}}
	t.Sum[0], t.Sum[1], t.Sum[31] = 1, byte(n), byte(n>>8)
	return t
}

func grant(t testing.TB, team string) access.Grant[access.Write] {
	t.Helper()
	c, err := access.Team(team)
	if err != nil {
		t.Fatal(err)
	}
	g, err := access.Authorize[access.Write](t.Context(), nil, "test", c, "team:"+team, access.OwnedBy(c))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func newFile(dir string) *File { return New(Config{Dir: dir, Effects: effect.System{}}) }

// filled is a folder whose file holds tokens with the numbers 0 to n-1, and its text.
func filled(t testing.TB, n int) (dir string, text []byte) {
	t.Helper()
	dir = t.TempDir()
	f := newFile(dir)
	for i := range n {
		if err := f.PutToken(t.Context(), grant(t, "red"), token("red", i)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, Name))
	if err != nil {
		t.Fatal(err)
	}
	return dir, text
}

func put(t testing.TB, dir string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, Name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func same(a, b account.Stored) bool {
	return a.ID == b.ID && a.Sum == b.Sum && a.Name == b.Name && a.Team == b.Team && a.User == b.User && a.Scopes == b.Scopes &&
		slices.Equal(a.Agents, b.Agents) && a.Created.Equal(b.Created) && a.Expires.Equal(b.Expires) && a.Revoked.Equal(b.Revoked)
}

func load(t testing.TB, f *File) account.TokenSet {
	t.Helper()
	set, err := f.LoadTokens(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestFile_Keeps(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	f := newFile(dir)
	if set := load(t, f); len(set.Tokens) != 0 || len(set.Damaged) != 0 || set.Mark == "" {
		t.Errorf("without a file: %+v", set)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("looking made the folder: %v", err)
	}
	want := token("red", 1)
	if err := f.PutToken(t.Context(), grant(t, "red"), want); err != nil {
		t.Fatal(err)
	}
	if err := f.PutToken(t.Context(), grant(t, "red"), want); !fault.Is(err, fault.Conflict) {
		t.Errorf("put twice: %v, want kind %v", err, fault.Conflict)
	}
	if err := f.PutToken(t.Context(), grant(t, "blue"), token("red", 2)); !fault.Is(err, fault.Denied) {
		t.Errorf("put for another team: %v, want kind %v", err, fault.Denied)
	}
	set := load(t, newFile(dir))
	if len(set.Tokens) != 1 || !same(set.Tokens[0], want) {
		t.Errorf("tokens = %+v, want %+v", set.Tokens, want)
	}
	if again, err := f.LoadTokens(t.Context(), set.Mark); err != nil || again.Mark != set.Mark || again.Tokens != nil {
		t.Errorf("unchanged: %+v, %v, want the mark alone", again, err)
	}
	used := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for _, at := range []time.Time{used, used.Add(-time.Hour)} {
		if err := f.MarkTokens(t.Context(), map[string]time.Time{want.ID: at, "unknown2": at}); err != nil {
			t.Fatal(err)
		}
	}
	if set := load(t, f); !set.Tokens[0].Used.Equal(used) || !same(set.Tokens[0], want) {
		t.Errorf("used = %v, want the latest, %v", set.Tokens[0].Used, used)
	}
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for team, kind := range map[string]fault.Kind{"blue": fault.NotFound} {
		if err := f.RevokeToken(t.Context(), grant(t, team), want.ID, at); !fault.Is(err, kind) {
			t.Errorf("revoked by %s: %v, want kind %v", team, err, kind)
		}
	}
	for _, when := range []time.Time{at, at.Add(time.Hour)} {
		if err := f.RevokeToken(t.Context(), grant(t, "red"), want.ID, when); err != nil {
			t.Fatal(err)
		}
	}
	if set := load(t, f); !set.Tokens[0].Revoked.Equal(at) {
		t.Errorf("revoked = %v, want the first time, %v", set.Tokens[0].Revoked, at)
	}
	if err := f.RevokeToken(t.Context(), grant(t, "red"), "unknown2", at); !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown: %v, want kind %v", err, fault.NotFound)
	}
}

func TestFile_NoFolder(t *testing.T) {
	t.Parallel()
	f := newFile("")
	if err := f.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
	if set := load(t, f); len(set.Tokens) != 0 {
		t.Errorf("tokens = %v", set.Tokens)
	}
	if err := f.PutToken(t.Context(), grant(t, "red"), token("red", 1)); !fault.Is(err, fault.Unsupported) {
		t.Errorf("PutToken = %v, want kind %v", err, fault.Unsupported)
	}
}

// Who may write the file could let anybody in, so a file that others may write is not believed.
func TestFile_Exposed(t *testing.T) {
	t.Parallel()
	dir, text := filled(t, 1)
	path := filepath.Join(dir, Name)
	for _, mode := range []fs.FileMode{0o644, 0o620, 0o602} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := newFile(dir).LoadTokens(t.Context(), "")
		perr := newFile(dir).PutToken(t.Context(), grant(t, "red"), token("red", 2))
		for _, err := range []error{err, perr, newFile(dir).Check(t.Context())} {
			if fault.CodeOf(err) != CodeUnsafe || !strings.Contains(err.Error(), "chmod 600") {
				t.Errorf("mode %v: %v, want code %s and what to do", mode, err, CodeUnsafe)
			}
		}
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, text) {
		t.Errorf("the file was changed: %v", err)
	}
}

// What several writers keep at the same time, through several files on one folder, is all kept.
func TestFile_Concurrent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			f := newFile(dir)
			for k := range 10 {
				if err := f.PutToken(context.Background(), grant(t, "red"), token("red", 10*i+k)); err != nil {
					t.Error(err)
				}
				if _, err := f.LoadTokens(context.Background(), ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if set := load(t, newFile(dir)); len(set.Tokens) != 40 || len(set.Damaged) != 0 {
		t.Errorf("%d tokens, %q damaged, want 40", len(set.Tokens), set.Damaged)
	}
}

func TestContent_DropWorthless(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	good, expired, revoked := token("red", 1), token("red", 2), token("red", 3)
	expired.Expires, revoked.Revoked = now, now.Add(-time.Hour)
	c := &content{}
	for _, s := range []account.Stored{good, revoked, expired} {
		c.add(s)
	}
	for want := 2; want >= 1; want-- {
		if !c.dropWorthless(now) || len(c.records) != want || c.find(good.ID) == nil {
			t.Errorf("%d records are left, want %d and the good one among them", len(c.records), want)
		}
	}
	if c.dropWorthless(now) {
		t.Error("a good token was dropped")
	}
}

func BenchmarkLoadTokens(b *testing.B) {
	dir, _ := filled(b, 200)
	f := newFile(dir)
	mark := load(b, f).Mark
	for name, mark := range map[string]string{"same": mark, "changed": ""} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.LoadTokens(b.Context(), mark); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
