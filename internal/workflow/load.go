package workflow

import (
	"math"
	"slices"
	"strconv"

	"github.com/sre-go/sre/value"
)

// Load reads a state that [Plan.Save] wrote for the same program. A state that was damaged, belongs to another program
// or holds anything unknown is refused as [fault.Invalid].
func (p *Plan) Load(v value.Value) (*State, error) {
	if sum := v.GetString("sum"); sum == "" || sum != sumOf(v.Without("sum")) {
		return nil, corrupt("its checksum does not fit")
	}
	if integer(v.Get("version")) != saveVersion {
		return nil, corrupt("it has the form version %s, not %d", v.Get("version").Text(), saveVersion)
	}
	if v.GetString("program") != p.digest {
		return nil, corrupt("it belongs to another version of the agent")
	}
	l := loader{plan: p}
	l.known(v, "version", "program", "step", "closed", "limit", "limitName", "debug", "job", "settled", "calls", "outside", "components", "session", "errors", "sum")
	s := p.NewState()
	s.Step, s.Closed, s.Debug, s.Limit = l.count(v, "step"), l.flag(v, "closed"), l.flag(v, "debug"), v.GetString("limit")
	s.LimitName = v.GetString("limitName")
	s.job, s.settled = l.node(v.Get("job")), l.flag(v, "settled")
	s.calls, s.outside = l.count(v, "calls"), l.count(v, "outside")
	for _, m := range v.Get("components").Members() {
		i, ok := p.byID[m.Key]
		if !ok {
			return nil, corrupt("there is no component %q", m.Key)
		}
		l.component(s, i, m.Value)
	}
	s.session, s.errors = l.entries(v.Get("session")), l.entries(v.Get("errors"))
	if l.err != nil {
		return nil, l.err
	}
	return s, nil
}

// loader reads a saved state and keeps the first fault.
type loader struct {
	plan *Plan
	err  error
}

func (l *loader) fail(format string, args ...any) {
	if l.err == nil {
		l.err = corrupt(format, args...)
	}
}

func (l *loader) known(v value.Value, names ...string) {
	if !v.IsObject() {
		l.fail("an object is missing")
	}
	for _, m := range v.Members() {
		if !slices.Contains(names, m.Key) {
			l.fail("%q is no member of it", m.Key)
		}
	}
}

func (l *loader) flag(v value.Value, name string) bool {
	b, ok := v.Get(name).Boolean()
	if !ok && !v.Get(name).IsAbsent() {
		l.fail("%s is not a boolean", name)
	}
	return b
}

func (l *loader) count(v value.Value, name string) int {
	m := v.Get(name)
	if m.IsAbsent() {
		return 0
	}
	f, ok := m.Num()
	if !ok || f < 0 || f != math.Trunc(f) || f > math.MaxInt32 {
		l.fail("%s is not a count", name)
		return 0
	}
	return int(f)
}

func (l *loader) node(v value.Value) int {
	if v.IsNil() {
		return none
	}
	id, _ := v.Str()
	i, ok := l.plan.byID[id]
	if !ok {
		l.fail("there is no component %q", id)
		return none
	}
	return i
}

func (l *loader) component(s *State, i int, v value.Value) {
	l.known(v, "active", "idle", "running", "status", "laps", "calls", "step", "source", "parent", "inputs", "extra", "fed", "output", "loop")
	ns := &s.nodes[i]
	st := l.count(v, "status")
	if st > int(statusInProgress) {
		l.fail("component %q has the status %d", l.plan.nodes[i].info.ID, st)
		return
	}
	*ns = nodeState{
		active: l.flag(v, "active"), idle: l.flag(v, "idle"), running: l.flag(v, "running"), status: status(st),
		laps: int32(l.count(v, "laps")), calls: int32(l.count(v, "calls")), step: int32(l.count(v, "step")),
		source: int32(l.node(v.Get("source"))), parent: int32(l.node(v.Get("parent"))),
	}
	if w := (seen{extra: v.Get("extra"), fed: v.Get("fed"), output: v.Get("output")}); !w.extra.IsAbsent() || !w.fed.IsAbsent() || !w.output.IsAbsent() {
		*s.watch(i) = w
	}
	held := l.plan.portsOf(s, i)
	for _, m := range v.Get("inputs").Members() {
		k, err := strconv.Atoi(m.Key)
		if err != nil || k < 0 || k >= len(held) {
			l.fail("component %q has no input %q", l.plan.nodes[i].info.ID, m.Key)
			return
		}
		held[k] = m.Value
	}
	if loop := v.Get("loop"); !loop.IsAbsent() {
		l.known(loop, "started", "index", "items", "results")
		l.flag(loop, "started")
		l.count(loop, "index")
		ns.loop = LoadLoop(loop)
	}
}

func (l *loader) entries(v value.Value) []entry {
	var out []entry
	for _, it := range v.Items() {
		l.known(it, "id", "form", "result", "error", "handled")
		n, f := l.node(it.Get("id")), l.count(it, "form")
		if n == none || f > int(formFailed) {
			l.fail("a result has no component or an unknown form")
			return nil
		}
		out = append(out, entry{node: n, form: form(f), result: it.Get("result"), err: it.Get("error"), handled: l.flag(it, "handled")})
	}
	return out
}
