// Package recent remembers what was learned about names not long ago, a bounded number of them.
//
// It is for what costs a journey to learn and can be checked when it is used. Nothing in it is the truth: who asks it must
// notice by itself that what it says is out of date.
package recent

import "sync"

// Map remembers values by name. It keeps two halves and forgets the older one when the newer one is full, so that what is
// used stays. The zero Map is empty and ready; it must not be copied. It is safe for concurrent use.
type Map[V any] struct {
	mu         sync.Mutex
	now, older map[string]V
}

// half is how many names one half holds.
const half = 1024

// Get returns what is remembered of a name, false when that is nothing.
func (m *Map[V]) Get(name string) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.now[name]; ok {
		return v, true
	}
	v, ok := m.older[name]
	if ok {
		m.put(name, v)
	}
	return v, ok
}

// Put remembers a value in place of what was known of the name.
func (m *Map[V]) Put(name string, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(name, v)
}

func (m *Map[V]) put(name string, v V) {
	if _, known := m.now[name]; !known && (m.now == nil || len(m.now) >= half) {
		m.older, m.now = m.now, make(map[string]V)
	}
	m.now[name] = v
}

// Forget forgets a name.
func (m *Map[V]) Forget(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.now, name)
	delete(m.older, name)
}
