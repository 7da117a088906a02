package sqlitestorage

import "sync"

// holds are the blobs that readers of this process have open: their chunks stay until the last of them is closed.
type holds struct {
	find sync.RWMutex // held by readers from before they look for a blob until they hold it

	mu    sync.Mutex
	blobs map[int64]int           // readers by blob
	going map[int64]chan struct{} // blobs that a transaction is removing; closed when it has ended
}

func newHolds() *holds {
	return &holds{blobs: make(map[int64]int), going: make(map[int64]chan struct{})}
}

// open holds the blob that look finds. When a transaction is removing it, open waits for its end and looks again.
func (h *holds) open(look func() (blob int64, err error)) (release func(), err error) {
	for {
		blob, wait, err := h.try(look)
		if err != nil {
			return nil, err
		}
		if wait == nil {
			return sync.OnceFunc(func() { h.release(blob) }), nil
		}
		<-wait
	}
}

func (h *holds) try(look func() (blob int64, err error)) (blob int64, wait chan struct{}, err error) {
	h.find.RLock()
	defer h.find.RUnlock()
	if blob, err = look(); err != nil {
		return 0, nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if wait = h.going[blob]; wait == nil {
		h.blobs[blob]++
	}
	return blob, wait, nil
}

func (h *holds) release(blob int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.blobs[blob]--; h.blobs[blob] == 0 {
		delete(h.blobs, blob)
	}
}

// remove reports whether the chunks of a blob can be removed by a transaction, as nobody holds it. Until the caller, whose
// transaction has ended then, calls [holds.removed], nobody gets to hold it.
func (h *holds) remove(blob int64) bool {
	h.find.Lock() // readers who have found it hold it by now
	defer h.find.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.blobs[blob] > 0 || h.going[blob] != nil {
		return false
	}
	h.going[blob] = make(chan struct{})
	return true
}

func (h *holds) removed(blob int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.going[blob])
	delete(h.going, blob)
}

// has reports whether somebody holds the blob. It waits for readers that are about to; those that come later do not find a
// blob that is loose by now.
func (h *holds) has(blob int64) bool {
	h.find.Lock()
	defer h.find.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.blobs[blob] > 0
}
