// Package sre runs AI agents: it is the Go SDK of the Smyth Runtime Environment.
//
// A [Runtime] is a booted kernel with its services and the agents loaded into it.
// Agents are .smyth files; each request they answer is a run of its own. What a
// runtime can do is decided by the [Set] it is started with: package bundle/std
// holds everything, bundle/minimal what the standard library can do.
//
//	rt, err := sre.Start(ctx, std.Set())
//	if err != nil { ... }
//	defer rt.Close(ctx)
//	agent, err := rt.LoadFile(ctx, "hello.smyth")
//	if err != nil { ... }
//	answer, err := agent.Call(ctx, "greet", value.Obj(value.M("name", value.Of("Ada"))))
//
// There is no global state: several runtimes live side by side in one process.
package sre

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/internal/agent"
	"github.com/sre-go/sre/internal/audit"
	"github.com/sre-go/sre/internal/chats"
	"github.com/sre-go/sre/internal/egress"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/internal/hop"
	"github.com/sre-go/sre/internal/kernel"
	"github.com/sre-go/sre/internal/ledger"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/mcpclient"
	"github.com/sre-go/sre/internal/tokens"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/agent/scheduler"
	"github.com/sre-go/sre/subsystem/observe/logsink"
)

// Set is what a program is linked with. Sets are plain values: compose them with [Set.With].
type Set struct {
	Kinds      []connector.AnyKind
	Connectors []connector.Definition
	Components []component.Definition
}

// With returns the set and what more adds to it.
func (s Set) With(more Set) Set {
	return Set{
		Kinds:      append(slices.Clip(s.Kinds), more.Kinds...),
		Connectors: append(slices.Clip(s.Connectors), more.Connectors...),
		Components: append(slices.Clip(s.Components), more.Components...),
	}
}

// Runtime is a booted kernel with its agents. It is safe for concurrent use.
type Runtime struct {
	kernel *kernel.Kernel
	agents *agent.Manager
	config kernel.Config
	dir    string
	log    *slog.Logger
	http   *http.Client
	set    Set

	effects effect.Source
	secrets *secret.Registry // what was handed out, to be taken out of what leaves
	hops    *hop.Key         // signs requests that come back
	audit   *audit.Log       // nil when there is none
	tokens  tokens.Counter
	used    *ledger.Ledger // nil without a data folder
	chats   *chats.Store   // likewise
	budgets *budgets
	jobs    *scheduler.Service     // nil without the service
	runner  *scheduler.Runner      // of jobs
	mcp     map[string]mcpSettings // servers of the configuration, by name
	pins    *mcpclient.Pins

	unaudited bool // there is no audit and it is required: secrets are not handed out

	mu    sync.Mutex
	files map[string]string // path of a file -> id of the agent that it was loaded as
}

// Start reads the configuration, boots the services of set and readies the agent runtime. Close the runtime when it is
// no longer needed; ctx is for the start alone.
func Start(ctx context.Context, set Set, opts ...Option) (*Runtime, error) {
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	rt := &Runtime{set: set, effects: o.effects, secrets: &secret.Registry{}}
	o.log = slog.New(logsink.Screen(o.log.Handler(), rt.secrets))
	rt.log = o.log
	if err := o.locate(); err != nil {
		return nil, err
	}
	rt.dir = o.dir
	if rt.config, err = o.configuration(set); err != nil {
		return nil, err
	}
	if err := o.compatibility(rt.config.Compat); err != nil {
		return nil, err
	}
	if rt.mcp, err = mcpServers(rt.config.MCP.Value); err != nil {
		return nil, err
	}
	if rt.pins, err = mcpclient.NewPins(rt.dir, rt.effects.Now); err != nil {
		return nil, err
	}
	events := &event.Bus{}
	if err := rt.count(events); err != nil {
		return nil, err
	}
	record, err := rt.record(events)
	if err != nil {
		return nil, err
	}
	if rt.hops = hop.NewKey(rt.effects); rt.dir != "" {
		rt.hops = hop.FileKey(rt.dir, rt.effects)
	}
	if rt.http, err = o.client(rt.config, events, rt.hops); err != nil {
		return nil, err
	}
	rt.kernel, err = kernel.Start(ctx, kernel.Set{Kinds: set.Kinds, Connectors: set.Connectors}, kernel.Options{
		Config: rt.config, Dir: o.dir, Log: o.log, HTTP: rt.http, Effects: o.effects, Events: events, Getenv: o.getenv,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			return egress.Dial(ctx, rt.http, network, address)
		},
		Ask:     o.ask,
		Secrets: rt.secrets,
		Record:  record,
		Prepare: func(ctx context.Context, services *connector.Services) error {
			types, err := componentsOf(ctx, services, set.Components)
			rt.agents = agent.NewManager(rt.manager(o, services, types))
			return err
		},
	})
	if err != nil {
		return nil, errors.Join(err, rt.closeAudit(ctx))
	}
	rt.schedule(events)
	return rt, nil
}

// manager is the configuration of the process table over booted services.
func (rt *Runtime) manager(o *options, services *connector.Services, types []component.Definition) agent.Config {
	return agent.Config{
		Services: services, Components: types, Effects: o.effects, Limits: rt.config.Limits,
		Teams: teams(services), Secret: readSecret(services), Secrets: rt.secrets, Sessions: sessionStore(services), Find: rt.find, Converse: rt.converse, HTTP: rt.http,
		Bound: rt.budgets.bound, Tokens: rt.tokens.Count, Use: o.use(services, rt.config.Services["Log"]), Trace: o.trace, ComponentLogs: o.componentLogs, CountPerComponent: o.perComponent,
	}
}

// Close lets scheduled jobs end, ends the background jobs of the agents, then closes the services in reverse boot order.
// What has not closed when ctx ends is told to close at once.
func (rt *Runtime) Close(ctx context.Context) error {
	rt.EndJobs(ctx)
	err := errors.Join(rt.agents.Close(ctx), rt.kernel.Close(ctx))
	err = errors.Join(err, rt.pins.Close())
	if rt.used != nil {
		err = errors.Join(err, rt.used.Close(), rt.chats.Close())
	}
	return errors.Join(err, rt.hops.Close(), rt.closeAudit(ctx))
}

// Listening tells the runtime that its own agents are reached at a listener, and the names that it has there. Requests of
// agents to it are counted with the calls of agents between each other, so that none calls itself without end.
func (rt *Runtime) Listening(at net.Addr, hosts ...string) error {
	return egress.Own(rt.http, at, hosts...)
}

// Hops returns what servers in front of the agents check with how deep a request is.
func (rt *Runtime) Hops() *hop.Key { return rt.hops }

// count readies what models are used for to be kept and bounded, and conversations to be kept.
func (rt *Runtime) count(events *event.Bus) (err error) {
	if rt.dir != "" {
		if rt.used, err = ledger.New(rt.dir); err != nil {
			return err
		}
		rt.keepUsage(events)
		if rt.chats, err = chats.New(rt.dir, rt.effects); err != nil {
			return err
		}
	}
	rt.budgets, err = newBudgets(rt.config.Budgets.Value, rt.used, rt.effects)
	return err
}

// As returns every service bound to a candidate.
func (rt *Runtime) As(c access.Candidate) scope.Scope { return scope.New(rt.kernel.Services(), c) }

// Boot returns how the start went, phase by phase.
func (rt *Runtime) Boot() BootReport { return rt.kernel.Report() }

// BootReport says what a start did and how long it took.
type BootReport = kernel.Report

// Health asks every part that can tell for its health; nil is healthy.
func (rt *Runtime) Health(ctx context.Context) map[string]error {
	health := rt.kernel.Health(ctx)
	rt.checkAudit(ctx, health)
	health["MCP"] = rt.pins.Health(ctx)
	if rt.used != nil {
		health["Usage"], health["Chats"] = rt.used.Check(ctx), rt.chats.Check(ctx)
	}
	return health
}

// Log returns the log of the runtime: it takes what was read from vaults out of every line.
func (rt *Runtime) Log() *slog.Logger { return rt.log }

// Secrets returns what the runtime remembers of the secrets that it handed out. Servers and tools around it note their
// own, so that these are in no log and no answer either.
func (rt *Runtime) Secrets() *secret.Registry { return rt.secrets }

// Dir returns the data folder.
func (rt *Runtime) Dir() string { return rt.dir }

// Limits returns the limits of the runtime.
func (rt *Runtime) Limits() limits.Limits { return rt.config.Limits }

// Config returns the configuration after all its layers.
func (rt *Runtime) Config() kernel.Config { return rt.config }

// Manager returns the process table, for the servers of this module.
func (rt *Runtime) Manager() *agent.Manager { return rt.agents }

// Middleware is put around every component call, see [WithMiddleware].
type Middleware = engine.Middleware

// effects of the machine, unless a test gives others.
func systemEffects() effect.Source { return effect.System{} }
