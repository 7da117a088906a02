package rediscache

import (
	"sync"

	"github.com/sre-go/sre/subsystem/memory/cache"
)

// recent remembers rulings that were asked for not long ago, a bounded number of them: in two halves, of which the older
// one is forgotten when the newer one is full. It is safe for concurrent use.
type recent struct {
	mu         sync.Mutex
	now, older map[string]cache.Ruling
}

const (
	recentHalf = 1024 // rulings in a half
	recentACL  = 4096 // bytes of the stored form of an ACL that is remembered
)

func (r *recent) get(key string) (cache.Ruling, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ruling, ok := r.now[key]; ok {
		return ruling, true
	}
	ruling, ok := r.older[key]
	if ok {
		r.put(key, ruling)
	}
	return ruling, ok
}

// put is called with the lock held.
func (r *recent) put(key string, ruling cache.Ruling) {
	if r.now == nil || len(r.now) >= recentHalf {
		r.older, r.now = r.now, make(map[string]cache.Ruling)
	}
	r.now[key] = ruling
}

func (r *recent) remember(key string, ruling cache.Ruling, size int) {
	if size > recentACL {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(key, ruling)
}

func (r *recent) forget(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.now, key)
	delete(r.older, key)
}
