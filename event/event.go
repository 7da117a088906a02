// Package event carries typed notices between parts of one runtime.
//
// Delivery is synchronous and in order of subscription: when Publish returns,
// every handler has run. Handlers must be quick and must not publish to the
// same type. There is no queue, so nothing is lost or delayed.
package event

import (
	"context"
	"reflect"
	"slices"
	"sync"
)

// Bus connects publishers and subscribers. The zero Bus is ready; a Bus must not be copied.
type Bus struct {
	mu       sync.RWMutex
	next     int
	handlers map[reflect.Type][]handler
}

type handler struct {
	id int
	f  any
}

// On calls f for every published T until stop is called. stop may be called more than once.
func On[T any](b *Bus, f func(context.Context, T)) (stop func()) {
	t := reflect.TypeFor[T]()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.handlers == nil {
		b.handlers = make(map[reflect.Type][]handler)
	}
	b.next++
	id := b.next
	b.handlers[t] = append(slices.Clone(b.handlers[t]), handler{id, f})
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.handlers[t] = slices.DeleteFunc(slices.Clone(b.handlers[t]), func(h handler) bool { return h.id == id })
	}
}

// Publish hands v to every subscriber of its type. A nil Bus drops it.
func Publish[T any](ctx context.Context, b *Bus, v T) {
	if b == nil {
		return
	}
	b.mu.RLock()
	hs := b.handlers[reflect.TypeFor[T]()]
	b.mu.RUnlock()
	for _, h := range hs {
		h.f.(func(context.Context, T))(ctx, v)
	}
}
