package account

import (
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

func aToken() Stored {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return Stored{Token: Token{
		ID: "abcdefg2", Name: "for CI", Team: "red", User: "ann", Scopes: ScopeRun | ScopeAdmin, Agents: []string{"a", "b"},
		Created: at, Expires: at.Add(time.Hour), Revoked: at.Add(time.Minute),
	}, Sum: Sum{1, 2, 3}}
}

func TestNewToken(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 200 {
		shown, id, sum := newToken(effect.System{})
		text := shown.Reveal()
		if !LooksLikeToken(text) || !ValidTokenID(id) || text[:12] != "sre_"+id || sumOf(text) != sum || seen[id] || seen[text[12:]] {
			t.Fatalf("newToken = %d characters with id %q, want a fresh one that begins with it", len(text), id)
		}
		seen[id], seen[text[12:]] = true, true
	}
	if bits := secretBytes * 8; bits < 256 {
		t.Errorf("a token has %d random bits, want 256", bits)
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Stored){
		"full":    func(*Stored) {},
		"minimal": func(s *Stored) { *s = Stored{Token: Token{ID: s.ID, Team: s.Team, Scopes: ScopeRun}, Sum: s.Sum} },
	} {
		want := aToken()
		change(&want)
		got, err := ParseRecord(want.Record())
		if err != nil || got.Record().JSON() != want.Record().JSON() || got.Sum != want.Sum || !got.Expires.Equal(want.Expires) {
			t.Errorf("%s: %+v reads back as %+v, %v", name, want, got, err)
		}
	}
	if text := func() string { s := aToken(); return s.Record().JSON() }(); strings.Contains(text, "sre_") {
		t.Errorf("the record holds a token: %s", text)
	}
}

// sealed gives a record the checksum that fits it.
func sealed(v value.Value) value.Value {
	v = v.Without("check")
	return v.With("check", value.Of(checkOf(v)))
}

// A record that says anything else than a token is refused, also when its checksum fits.
func TestParseRecord_Refuses(t *testing.T) {
	t.Parallel()
	whole := aToken()
	v := whole.Record()
	for name, bad := range map[string]value.Value{
		"text": value.Of("x"), "empty": value.Obj(), "no checksum": v.Without("check"), "another checksum": v.With("check", value.Of("00")),
		"changed": v.With("team", value.Of("blue")), "more": sealed(v.With("owner", value.Of("x"))),
		"no id": sealed(v.Without("id")), "long id": sealed(v.With("id", value.Of("abcdefg22"))), "no hash": sealed(v.Without("hash")),
		"short hash": sealed(v.With("hash", value.Of("00"))), "long hash": sealed(v.With("hash", value.Of(v.GetString("hash")+"00"))), "no hex": sealed(v.With("hash", value.Of(strings.Repeat("x", 64)))),
		"no team": sealed(v.Without("team")), "T19 team": sealed(v.With("team", value.Of("__proto__"))), "T19 user": sealed(v.With("user", value.Of("a|b"))),
		"no scope": sealed(v.With("scopes", value.List())), "unknown scope": sealed(v.With("scopes", value.Strings([]string{"root"}))), "scopes that are a text": sealed(v.With("scopes", value.Of("run"))),
		"agents in disorder": sealed(v.With("agents", value.Strings([]string{"b", "a"}))), "agents twice": sealed(v.With("agents", value.Strings([]string{"a", "a"}))),
		"no agents at all": sealed(v.With("agents", value.List())), "agents null": sealed(v.With("agents", value.NullValue())), "agents that are numbers": sealed(v.With("agents", value.List(value.OfInt(1)))),
		"expires never again": sealed(v.With("expires", value.Of("0001-01-01T00:00:00Z"))), "expires null": sealed(v.With("expires", value.NullValue())),
		"expires in another zone": sealed(v.With("expires", value.Of("2026-01-02T03:04:05+01:00"))), "revoked some time": sealed(v.With("revoked", value.Of("yes"))),
		"T64 name": sealed(v.With("name", value.Of("a\x1b[2J"))),
	} {
		if got, err := ParseRecord(bad); !fault.Is(err, fault.Invalid) || got.ID != "" {
			t.Errorf("%s: ParseRecord = %+v, %v, want kind %v", name, got.Token, err, fault.Invalid)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	s := aToken()
	f.Add(s.Record().JSON(), true)
	f.Add(s.Record().JSON(), false)
	f.Add(`{"id":"aaaaaaaa","hash":"00","scopes":["run"],"agents":[]}`, true)
	f.Fuzz(func(t *testing.T, text string, seal bool) {
		v, err := value.Parse(text)
		if err != nil {
			return
		}
		if seal && v.IsObject() {
			v = sealed(v)
		}
		got, err := ParseRecord(v)
		if err != nil {
			return
		}
		if err := got.Validate(); err != nil {
			t.Fatalf("%s was taken, and is not valid: %v", text, err)
		}
		again, err := ParseRecord(got.Record())
		if err != nil || again.Record().JSON() != got.Record().JSON() {
			t.Fatalf("%s becomes %s, %v", text, again.Record().JSON(), err)
		}
	})
}

func TestScopes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Scopes{
		"run": ScopeRun, "debug": ScopeRun | ScopeDebug, "admin": ScopeRun | ScopeDebug | ScopeAdmin, "run admin": ScopeRun | ScopeDebug | ScopeAdmin, "": 0,
	} {
		s, err := ParseScopes(strings.Fields(text))
		if err != nil || s.effective() != want || strings.Join(s.Names(), " ") != text {
			t.Errorf("scopes %q = %b, %v, named %q, want %b", text, s.effective(), err, s.Names(), want)
		}
	}
	if _, err := ParseScopes([]string{"Run"}); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), `"run"`) {
		t.Errorf("ParseScopes(Run) = %v, want the nearest name", err)
	}
}

func TestRank(t *testing.T) {
	t.Parallel()
	for r := RankViewer; r <= RankOwner; r++ {
		if got, err := ParseRank(r.String()); err != nil || got != r {
			t.Errorf("ParseRank(%q) = %v, %v", r, got, err)
		}
	}
	for _, text := range []string{"", "Owner", "unknown", "root"} {
		if got, err := ParseRank(text); !fault.Is(err, fault.Invalid) || got != RankNone {
			t.Errorf("ParseRank(%q) = %v, %v, want kind %v", text, got, err, fault.Invalid)
		}
	}
	if Rank(99).scopes() != 0 || RankNone.scopes() != 0 || RankViewer.scopes() != 0 {
		t.Error("a rank below member has scopes")
	}
}
