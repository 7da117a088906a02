package recent

import (
	"strconv"
	"sync"
	"testing"
)

func TestMap(t *testing.T) {
	t.Parallel()
	var m Map[int]
	want := func(name string, value int, known bool) {
		t.Helper()
		if v, ok := m.Get(name); v != value || ok != known {
			t.Errorf("Get(%q) = %d, %t, want %d, %t", name, v, ok, value, known)
		}
	}
	want("a", 0, false)
	m.Put("a", 1)
	m.Put("a", 2)
	want("a", 2, true)
	m.Forget("a")
	want("a", 0, false)
	m.Forget("never")
}

func TestMap_Bounded(t *testing.T) {
	t.Parallel()
	var m Map[int]
	m.Put("used", 1)
	m.Put("unused", 1)
	for i := range 10 * half {
		m.Put(strconv.Itoa(i), i)
		if _, ok := m.Get("used"); !ok {
			t.Fatalf("what is used is forgotten after %d others", i+1)
		}
		if n := len(m.now) + len(m.older); n > 2*half {
			t.Fatalf("%d names are remembered, want at most %d", n, 2*half)
		}
	}
	if _, ok := m.Get("unused"); ok {
		t.Error("what is not used is remembered after ten times as many others")
	}
	for range 10 * half { // what is known takes no room again
		m.Put("used", 2)
	}
	if v, ok := m.Get(strconv.Itoa(10*half - 1)); !ok || v != 10*half-1 {
		t.Errorf("the last of the others = %d, %t: pushed out by one name", v, ok)
	}
	m.Forget("used")
	if _, ok := m.Get("used"); ok {
		t.Error("what was forgotten is known")
	}
}

func TestMap_Concurrent(t *testing.T) {
	t.Parallel()
	var m Map[int]
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 3000 {
				name := strconv.Itoa(i % 1500)
				m.Put(name, i)
				m.Get(name)
				if i%7 == g {
					m.Forget(name)
				}
			}
		})
	}
	wg.Wait()
	if n := len(m.now) + len(m.older); n > 2*half {
		t.Errorf("%d names are remembered, want at most %d", n, 2*half)
	}
}
