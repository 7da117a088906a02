package vectordb

import "slices"

// Nearest keeps the best of what a search comes across, for connectors that look at every chunk. What it keeps of each is up
// to them. It is for one goroutine.
type Nearest[T any] struct {
	query Query
	found []Scored[T] // the best first
}

// Scored is something with its score.
type Scored[T any] struct {
	Score float64
	Of    T
}

// NewNearest makes the keeper for a query.
func NewNearest[T any](q Query) *Nearest[T] { return &Nearest[T]{query: q} }

// Wants reports whether something with that score would be kept.
func (n *Nearest[T]) Wants(score float64) bool {
	if !(score >= n.query.Least) { // nor what is no number
		return false
	}
	return len(n.found) < n.query.TopK || score > n.found[len(n.found)-1].Score
}

// Add keeps something when it is wanted. Of two with the same score the one that is added first comes first.
func (n *Nearest[T]) Add(score float64, of T) {
	if !n.Wants(score) {
		return
	}
	at, _ := slices.BinarySearchFunc(n.found, score, func(s Scored[T], score float64) int {
		if s.Score >= score {
			return -1 // behind those that are as near
		}
		return 1
	})
	if len(n.found) == n.query.TopK {
		n.found = n.found[:len(n.found)-1]
	}
	n.found = slices.Insert(n.found, at, Scored[T]{Score: score, Of: of})
}

// Found returns what was kept, the best first.
func (n *Nearest[T]) Found() []Scored[T] { return n.found }
