package sqlitestorage

import "sync"

// holds are the blobs that readers of this process have open: their chunks stay until the last of them is closed.
type holds struct {
	find sync.RWMutex // held by readers from before they look for a blob until they hold it

	mu    sync.Mutex
	blobs map[int64]int // readers by blob
}

// open holds the blob that look finds.
func (h *holds) open(look func() (blob int64, err error)) (release func(), err error) {
	h.find.RLock()
	defer h.find.RUnlock()
	blob, err := look()
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	h.blobs[blob]++
	h.mu.Unlock()
	return sync.OnceFunc(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.blobs[blob]--; h.blobs[blob] == 0 {
			delete(h.blobs, blob)
		}
	}), nil
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
