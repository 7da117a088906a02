package secret

import "math/bits"

// automaton finds many texts in one pass: the machine of Aho and Corasick over bytes, with a filter before it. Most places
// of a text begin nothing that is looked for; there the filter decides by the hash of the next four bytes, and the
// machine runs only from where these begin one of the texts. It is immutable once built.
//
// The work is linear in the text, whatever the texts are: the machine never looks at a byte twice, and back at the filter
// at most the last three bytes are looked at again.
type automaton struct {
	nodes  []node
	filter []uint64         // bits by hash of the first four bytes
	shift  uint32           // how many bits of a hash are left out
	starts map[uint32]int32 // the nodes that four bytes lead to
}

// node is a beginning of one or more of the texts. Node 0 is the empty one.
type node struct {
	child   int32 // the first that is one byte longer, 0 for none
	sibling int32 // the next child of the same parent
	back    int32 // the longest other node that this one ends in
	found   int32 // length of the longest text that this one ends in, 0 for none
	depth   int32 // bytes
	in      byte  // the last of them
}

// window is how many bytes the filter looks at. No text is shorter.
const window = 4

// build makes the automaton of texts that have at least window bytes each.
func build(texts []string) *automaton {
	size := 1
	for _, t := range texts {
		size += len(t)
	}
	a := &automaton{nodes: make([]node, 1, size), starts: make(map[uint32]int32, len(texts))}
	for _, t := range texts {
		a.add(t)
	}
	a.link()
	logBits := max(10, bits.Len(uint(64*len(a.starts))))
	logBits = min(logBits, 22)
	a.shift = uint32(32 - logBits)
	a.filter = make([]uint64, 1<<logBits/64)
	for w := range a.starts {
		h := w * golden >> a.shift
		a.filter[h>>6] |= 1 << (h & 63)
	}
	return a
}

// golden spreads the bits of what is hashed.
const golden = 0x9E3779B1

func (a *automaton) add(text string) {
	at := int32(0)
	for i := range len(text) {
		next := a.step(at, text[i])
		if next == 0 {
			next = int32(len(a.nodes))
			a.nodes = append(a.nodes, node{sibling: a.nodes[at].child, depth: int32(i + 1), in: text[i]})
			a.nodes[at].child = next
		}
		at = next
		if i+1 == window {
			a.starts[load(text, 0)] = at
		}
	}
	a.nodes[at].found = int32(len(text))
}

// step returns the node that a byte leads to, 0 for none.
func (a *automaton) step(at int32, b byte) int32 {
	for c := a.nodes[at].child; c != 0; c = a.nodes[c].sibling {
		if a.nodes[c].in == b {
			return c
		}
	}
	return 0
}

// link finds the way back of every node, the short ones first.
func (a *automaton) link() {
	var top [256]int32
	queue := make([]int32, 0, len(a.nodes))
	for c := a.nodes[0].child; c != 0; c = a.nodes[c].sibling {
		top[a.nodes[c].in] = c
		queue = append(queue, c)
	}
	for i := 0; i < len(queue); i++ {
		at := queue[i]
		for c := a.nodes[at].child; c != 0; c = a.nodes[c].sibling {
			queue = append(queue, c)
			n := &a.nodes[c]
			for back := a.nodes[at].back; ; back = a.nodes[back].back {
				if back == 0 {
					n.back = top[n.in]
					break
				}
				if n.back = a.step(back, n.in); n.back != 0 {
					break
				}
			}
			if n.found == 0 {
				n.found = a.nodes[n.back].found
			}
		}
	}
}

// load returns four bytes of a text as a number.
func load[T string | []byte](text T, i int) uint32 {
	return uint32(text[i]) | uint32(text[i+1])<<8 | uint32(text[i+2])<<16 | uint32(text[i+3])<<24
}

// span is a part of a text that is taken out.
type span struct {
	start, end int
	marked     bool // what stands in its place was written already, and start is where the rest begins
}

// search is where a scan of a text stands. It goes on when the text has grown.
type search struct {
	spans []span // in order, none overlaps another
	pos   int    // of the next byte of the machine, or of the next four of the filter
	at    int32  // the node, 0 at the filter
}

// safe returns the place of the text so far before which nothing can be found any more.
func (s *search) safe(a *automaton, text []byte) int {
	if s.at != 0 {
		return s.pos - int(a.nodes[s.at].depth)
	}
	for i := s.pos; i < len(text); i++ {
		at := int32(0)
		for _, b := range text[i:] {
			if at = a.step(at, b); at == 0 {
				break
			}
		}
		if at != 0 {
			return i
		}
	}
	return len(text)
}

// scan searches on to the end of the text.
func scan[T string | []byte](a *automaton, s *search, text T) {
	i, at := s.pos, s.at
	for {
		if at == 0 {
			if i, at = pass(a, text, i); at == 0 {
				break
			}
		}
		if i >= len(text) {
			break
		}
		next := a.step(at, text[i])
		if next == 0 {
			at = a.nodes[at].back
			if depth := a.nodes[at].depth; depth < window {
				i, at = i-int(depth), 0
			}
			continue
		}
		at = next
		i++
		if n := a.nodes[at].found; n > 0 {
			s.add(span{start: i - int(n), end: i})
		}
	}
	s.pos, s.at = i, at
}

// pass goes on with the filter from i. It returns the node that the first four bytes lead to that begin a text, and the
// place behind them, or node 0 and the first place that has no four bytes.
func pass[T string | []byte](a *automaton, text T, i int) (int, int32) {
	filter, shift := a.filter, a.shift&31
	last := uint32(len(filter) - 1)
	for ; i+window <= len(text); i++ {
		w := load(text, i)
		h := w * golden >> shift
		if filter[h>>6&last]>>(h&63)&1 == 0 {
			continue
		}
		if at := a.starts[w]; at != 0 {
			return i + window, at
		}
	}
	return i, 0
}

// add notes a part that ends behind all noted before, and joins it with those that it overlaps.
func (s *search) add(m span) {
	for n := len(s.spans); n > 0 && s.spans[n-1].end > m.start; n-- {
		m.start, m.marked = min(m.start, s.spans[n-1].start), m.marked || s.spans[n-1].marked
		s.spans = s.spans[:n-1]
	}
	s.spans = append(s.spans, m)
}
