package workflow

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// The version of the saved form. A state of another version is refused.
const saveVersion = 1

// Save returns a state between two supersteps as JSON. It holds nothing that depends on the process: [Plan.Load] reads
// it back anywhere the same program is loaded.
func (p *Plan) Save(s *State) value.Value {
	b := value.NewBuilder(14)
	b.Set("version", value.OfInt(saveVersion)).Set("program", value.Of(p.digest)).Set("step", value.OfInt(s.Step))
	b.Set("closed", value.OfBool(s.Closed)).Set("limit", value.Of(s.Limit)).Set("limitName", value.Of(s.LimitName)).Set("debug", value.OfBool(s.Debug))
	b.Set("job", p.reference(s.job)).Set("settled", value.OfBool(s.settled))
	b.Set("calls", value.OfInt(s.calls)).Set("outside", value.OfInt(s.outside))
	nodes := value.NewBuilder(len(p.nodes))
	for i := range s.nodes {
		if v := p.saveNode(s, i); v.Len() > 0 || len(v.Members()) > 0 {
			nodes.Set(p.nodes[i].info.ID, v)
		}
	}
	b.Set("components", nodes.Build()).Set("session", p.saveEntries(s.session)).Set("errors", p.saveEntries(s.errors))
	v := b.Build()
	return v.With("sum", value.Of(sumOf(v)))
}

// sumOf protects a saved state against damage. It is no signature: who may write states may write any state.
func sumOf(v value.Value) string {
	sum := sha256.Sum256([]byte(v.JSON()))
	return hex.EncodeToString(sum[:])
}

func (p *Plan) reference(n int) value.Value {
	if n == none {
		return value.NullValue()
	}
	return value.Of(p.nodes[n].info.ID)
}

func (p *Plan) saveNode(s *State, i int) value.Value {
	ns := &s.nodes[i]
	b := value.NewBuilder(8)
	flag := func(name string, set bool) {
		if set {
			b.Set(name, value.OfBool(true))
		}
	}
	count := func(name string, n int32) {
		if n != 0 {
			b.Set(name, value.OfInt(int(n)))
		}
	}
	keep := func(name string, v value.Value) {
		if !v.IsAbsent() {
			b.Set(name, v)
		}
	}
	flag("active", ns.active)
	flag("idle", ns.idle)
	flag("running", ns.running)
	count("status", int32(ns.status))
	count("laps", ns.laps)
	count("calls", ns.calls)
	count("step", ns.step)
	if ns.source != none {
		b.Set("source", p.reference(int(ns.source)))
	}
	if ns.parent != none {
		b.Set("parent", p.reference(int(ns.parent)))
	}
	held := value.NewBuilder(4)
	for k, v := range p.portsOf(s, i) {
		if !v.IsAbsent() {
			held.Set(strconv.Itoa(k), v)
		}
	}
	if held.Len() > 0 {
		b.Set("inputs", held.Build())
	}
	if s.seen != nil {
		keep("extra", s.seen[i].extra)
		keep("fed", s.seen[i].fed)
		keep("output", s.seen[i].output)
	}
	if ns.loop != nil {
		b.Set("loop", SaveLoop(ns.loop))
	}
	return b.Build()
}

// SaveLoop returns the state of a loop as JSON.
func SaveLoop(l *component.Loop) value.Value {
	return value.Obj(
		value.M("started", value.OfBool(l.Started)), value.M("index", value.OfInt(l.Index)),
		value.M("items", value.List(l.Items...)), value.M("results", value.List(l.Results...)),
	)
}

// LoadLoop reads what [SaveLoop] wrote.
func LoadLoop(v value.Value) *component.Loop {
	l := &component.Loop{Items: v.Get("items").Items(), Results: v.Get("results").Items()}
	l.Started, _ = v.Get("started").Boolean()
	l.Index = integer(v.Get("index"))
	return l
}

func (p *Plan) saveEntries(list []entry) value.Value {
	out := make([]value.Value, 0, len(list))
	for _, e := range list {
		b := value.NewBuilder(5)
		b.Set("id", p.reference(e.node)).Set("form", value.OfInt(int(e.form)))
		if !e.result.IsAbsent() {
			b.Set("result", e.result)
		}
		if !e.err.IsAbsent() {
			b.Set("error", e.err)
		}
		if e.handled {
			b.Set("handled", value.OfBool(true))
		}
		out = append(out, b.Build())
	}
	return value.OfItems(out)
}

func integer(v value.Value) int {
	f, _ := v.Num()
	return int(f)
}

func corrupt(format string, args ...any) error {
	err := fault.Newf(fault.Invalid, "the saved state of the run is corrupt: "+format, args...)
	return fault.Hint(err, "start the run again; a damaged state is never continued")
}
