package kernel

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/value"
)

// The four phases of a boot.
const (
	PhaseCore      = "core services"
	PhaseRegister  = "subsystem registration"
	PhaseConnect   = "connector setup"
	PhaseReadiness = "agent runtime preparation"
)

// booter is a kernel on its way up.
type booter struct {
	*Kernel
	Options
	set         Set
	definitions map[string]map[string]connector.Definition // by kind and name
	order       []connector.AnyKind
}

func (b *booter) boot(ctx context.Context) error {
	if err := b.phase(PhaseCore, b.core); err != nil {
		return err
	}
	if err := b.phase(PhaseRegister, b.register); err != nil {
		return err
	}
	if err := b.phase(PhaseConnect, func() error { return b.connect(ctx) }); err != nil {
		return err
	}
	return b.phase(PhaseReadiness, func() error {
		if b.Prepare == nil {
			return nil
		}
		return b.step("agents", "", func() error { return b.Prepare(ctx, b.services) })
	})
}

// core checks what everything else stands on: the configuration against what the program is linked with.
func (b *booter) core() error {
	return b.step("configuration", strings.Join(b.Config.Origins, ", "), func() error {
		for _, d := range b.set.Connectors {
			kind := d.Kind.KindName()
			if b.definitions[kind] == nil {
				b.definitions[kind] = map[string]connector.Definition{}
			}
			if _, twice := b.definitions[kind][d.Name]; twice {
				return fault.Newf(fault.Internal, "the program has two connectors of %s with the name %s", kind, d.Name)
			}
			b.definitions[kind][d.Name] = d
		}
		return b.checkAll()
	})
}

// checkAll reports every fault of the configuration at once.
func (b *booter) checkAll() error {
	var errs []error
	kinds := map[string]bool{}
	for _, k := range b.set.Kinds {
		known(kinds, k)
	}
	for name, instances := range b.Config.Services {
		if !kinds[name] {
			errs = append(errs, wrong(instances, schema.UnknownName("service", name, keys(kinds))))
			continue
		}
		for _, in := range instances {
			def, ok := b.definitions[name][in.Connector]
			if !ok {
				errs = append(errs, wrong(instances, schema.UnknownName("connector of "+name, in.Connector, keys(b.definitions[name]))))
				continue
			}
			if err := def.Check(noSettings(in.Settings)); err != nil {
				errs = append(errs, &fault.Error{Op: "config", Resource: name + "/" + in.Connector + " in " + in.Origin, Kind: fault.Invalid, Err: err})
			}
		}
	}
	return errors.Join(errs...)
}

// known adds the names of a kind and of all it requires, directly or not.
func known(names map[string]bool, k connector.AnyKind) {
	if names[k.KindName()] {
		return
	}
	names[k.KindName()] = true
	for _, need := range k.Needs() {
		known(names, need)
	}
}

func wrong(instances []Instance, err error) error {
	where := ""
	if len(instances) > 0 {
		where = instances[0].Origin
	}
	return &fault.Error{Op: "config", Resource: where, Kind: fault.Invalid, Err: err}
}

func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

// register puts the kinds in an order in which each follows what it requires.
func (b *booter) register() error {
	const (
		unseen = iota
		open
		done
	)
	state := map[string]int{}
	var path []string
	var visit func(k connector.AnyKind) error
	visit = func(k connector.AnyKind) error {
		name := k.KindName()
		switch state[name] {
		case done:
			if !slices.Contains(b.order, k) {
				return fault.Newf(fault.Internal, "the program has two services with the name %s", name)
			}
			return nil
		case open:
			return fault.Newf(fault.Internal, "services require each other in a circle: %s", strings.Join(append(path, name), " → "))
		}
		state[name] = open
		path = append(path, name)
		for _, need := range k.Needs() {
			if err := visit(need); err != nil {
				return err
			}
		}
		path = path[:len(path)-1]
		state[name] = done
		b.order = append(b.order, k)
		return b.step(k.KindSubsystem()+"/"+name, requires(k), func() error { return nil })
	}
	for _, k := range b.set.Kinds {
		if err := visit(k); err != nil {
			return err
		}
	}
	return nil
}

func requires(k connector.AnyKind) string {
	var names []string
	for _, n := range k.Needs() {
		names = append(names, n.KindName())
	}
	if names == nil {
		return ""
	}
	return "requires " + strings.Join(names, ", ")
}

// connect opens the configured connectors, builds each service over its own, and then starts what works in the
// background.
func (b *booter) connect(ctx context.Context) error {
	for _, kind := range b.order {
		if err := b.service(ctx, kind); err != nil {
			return err
		}
	}
	for _, o := range b.opened {
		s, ok := o.part.(connector.Starter)
		if !ok {
			continue
		}
		start := func() error { return protect(b.Log, o.name, func() error { return s.Start(ctx) }) }
		if err := b.step("start "+o.name, "", start); err != nil {
			return &fault.Error{Op: "kernel.start", Resource: o.name, Kind: fault.KindOf(err), Err: err}
		}
	}
	return nil
}

// service opens the connectors of one service and builds it. A service without any is left out.
func (b *booter) service(ctx context.Context, kind connector.AnyKind) error {
	name := kind.KindName()
	instances := b.Config.Services[name]
	if len(instances) == 0 {
		return nil
	}
	var open []connector.Opened
	def := ""
	for _, in := range instances {
		full := name + "/" + in.ID
		err := b.step(full, in.describe(), func() error {
			var c any
			err := protect(b.Log, full, func() (err error) {
				c, err = b.definitions[name][in.Connector].Open(ctx, b.env(kind, full), noSettings(in.Settings))
				return err
			})
			if err != nil {
				return b.lacking(kind, &fault.Error{Op: "kernel.open", Resource: full, Kind: fault.KindOf(err), Err: err})
			}
			b.add(full, c)
			open = append(open, connector.Opened{ID: in.ID, Connector: c})
			return nil
		})
		if err != nil {
			return err
		}
		if in.Default {
			def = in.ID
		}
	}
	var built any
	err := protect(b.Log, name, func() (err error) {
		built, err = connector.Build(kind, b.env(kind, name), def, open, b.opener(ctx, kind, instances))
		return err
	})
	if err != nil {
		return b.lacking(kind, &fault.Error{Op: "kernel.build", Resource: name, Kind: fault.KindOf(err), Err: err})
	}
	b.services.Put(kind, built)
	b.add(name, built)
	return nil
}

// lacking adds to an error of a service which of the services it requires are not there: that is mostly why.
func (b *booter) lacking(kind connector.AnyKind, err error) error {
	var names []string
	for _, need := range kind.Needs() {
		if len(b.Config.Services[need.KindName()]) == 0 {
			names = append(names, need.KindName())
		}
	}
	if names == nil {
		return err
	}
	return fault.Hint(err, "%s requires %s; configure a connector for each", kind.KindName(), strings.Join(names, ", "))
}

// opener opens a connector like a configured one, with settings of a single call laid over its own.
func (b *booter) opener(ctx context.Context, kind connector.AnyKind, instances []Instance) connector.Opener {
	ctx = context.WithoutCancel(ctx)
	env := b.env(kind, kind.KindName())
	return func(id string, settings value.Value) (any, error) {
		for _, in := range instances {
			if in.ID == id {
				merged := noSettings(in.Settings)
				for _, m := range settings.Members() {
					merged = merged.With(m.Key, m.Value)
				}
				return b.definitions[kind.KindName()][in.Connector].Open(ctx, env, merged)
			}
		}
		return nil, fault.Newf(fault.NotFound, "%s has no instance %q", kind.KindName(), id)
	}
}
