package logsink

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// write logs with a handler of options and returns what was printed.
func write(o Options, log func(*slog.Logger)) string {
	var b bytes.Buffer
	log(slog.New(NewHandler(&b, o)))
	return b.String()
}

func TestMachines(t *testing.T) {
	t.Parallel()
	got := write(Options{}, func(l *slog.Logger) {
		l.With("connector", "Storage").WithGroup("g").Warn("a message", "n", 1, "f", 1.5, "u", uint64(2), "b", true, "d", time.Second, "e", errors.New("broken"),
			"t", time.Unix(0, 0), "v", value.Obj(value.M("apiKey", value.Of("canary")), value.M("x", value.OfInt(1))), slog.Group("in", "s", "t"), "k", secret.New("canary"))
	})
	v, err := value.Parse(strings.TrimSuffix(got, "\n"))
	if err != nil {
		t.Fatalf("%q: %v", got, err)
	}
	if at, err := time.Parse(time.RFC3339, v.GetString("time")); err != nil || at.IsZero() {
		t.Errorf("time is %q", v.GetString("time"))
	}
	const want = `{"level":"WARN","msg":"a message","connector":"Storage","g.n":1,"g.f":1.5,"g.u":2,"g.b":true,"g.d":"1s","g.e":"broken","g.t":"1970-01-01T00:00:00.000Z","g.v":{"apiKey":"[REDACTED]","x":1},"g.in.s":"t","g.k":"[REDACTED]"}`
	if got := v.Without("time").JSON(); got != want {
		t.Errorf("line is\n%s, want\n%s", got, want)
	}
}

func TestPeople(t *testing.T) {
	t.Parallel()
	log := func(l *slog.Logger) {
		l.Error("it\x1b[2J failed", "a", "two words", "b", "", "c", 1, "d", "line\nbreak", "password", "canary", "e", "x=y", "z", "ok")
	}
	got := write(Options{People: true}, log)
	_, got, _ = strings.Cut(got, " ")
	if want := "ERROR it\uFFFD[2J failed a=\"two words\" b=\"\" c=1 d=\"line\\nbreak\" password=[REDACTED] e=\"x=y\" z=ok\n"; got != want {
		t.Errorf("line is %q, want %q", got, want)
	}
	coloured := write(Options{People: true, Colour: true}, log)
	if !strings.Contains(coloured, red+"ERROR"+reset) || strings.Contains(coloured, "\x1b[2J") {
		t.Errorf("coloured line is %q", coloured)
	}
	for level, colour := range map[slog.Level]string{slog.LevelDebug: blue, slog.LevelInfo: green, slog.LevelWarn: yellow, slog.LevelError: red} {
		if got := colourOf(level); got != colour {
			t.Errorf("colour of %s is %q, want %q", level, got, colour)
		}
	}
}

func TestLevelAndFilter(t *testing.T) {
	t.Parallel()
	all := func(l *slog.Logger) {
		for _, l := range []*slog.Logger{l, l.With("connector", "Storage/Local"), l.With("module", "Vault")} {
			l.Debug("d")
			l.Info("i")
		}
	}
	for _, test := range []struct {
		name string
		o    Options
		want int
	}{
		{"default", Options{}, 3}, {"debug", Options{Level: slog.LevelDebug}, 6}, {"none", Options{Level: slog.Level(100)}, 0},
		{"one", Options{Filter: []string{"storage"}}, 2}, {"other", Options{Filter: []string{"x"}}, 1}, {"both", Options{Filter: []string{"vault", "local"}}, 3},
	} {
		if got := strings.Count(write(test.o, all), "\n"); got != test.want {
			t.Errorf("%s: %d lines, want %d", test.name, got, test.want)
		}
	}
}

// Long lines are cut in both forms, and stay what they are.
func TestCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä\n", 100_000)
	for name, log := range map[string]func(*slog.Logger){
		"message": func(l *slog.Logger) { l.Info(long) },
		"value":   func(l *slog.Logger) { l.Info("m", "a", long, "b", 1) },
		"name":    func(l *slog.Logger) { l.Info("m", long, 1) },
		"many": func(l *slog.Logger) {
			for range 1000 {
				l = l.With("a", strings.Repeat("x", 100))
			}
			l.Info("m")
		},
		"JSON": func(l *slog.Logger) { l.Info("m", "v", value.Obj(value.M("a", value.Of(long)))) },
	} {
		for _, o := range []Options{{Line: 1000}, {}, {Line: 1000, People: true}, {People: true, Colour: true}} {
			most := o.Line
			if most == 0 {
				most = 16 << 10
			}
			got := strings.TrimSuffix(write(o, log), "\n")
			if len(got) > most+len(reset) || strings.Contains(got, "\n") {
				t.Errorf("%s: line of %d bytes, want at most %d", name, len(got), most)
			}
			if !o.People {
				if _, err := value.Parse(got); err != nil {
					t.Errorf("%s: %v in %.100q", name, err, got)
				}
			}
		}
	}
	for in, want := range map[string]string{"abcdef": "abcdef", "abcdefg": "abc...", "äöü!": "ä...", "": ""} {
		if got := cut(in, 6); got != want {
			t.Errorf("cut(%q) = %q, want %q", in, got, want)
		}
	}
}

// The machine form keeps the rules of package slog.
func TestSlog(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	err := slogtest.TestHandler(NewHandler(&b, Options{}), func() []map[string]any {
		var out []map[string]any
		for line := range strings.Lines(b.String()) {
			v, err := value.Parse(strings.TrimSuffix(line, "\n"))
			if err != nil {
				t.Fatal(err)
			}
			m := map[string]any{}
			for _, member := range v.Members() {
				at := m
				path := strings.Split(member.Key, ".")
				for _, p := range path[:len(path)-1] {
					if at[p] == nil {
						at[p] = map[string]any{}
					}
					at = at[p].(map[string]any)
				}
				at[path[len(path)-1]] = member.Value.Plain()
			}
			out = append(out, m)
		}
		return out
	})
	if err != nil {
		t.Error(err)
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestF19_Closed: a console that is gone is an error of the handler, and nothing more.
func TestF19_Closed(t *testing.T) {
	t.Parallel()
	h := NewHandler(closed{}, Options{})
	if err := h.Handle(t.Context(), slog.Record{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Handle = %v, want the error of the console", err)
	}
	slog.New(h).Info("nobody hears this")
}

func FuzzLine(f *testing.F) {
	f.Add("message", "name", "text")
	f.Add("\x1b[2J", "a\nb", "\xff\u2028\u202e")
	f.Fuzz(func(t *testing.T, message, name, text string) {
		for _, o := range []Options{{}, {People: true}, {Line: 100}, {Line: 10, People: true}} {
			got := write(o, func(l *slog.Logger) { l.Info(message, name, text) })
			line, ok := strings.CutSuffix(got, "\n")
			if !ok || strings.ContainsAny(line, "\n\r\x1b\x00\u2028") {
				t.Errorf("%+v: %q %q %q printed %q", o, message, name, text, got)
			}
			if _, err := value.Parse(line); !o.People && err != nil {
				t.Errorf("%+v: %q: %v", o, line, err)
			}
		}
	})
}

func BenchmarkHandler(b *testing.B) {
	for name, o := range map[string]Options{"people": {People: true, Colour: true}, "machines": {}} {
		b.Run(name, func(b *testing.B) {
			l := slog.New(NewHandler(io.Discard, o))
			b.ReportAllocs()
			for b.Loop() {
				l.Info("call", "agent", "a1", "component", "c1", "step", 3, "took", time.Millisecond)
			}
		})
	}
}
