package connector

import (
	"context"
	"log/slog"
	"net"
	"net/http"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// Env is what a connector or a service is given by the runtime that opens it.
type Env struct {
	// Log is named after the connector.
	Log *slog.Logger
	// HTTP is the only way out: it applies the egress policy to every hop. Connectors make no client of their own.
	HTTP *http.Client
	// Dir is the data folder of the runtime (".smyth"). Connectors that keep files open a root below it.
	Dir string
	// Effects is the source of time, ids and randomness.
	Effects effect.Source
	// Events carries notices inside the runtime.
	Events *event.Bus
	// Services holds the services that the kind requires, and no others.
	Services *Services
	// Dial opens a TCP connection to an address of the configuration, through the same door; nil when there is no way
	// out. It is for connectors with a protocol of their own.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Ask shows a question to whoever sits at the terminal and reads the answer without showing it; nil when nobody does.
	Ask func(ctx context.Context, question string) (secret.Value, error)
	// Secrets remembers what was handed out, so that it can be taken out of what leaves the runtime. It may be nil.
	Secrets *secret.Registry
	// Record writes one decision into the audit and returns when it is kept: use [Env.Audit]. Nil when there is no audit.
	Record func(context.Context, access.Decision) error
	// Limits are those of the runtime; the zero Limits stand for the defaults: use [Env.Bounds].
	Limits limits.Limits
	// Getenv reads a variable of the environment, "" when it is not set. Nil means that there is no environment:
	// use [Env.Variable]. Only what the operator wrote may name a variable.
	Getenv func(name string) string
}

// Variable returns a variable of the environment, "" when it is not set or there is no environment.
func (e Env) Variable(name string) string {
	if e.Getenv == nil {
		return ""
	}
	return e.Getenv(name)
}

// Audit records a decision before what was decided is done. Without an audit it fails with the code AUDIT_UNAVAILABLE,
// and so does what must not be done unseen.
func (e Env) Audit(ctx context.Context, d access.Decision) error {
	err := fault.Newf(fault.Unavailable, "there is no audit")
	if e.Record != nil {
		d.Run = access.ActingOf(ctx).Run
		err = e.Record(ctx, d)
	}
	if err == nil {
		return nil
	}
	return &fault.Error{
		Op: "audit.record", Kind: fault.Unavailable, Code: "AUDIT_UNAVAILABLE", Err: err,
		Hint: "what is recorded before it is done waits until the audit works again; see `sre doctor`",
	}
}

// Bounds returns the limits of the runtime, the defaults when it was given none.
func (e Env) Bounds() limits.Limits {
	if e.Limits == (limits.Limits{}) {
		return limits.Default()
	}
	return e.Limits
}

// Definition is one connector that a program can be configured with.
type Definition struct {
	Kind     AnyKind
	Name     string // as in configuration: "LocalStorage"
	Summary  string // one sentence
	Doc      string // Markdown, for the reference page
	Settings schema.Object
	open     func(context.Context, Env, value.Value) (any, error)
}

// Define describes a connector with settings of type T. open must be quick and do no network traffic;
// what takes time belongs in [Starter].
func Define[C, S, T any](k *Kind[C, S], name, summary string, open func(context.Context, Env, T) (C, error)) Definition {
	settings := schema.For[T]()
	return Definition{
		Kind: k, Name: name, Summary: summary, Settings: settings,
		open: func(ctx context.Context, env Env, raw value.Value) (any, error) {
			t, err := schema.Decode[T](settings, raw)
			if err != nil {
				return nil, err
			}
			return open(ctx, env, t)
		},
	}
}

// WithDoc returns the definition with its reference text.
func (d Definition) WithDoc(doc string) Definition {
	d.Doc = doc
	return d
}

// Check validates settings strictly: unknown names are refused with the nearest known one.
func (d Definition) Check(settings value.Value) error {
	return d.Settings.CheckStrict(settings)
}

// Open checks the settings and opens a connector.
func (d Definition) Open(ctx context.Context, env Env, settings value.Value) (any, error) {
	if err := d.Check(settings); err != nil {
		return nil, &fault.Error{Op: "connector.open", Connector: d.Name, Kind: fault.Invalid, Err: err}
	}
	return d.open(ctx, env, settings)
}

// Starter is implemented by connectors and services with background work. Start returns once it is running;
// it is called after every connector was opened, in boot order.
type Starter interface {
	Start(ctx context.Context) error
}

// Closer is implemented by connectors and services that hold something. Close waits for their background work;
// it is called in reverse boot order, also after a failed Start, and at most once.
type Closer interface {
	Close(ctx context.Context) error
}

// Checker is implemented by connectors that can tell whether they are healthy; for readiness and `sre doctor`.
type Checker interface {
	Check(ctx context.Context) error
}

// Services holds built services by kind.
type Services struct {
	byName map[string]any
}

// NewServices returns an empty set.
func NewServices() *Services { return &Services{byName: make(map[string]any)} }

// Put adds the service of a kind; for the kernel and for test suites.
func (s *Services) Put(k AnyKind, service any) { s.byName[k.KindName()] = service }

// Only returns the subset of the kinds.
func (s *Services) Only(kinds []AnyKind) *Services {
	out := NewServices()
	for _, k := range kinds {
		if svc, ok := s.byName[k.KindName()]; ok {
			out.byName[k.KindName()] = svc
		}
	}
	return out
}

// Service returns the service of a kind. It panics when the kind was not required: that is a bug in a definition.
func Service[C, S any](s *Services, k *Kind[C, S]) S {
	svc, ok := Find(s, k)
	if !ok {
		panic("connector: service " + k.Name + " was used without being required")
	}
	return svc
}

// Find returns the service of a kind, false when it is not there.
func Find[C, S any](s *Services, k *Kind[C, S]) (S, bool) {
	var zero S
	if s == nil {
		return zero, false
	}
	svc, ok := s.byName[k.Name].(S)
	return svc, ok
}
