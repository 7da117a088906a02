// Package connector says what a service's connector is and what it is given.
//
// A [Kind] is declared once for each service and fixes two types: the interface that
// connectors of the service implement, and the guarded service built over them.
// A [Definition] is declared once for each connector; from it come decoding and
// validation of its settings, its reference page and its place in listings. Both
// are plain values: nothing registers itself, a program chooses its set.
package connector

import (
	"fmt"
	"time"

	"github.com/sre-go/sre/value"
)

// Kind describes a service: C is what its connectors implement, S the guarded service that the runtime holds.
type Kind[C, S any] struct {
	// Name of the service in configuration: "Storage".
	Name string
	// Subsystem the service belongs to: "io". For listings and the boot report.
	Subsystem string
	// Summary is one sentence for listings.
	Summary string
	// Requires names the services that Build and the connectors may use. Boot order follows from it.
	Requires []AnyKind
	// Build makes the service over its opened connectors. It must not do I/O.
	Build func(Env, Instances[C]) (S, error)
}

// AnyKind is a Kind without its type arguments. Only *Kind implements it.
type AnyKind interface {
	KindName() string
	KindSubsystem() string
	KindSummary() string
	Needs() []AnyKind
	build(env Env, in erased) (any, error)
}

// KindName returns the name.
func (k *Kind[C, S]) KindName() string { return k.Name }

// KindSubsystem returns the subsystem.
func (k *Kind[C, S]) KindSubsystem() string { return k.Subsystem }

// KindSummary returns the summary.
func (k *Kind[C, S]) KindSummary() string { return k.Summary }

// Needs returns what the kind requires.
func (k *Kind[C, S]) Needs() []AnyKind { return k.Requires }

func (k *Kind[C, S]) build(env Env, in erased) (any, error) {
	typed := Instances[C]{Default: in.def, ByID: make(map[string]C, len(in.byID)), cache: in.cache}
	for _, id := range in.order {
		c, ok := in.byID[id].(C)
		if !ok {
			return nil, fmt.Errorf("connector: instance %q of %s is a %T", id, k.Name, in.byID[id])
		}
		typed.ByID[id] = c
		typed.Order = append(typed.Order, id)
	}
	return k.Build(env, typed)
}

// erased is the untyped form of Instances.
type erased struct {
	def   string
	byID  map[string]any
	order []string
	cache *derivedCache
}

// Instances are the opened connectors of one service.
type Instances[C any] struct {
	Default string // id of the one used when none is named; "" when there is none at all
	ByID    map[string]C
	Order   []string // ids in configuration order
	cache   *derivedCache
}

// Opener opens another connector like the instance id, with other settings. The kernel provides it.
type Opener func(id string, settings value.Value) (any, error)

// derivedTTL and derivedMax bound the connectors opened by per-call settings.
const (
	derivedTTL = time.Hour
	derivedMax = 64
)
