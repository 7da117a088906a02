package sqlitestorage

import (
	"errors"
	"testing"
	"testing/synctest"
)

// Who wants to read what a transaction is removing waits for its end and looks again; who reads already keeps it from being
// removed.
func TestHolds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, now := newHolds(), int64(1)
		look := func() (int64, error) { return now, nil }
		release, err := h.open(look)
		if err != nil || h.remove(1) || !h.has(1) {
			t.Fatalf("open = %v, want a blob that is held", err)
		}
		release()
		release() // does nothing
		if h.has(1) || !h.remove(1) || h.remove(1) {
			t.Fatal("a blob that nobody holds is to be removed by one")
		}
		done := make(chan func())
		go func() {
			release, err := h.open(look)
			if err != nil {
				t.Error(err)
			}
			done <- release
		}()
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("a blob that is being removed was held")
		default:
		}
		now = 2
		h.removed(1)
		release = <-done
		if h.has(1) || !h.has(2) {
			t.Error("the one who waited does not hold what is there now")
		}
		release()
		if _, err := h.open(func() (int64, error) { return 0, errors.New("gone") }); err == nil || h.has(0) {
			t.Errorf("open of nothing = %v", err)
		}
	})
}
