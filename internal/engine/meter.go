package engine

import (
	"sync/atomic"

	"github.com/sre-go/sre/internal/workflow"
)

// LargeValue is the size from which a value counts as large, in bytes.
const LargeValue = 64 << 10

// Usage is what runs have used.
type Usage struct {
	Calls int64 // of components
	Bytes int64 // of memory that their outputs took, one after the other
	Peak  int64 // the most bytes that large outputs of the same superstep took at once
}

// Add returns the usage of both: what is counted is added up, and the higher peak counts.
func (u Usage) Add(more Usage) Usage {
	return Usage{Calls: u.Calls + more.Calls, Bytes: u.Bytes + more.Bytes, Peak: max(u.Peak, more.Peak)}
}

// Meter measures a run with all its lanes. It is safe for concurrent use.
type Meter struct {
	calls, bytes, held, peak atomic.Int64
}

// Usage returns what was used so far.
func (m *Meter) Usage() Usage {
	return Usage{Calls: m.calls.Load(), Bytes: m.bytes.Load(), Peak: m.peak.Load()}
}

// measure counts a superstep. It returns the bytes of its large outputs, of which those of the superstep before are no
// longer held.
func (m *Meter) measure(activations []workflow.Activation, before int64) (large int64) {
	var bytes int64
	for i := range activations {
		n := int64(activations[i].Output.Footprint())
		bytes += n
		if n >= LargeValue {
			large += n
		}
	}
	m.calls.Add(int64(len(activations)))
	m.bytes.Add(bytes)
	if large == 0 && before == 0 {
		return 0
	}
	held := m.held.Add(large - before)
	for {
		peak := m.peak.Load()
		if held <= peak || m.peak.CompareAndSwap(peak, held) {
			return large
		}
	}
}

// leave forgets what a lane or a run held when it ends.
func (m *Meter) leave(large int64) {
	if large != 0 {
		m.held.Add(-large)
	}
}
