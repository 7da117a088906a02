package consolelog

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/subsystem/observe/logsink"
	"github.com/sre-go/sre/subsystem/observe/logsink/logsinktest"
	"github.com/sre-go/sre/value"
)

// buffer is a console that many write to.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]logsink.Options{"people": {Level: slog.LevelDebug, People: true}, "machines": {Level: slog.LevelDebug}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			logsinktest.Run(t, Definition, func() logsinktest.Subject {
				out := &buffer{}
				return logsinktest.Subject{
					Settings: value.Obj(value.M("audit", value.OfBool(false))), Log: slog.New(logsink.NewHandler(out, o)),
					Written: func(*testing.T, connector.Env) string { return out.String() },
				}
			})
		})
	}
}

func start(t *testing.T, level slog.Level, settings string) (*console, *buffer, *event.Bus) {
	t.Helper()
	out := &buffer{}
	env := connector.Env{Log: slog.New(logsink.NewHandler(out, logsink.Options{Level: level, People: true})), Effects: effect.System{}, Events: &event.Bus{}}
	v, err := value.Parse(settings)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := Definition.Open(t.Context(), env, v)
	if err != nil {
		t.Fatal(err)
	}
	c := conn.(*console)
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c, out, env.Events
}

// What is refused is told once as a warning, until the connector is closed; what is allowed is not told.
func TestAudit(t *testing.T) {
	t.Parallel()
	agent, err := access.Agent("a1")
	if err != nil {
		t.Fatal(err)
	}
	c, out, bus := start(t, slog.LevelInfo, `{}`)
	event.Publish(t.Context(), bus, access.Decision{Candidate: agent, Operation: "storage.read", Resource: "x", Rule: access.ByExact, Allowed: true})
	event.Publish(t.Context(), bus, access.Decision{Candidate: agent, Operation: "storage.read", Resource: "a\nb", Rule: access.NoACL})
	event.Publish(t.Context(), bus, access.Decision{Operation: "egress", Resource: "http://127.0.0.1", Rule: "loopback"})
	for range 2 {
		if err := c.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	event.Publish(t.Context(), bus, access.Decision{Candidate: agent, Operation: "late"})
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `WARN  access denied operation=storage.read resource="a\nb" rule=no-acl candidate=agent:a1`) || !strings.Contains(lines[1], "operation=egress") {
		t.Errorf("lines are %q, want the two refusals", lines)
	}
	c, out, bus = start(t, slog.LevelInfo, `{"audit":false}`)
	event.Publish(t.Context(), bus, access.Decision{Operation: "egress"})
	if err := c.Close(context.Background()); err != nil || out.String() != "" {
		t.Errorf("without audit: %v, %q", err, out.String())
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		level    slog.Level
		settings string
		shown    bool
	}{{slog.LevelInfo, `{}`, false}, {slog.LevelDebug, `{}`, true}, {slog.LevelInfo, `{"level":"info"}`, true}} {
		c, out, _ := start(t, test.level, test.settings)
		agent, err := access.Agent("a1")
		if err != nil {
			t.Fatal(err)
		}
		s := logsink.New(connector.Env{}, connector.Instances[logsink.Connector]{Default: "x", ByID: map[string]logsink.Connector{"x": c}})
		id, err := s.For(agent).Log(t.Context(), logsink.Record{Name: "n"})
		if err != nil || id == "" || (out.String() != "") != test.shown {
			t.Errorf("%s with %s: %q, %v wrote %q, want shown %v", test.level, test.settings, id, err, out.String(), test.shown)
		}
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	c := &console{settings: Settings{Preview: 3}}
	for text, want := range map[string]string{"": "", "abc": "abc", "abcd": "abc...", "äöüß": "äöü...", "äöü": "äöü"} {
		if got := c.preview(value.Of(text)); got != want {
			t.Errorf("preview(%q) = %q, want %q", text, got, want)
		}
	}
}
