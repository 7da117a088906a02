package logsink

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

const canary = "canary-0123456789"

// TestT29_LogLines: a secret of any team is in no line, whatever part of it it stands in and however it is written.
func TestT29_LogLines(t *testing.T) {
	t.Parallel()
	digits := hex.EncodeToString([]byte(canary))
	for name, log := range map[string]func(*slog.Logger){
		"message":       func(l *slog.Logger) { l.Info("got " + canary) },
		"text":          func(l *slog.Logger) { l.Info("m", "a", canary) },
		"hexadecimal":   func(l *slog.Logger) { l.Info("m", "a", digits) },
		"name":          func(l *slog.Logger) { l.Info("m", canary, 1) },
		"error":         func(l *slog.Logger) { l.Info("m", "error", fmt.Errorf("sent %s: %w", canary, errors.New("refused"))) },
		"bytes":         func(l *slog.Logger) { l.Info("m", "a", []byte(canary)) },
		"struct":        func(l *slog.Logger) { l.Info("m", "a", struct{ A []string }{[]string{canary}}) },
		"value":         func(l *slog.Logger) { l.Info("m", "a", value.Obj(value.M("x", value.Of(canary)))) },
		"group":         func(l *slog.Logger) { l.Info("m", slog.Group("g", "a", 1, slog.Group("h", "b", canary))) },
		"with":          func(l *slog.Logger) { l.With("a", canary, "b", 1).Info("m") },
		"name of group": func(l *slog.Logger) { l.WithGroup(canary).Info("m", "a", 1) },
		"with in group": func(l *slog.Logger) { l.WithGroup("g").With("a", 1).With("b", canary).Info("m", "c", canary) },
		"number":        func(l *slog.Logger) { l.Info("m", "a", 987654321) },
	} {
		for form, inner := range map[string]func(*bytes.Buffer) slog.Handler{
			"machines": func(b *bytes.Buffer) slog.Handler { return NewHandler(b, Options{}) },
			"people":   func(b *bytes.Buffer) slog.Handler { return NewHandler(b, Options{People: true}) },
			"JSON":     func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		} {
			var b bytes.Buffer
			secrets := &secret.Registry{}
			l := slog.New(Screen(inner(&b), secrets)).With("first", canary) // nobody knows yet
			secrets.Note("red", secret.New(canary))
			secrets.Note("", secret.New("987654321"))
			log(l)
			if got := b.String(); strings.Contains(got, canary) || strings.Contains(got, digits) || strings.Contains(got, "987654321") || strings.Count(got, secret.Redacted) < 2 {
				t.Errorf("%s of %s printed %q", form, name, got)
			}
		}
	}
}

// Who acts for a team has the secrets of that team taken out, and those of others stay: they may be ordinary words there.
func TestScreen_ByTeam(t *testing.T) {
	t.Parallel()
	secrets := &secret.Registry{}
	secrets.Note("red", secret.New("secret of red"))
	secrets.Note("blue", secret.New("secret of blue"))
	for team, want := range map[string]string{
		"red": secret.Redacted + " secret of blue", "blue": "secret of red " + secret.Redacted, "": secret.Redacted + " " + secret.Redacted, "green": "secret of red secret of blue",
	} {
		var b bytes.Buffer
		ctx := access.WithActing(t.Context(), access.Acting{Team: team})
		slog.New(Screen(NewHandler(&b, Options{}), secrets)).InfoContext(ctx, "secret of red secret of blue")
		if !strings.Contains(b.String(), `"`+want+`"`) {
			t.Errorf("for %q printed %s, want %q", team, b.String(), want)
		}
	}
}

// What holds no secret is printed as without the screen, and without secrets the screen costs nothing.
func TestScreen_LeavesTheRest(t *testing.T) {
	secrets := &secret.Registry{}
	var screened, plain bytes.Buffer
	at := time.Unix(1_700_000_000, 0)
	for range 2 {
		for _, h := range []slog.Handler{Screen(NewHandler(&screened, Options{}), secrets), NewHandler(&plain, Options{})} {
			h = h.WithAttrs([]slog.Attr{slog.String("a", "b")}).WithGroup("g").WithAttrs([]slog.Attr{slog.Int("n", 1)})
			r := slog.NewRecord(at, slog.LevelWarn, "a message", 0)
			r.Add("d", time.Second, "t", at, "b", true, "f", 1.5, "u", uint64(7), "v", value.Obj(value.M("x", value.OfInt(1))), "e", errors.New("broken"), slog.Group("in", "s", "t"))
			if err := h.Handle(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		secrets.Note("red", secret.New(canary))
	}
	if screened.String() != plain.String() || plain.Len() == 0 {
		t.Errorf("screened\n%s\nplain\n%s", screened.String(), plain.String())
	}
	empty, bare := slog.New(Screen(slog.DiscardHandler, &secret.Registry{})), slog.New(slog.DiscardHandler)
	if a, b := testing.AllocsPerRun(50, func() { empty.Info("m", "a", "b") }), testing.AllocsPerRun(50, func() { bare.Info("m", "a", "b") }); a > b {
		t.Errorf("%v allocations with an empty registry, %v without a screen", a, b)
	}
	if Screen(NewHandler(&plain, Options{}), nil).Enabled(t.Context(), slog.LevelDebug) {
		t.Error("Enabled is not that of the handler behind")
	}
}

// The screen keeps the rules of package slog, with and without secrets.
func TestScreen_Slog(t *testing.T) {
	t.Parallel()
	for _, noted := range []bool{false, true} {
		secrets := &secret.Registry{}
		if noted {
			secrets.Note("", secret.New(canary))
		}
		var b bytes.Buffer
		slogtest.Run(t, func(*testing.T) slog.Handler { b.Reset(); return Screen(slog.NewJSONHandler(&b, nil), secrets) }, func(t *testing.T) map[string]any {
			v, err := value.Parse(strings.TrimSuffix(b.String(), "\n"))
			if err != nil {
				t.Fatal(err)
			}
			return tree(v)
		})
	}
}

func tree(v value.Value) map[string]any {
	out := map[string]any{}
	for _, m := range v.Members() {
		if m.Value.IsObject() {
			out[m.Key] = tree(m.Value)
		} else {
			out[m.Key] = m.Value.Plain()
		}
	}
	return out
}

// recorder is a connector that keeps the last record.
type recorder struct{ last Record }

func (r *recorder) Write(_ context.Context, _ access.Grant[access.Write], _ string, rec Record) (string, error) {
	r.last = rec
	return "id", nil
}

func (*recorder) Count(context.Context, access.Grant[access.Write], int) error { return nil }

// TestT32_RecordsByValue: records hold no secret of the team in any field, also where nothing names it as one.
func TestT32_RecordsByValue(t *testing.T) {
	t.Parallel()
	agent, err := access.Agent("a1")
	if err != nil {
		t.Fatal(err)
	}
	secrets := &secret.Registry{}
	secrets.Note("red", secret.New(canary))
	conn := &recorder{}
	s := New(connector.Env{Secrets: secrets}, connector.Instances[Connector]{Default: "x", ByID: map[string]Connector{"x": conn}})
	planted := value.Obj(value.M("text", value.Of("a "+canary)), value.M(canary, value.List(value.Of(hex.EncodeToString([]byte(canary))))))
	r := Record{
		Source: canary, Component: canary, Name: canary, Domain: canary, Workflow: canary, Process: canary, Session: canary, Tags: canary,
		Input: planted, Output: planted, Result: planted, Error: canary,
	}
	for name, ctx := range map[string]context.Context{
		"run":          access.WithActing(t.Context(), access.Acting{Candidate: agent, Team: "red"}),
		"no run":       t.Context(),
		"another acts": access.WithActing(t.Context(), access.Acting{Candidate: access.Public(), Team: "blue"}),
	} {
		if _, err := s.For(agent).Log(ctx, r); err != nil {
			t.Fatal(err)
		}
		l := conn.last
		all := strings.Join([]string{l.Source, l.Component, l.Name, l.Domain, l.Workflow, l.Process, l.Session, l.Tags, l.Error, l.Input.JSON(), l.Output.JSON(), l.Result.JSON()}, " ")
		if strings.Contains(all, canary) || strings.Contains(all, hex.EncodeToString([]byte(canary))) || strings.Count(all, secret.Redacted) != 18 {
			t.Errorf("%s: the connector was given %s", name, all)
		}
	}
}

func BenchmarkScreen(b *testing.B) {
	full := &secret.Registry{}
	for i := range 100 {
		full.Note("red", secret.New(fmt.Sprintf("sk-secret-number-%d", i)))
	}
	for name, secrets := range map[string]*secret.Registry{"none": {}, "100 secrets": full} {
		b.Run(name, func(b *testing.B) {
			l := slog.New(Screen(NewHandler(discard{}, Options{}), secrets)).With("connector", "x")
			b.ReportAllocs()
			for b.Loop() {
				l.Info("call", "agent", "a1", "component", "c1", "step", 3, "took", time.Millisecond)
			}
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
