// Package kernel boots the services of a runtime and shuts them down.
//
// It knows no service and no connector: it sees their kinds and definitions. It
// reads the layers of configuration, opens what they name in the order that the
// kinds' requirements give, keeps a report of how long each step took, and closes
// everything in reverse. A failure on the way closes what was opened. There is
// no global state: several kernels live side by side in one process.
package kernel

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// Set is what a program is linked with.
type Set struct {
	Kinds      []connector.AnyKind
	Connectors []connector.Definition
}

// Options are what a kernel works with. All but Config, Dial, Ask, Secrets and Record are required.
type Options struct {
	Config  Config
	Dir     string // data folder of the runtime
	Log     *slog.Logger
	HTTP    *http.Client
	Effects effect.Source
	Events  *event.Bus
	Getenv  func(string) string
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
	Ask     func(ctx context.Context, question string) (secret.Value, error) // at the terminal; nil for nobody
	Secrets *secret.Registry
	Record  func(context.Context, access.Decision) error // into the audit; nil for none
	// Prepare readies the agent runtime over the services: the last phase of the boot. Nil for none.
	Prepare func(context.Context, *connector.Services) error
}

// Kernel is a booted set of services. It is safe for concurrent use.
type Kernel struct {
	services *connector.Services
	report   Report
	now      func() time.Time
	log      *slog.Logger
	http     *http.Client

	closing sync.Mutex // held by Close, so that a second one waits for the first
	mu      sync.Mutex
	opened  []opened // in boot order; none once closed
}

// opened is something that may have to be checked and closed.
type opened struct {
	name string // "Storage/LocalStorage"
	part any
}

// Start boots the services. On failure everything that was opened is closed again.
func Start(ctx context.Context, set Set, o Options) (*Kernel, error) {
	k := &Kernel{services: connector.NewServices(), now: o.Effects.Now, log: o.Log, http: o.HTTP}
	b := booter{Kernel: k, set: set, Options: o, definitions: map[string]map[string]connector.Definition{}}
	if err := b.boot(ctx); err != nil {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), unwindTime)
		defer cancel()
		if failed := k.Close(closing); failed != nil {
			err = errors.Join(err, failed)
		}
		return nil, err // as it is: joined with nothing it would lose its code
	}
	return k, nil
}

// unwindTime bounds the closing of what was opened before a failed start.
const unwindTime = 10 * time.Second

// Services returns the booted services.
func (k *Kernel) Services() *connector.Services { return k.services }

// Report returns how the boot went.
func (k *Kernel) Report() Report { return k.report }

// Health asks everything that can tell for its health, all at once, and returns the answers by name, nil for healthy.
// What has not answered when ctx ends is ill.
func (k *Kernel) Health(ctx context.Context) map[string]error {
	k.mu.Lock()
	parts := slices.Clone(k.opened)
	k.mu.Unlock()
	health := map[string]error{}
	var mu sync.Mutex
	var checks sync.WaitGroup
	for _, o := range parts {
		if c, ok := o.part.(connector.Checker); ok {
			checks.Go(func() {
				err := k.within(ctx, o.name, c.Check)
				mu.Lock()
				defer mu.Unlock()
				health[o.name] = err
			})
		}
	}
	checks.Wait()
	return health
}

// Close closes everything in reverse boot order, and the idle connections of the HTTP client. When ctx ends, what is
// left is still told to close, and left behind when it does not within a second. A second Close does nothing.
func (k *Kernel) Close(ctx context.Context) error {
	k.closing.Lock()
	defer k.closing.Unlock()
	k.mu.Lock()
	parts := k.opened
	k.opened = nil
	k.mu.Unlock()
	var errs []error
	for _, o := range slices.Backward(parts) {
		c, ok := o.part.(connector.Closer)
		if !ok {
			continue
		}
		if err := k.within(ctx, o.name, c.Close); err != nil {
			errs = append(errs, &fault.Error{Op: "kernel.close", Resource: o.name, Kind: fault.KindOf(err), Err: err})
		}
	}
	if k.http != nil {
		k.http.CloseIdleConnections()
	}
	return errors.Join(errs...)
}

// add notes what was opened, for Health and Close.
func (k *Kernel) add(name string, part any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.opened = append(k.opened, opened{name, part})
}

// env returns what a part of the kind is given.
func (b *booter) env(kind connector.AnyKind, name string) connector.Env {
	return connector.Env{
		Log: b.Log.With("connector", name), HTTP: b.HTTP, Dir: b.Dir, Effects: b.Effects, Events: b.Events,
		Services: b.services.Only(kind.Needs()), Getenv: b.Getenv,
		Dial: b.Dial, Ask: b.Ask, Secrets: b.Secrets, Record: b.Record, Limits: b.Config.Limits,
	}
}

// noSettings are the settings of an instance that was given none.
func noSettings(v value.Value) value.Value {
	if v.IsNil() {
		return value.Obj()
	}
	return v
}
