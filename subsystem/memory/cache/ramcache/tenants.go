package ramcache

import (
	"container/heap"

	"github.com/sre-go/sre/access"
)

// tenants accounts for entries by the candidate who made them, and knows who holds most.
type tenants struct {
	by     map[access.Candidate]*tenant
	ranked ranking
}

// tenant is one candidate's entries in the order of their use.
type tenant struct {
	who    access.Candidate
	bytes  int
	at     int // place in the ranking
	newest *entry
	oldest *entry
}

func newTenants() *tenants { return &tenants{by: make(map[access.Candidate]*tenant)} }

// add makes an entry that of a candidate, as the one used last.
func (ts *tenants) add(e *entry, who access.Candidate) {
	t := ts.by[who]
	if t == nil {
		t = &tenant{who: who}
		ts.by[who] = t
		heap.Push(&ts.ranked, t)
	}
	e.tenant = t
	t.push(e)
}

// grow accounts for an entry that takes n bytes more.
func (ts *tenants) grow(e *entry, n int) {
	e.tenant.bytes += n
	heap.Fix(&ts.ranked, e.tenant.at)
}

// use makes an entry the one used last.
func (ts *tenants) use(e *entry) {
	t := e.tenant
	if t.newest != e {
		t.pull(e)
		t.push(e)
	}
}

// remove forgets an entry, and its tenant with the last one.
func (ts *tenants) remove(e *entry) {
	t := e.tenant
	t.pull(e)
	t.bytes -= e.size
	if t.newest == nil {
		heap.Remove(&ts.ranked, t.at)
		delete(ts.by, t.who)
		return
	}
	heap.Fix(&ts.ranked, t.at)
}

// victim returns the entry to give up for room: the one used longest ago of who holds most, but not except.
// There must be another entry than that.
func (ts *tenants) victim(except *entry) *entry {
	if e := ts.ranked[0].oldest; e != except {
		return e
	}
	// Who holds most holds only the entry that room is made for: the next one has to give.
	var most *tenant
	for _, t := range ts.ranked[1:] {
		if most == nil || t.bytes > most.bytes {
			most = t
		}
	}
	return most.oldest
}

func (t *tenant) push(e *entry) {
	e.older = t.newest
	if t.newest != nil {
		t.newest.newer = e
	} else {
		t.oldest = e
	}
	t.newest = e
}

func (t *tenant) pull(e *entry) {
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		t.newest = e.older
	}
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		t.oldest = e.newer
	}
	e.newer, e.older = nil, nil
}

// ranking implements [heap.Interface]: who holds most comes first.
type ranking []*tenant

func (r ranking) Len() int           { return len(r) }
func (r ranking) Less(i, j int) bool { return r[i].bytes > r[j].bytes }

func (r ranking) Swap(i, j int) {
	r[i], r[j] = r[j], r[i]
	r[i].at, r[j].at = i, j
}

// Push implements [heap.Interface].
func (r *ranking) Push(x any) {
	t := x.(*tenant)
	t.at = len(*r)
	*r = append(*r, t)
}

// Pop implements [heap.Interface].
func (r *ranking) Pop() any {
	last := len(*r) - 1
	t := (*r)[last]
	(*r)[last] = nil
	*r = (*r)[:last]
	return t
}
