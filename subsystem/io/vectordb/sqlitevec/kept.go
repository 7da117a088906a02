package sqlitevec

import "sync"

// vectors are those of one namespace as they were at one moment, with where they lie. They are never changed once others
// see them.
type vectors struct {
	dimensions int
	places     []place
	norms      []float64
	numbers    []float32 // of all vectors, one after the other
}

func (v *vectors) add(at place, norm float64, numbers []float32) {
	v.places, v.norms, v.numbers = append(v.places, at), append(v.norms, norm), append(v.numbers, numbers...)
}

// at returns the n-th vector.
func (v *vectors) at(n int) []float32 { return v.numbers[n*v.dimensions : (n+1)*v.dimensions] }

// perVector is what a vector takes beside its numbers, in bytes.
const perVector = 32

// size is what the vectors take, in bytes.
func (v *vectors) size() int { return len(v.places)*perVector + 4*len(v.numbers) }

// kept are the vectors of namespaces that were searched lately, within a budget. Each is good as long as its namespace has
// not changed, which the namespace counts. It is safe for concurrent use.
type kept struct {
	budget int // bytes; 0 keeps nothing

	mu    sync.Mutex
	of    map[int64]*keptVectors // by the number of the namespace
	used  int                    // bytes
	clock int64                  // counts uses
}

type keptVectors struct {
	*vectors
	changes int64 // of the namespace when they were read
	last    int64 // use
}

// get returns the vectors of a namespace after so many changes, nil when they are not kept.
func (k *kept) get(namespace, changes int64) *vectors {
	k.mu.Lock()
	defer k.mu.Unlock()
	have := k.of[namespace]
	if have == nil || have.changes != changes {
		return nil
	}
	k.clock++
	have.last = k.clock
	return have.vectors
}

// put keeps vectors, and lets go those that were used longest ago when there is no room. Those of before a change take the
// place of no newer ones.
func (k *kept) put(namespace, changes int64, v *vectors) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if have := k.of[namespace]; have != nil {
		if have.changes > changes {
			return
		}
		k.drop(namespace)
	}
	if v.size() > k.budget {
		return
	}
	for k.used+v.size() > k.budget {
		oldest := int64(0)
		for id, have := range k.of {
			if first := k.of[oldest]; first == nil || have.last < first.last {
				oldest = id
			}
		}
		k.drop(oldest)
	}
	if k.of == nil {
		k.of = make(map[int64]*keptVectors)
	}
	k.clock++
	k.of[namespace] = &keptVectors{vectors: v, changes: changes, last: k.clock}
	k.used += v.size()
}

// forget lets go the vectors of a namespace that is no more.
func (k *kept) forget(namespace int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.of[namespace] != nil {
		k.drop(namespace)
	}
}

// drop is called with the lock held.
func (k *kept) drop(namespace int64) {
	k.used -= k.of[namespace].size()
	delete(k.of, namespace)
}
