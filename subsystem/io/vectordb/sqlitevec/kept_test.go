package sqlitevec

import "testing"

// some makes n vectors of one number.
func some(n int) *vectors {
	v := &vectors{dimensions: 1}
	for i := range n {
		v.add(place{chunk: int64(i)}, 1, []float32{float32(i)})
	}
	return v
}

func TestKept(t *testing.T) {
	t.Parallel()
	one := some(10).size()
	k := &kept{budget: 3 * one}
	want := func(namespace, changes int64, known bool) {
		t.Helper()
		if v := k.get(namespace, changes); (v != nil) != known {
			t.Errorf("namespace %d after %d changes is kept: %t, want %t", namespace, changes, v != nil, known)
		}
		total := 0
		for _, have := range k.of {
			total += have.size()
		}
		if total != k.used || k.used > k.budget {
			t.Errorf("%d bytes are counted and %d kept, of %d", k.used, total, k.budget)
		}
	}
	for id := range int64(3) {
		k.put(id, 1, some(10))
	}
	want(0, 1, true)
	want(1, 1, true)
	want(2, 1, true)
	want(1, 2, false) // it has changed
	k.put(1, 2, some(10))
	want(1, 1, false)
	want(1, 2, true)
	k.put(1, 1, some(10)) // of somebody who began before the change
	want(1, 2, true)
	k.put(3, 1, some(10)) // in place of what was used longest ago
	want(0, 1, false)
	want(2, 1, true)
	k.put(4, 1, some(31)) // more than there may be
	want(4, 1, false)
	want(2, 1, true)
	k.put(5, 1, some(30)) // all that there may be
	want(5, 1, true)
	want(1, 2, false)
	want(2, 1, false)
	k.forget(5)
	k.forget(5)
	want(5, 1, false)
	none := &kept{}
	none.put(1, 1, some(1))
	if none.get(1, 1) != nil || none.used != 0 {
		t.Error("without a budget something is kept")
	}
}

// Two namespaces without a vector take nothing and are kept.
func TestKept_Empty(t *testing.T) {
	t.Parallel()
	k := &kept{}
	k.put(1, 1, some(0))
	k.put(2, 1, some(0))
	if k.get(1, 1) == nil || k.get(2, 1) == nil || k.used != 0 {
		t.Errorf("empty namespaces are not kept, or take %d bytes", k.used)
	}
}
