package jsonschema

import (
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// The bounds of a schema.
const (
	maxExpanded = 20_000 // values in it, with every reference written out
	maxDepth    = 60     // of its values, likewise
)

// measure refuses a schema whose checks have no bound.
func measure(root value.Value) error {
	if b, ok := root.Boolean(); !root.IsObject() && !(ok || b) {
		return fault.Newf(fault.Invalid, "a JSON Schema is an object, not a %s", root.Kind())
	}
	m := &measuring{root: root, sizes: map[string]int{}, open: map[string]bool{}}
	_, err := m.size(root, 0)
	return err
}

// measuring adds up the sizes of the parts of a schema. Each target of a reference is measured once.
type measuring struct {
	root  value.Value
	sizes map[string]int
	open  map[string]bool
}

func (m *measuring) size(v value.Value, depth int) (int, error) {
	if depth > maxDepth {
		return 0, fault.Newf(fault.Invalid, "the schema is deeper than %d", maxDepth)
	}
	total := 1
	add := func(n int, err error) error {
		if total += n; err == nil && total > maxExpanded {
			err = fault.Newf(fault.Invalid, "the schema has more than %d values with its references written out", maxExpanded)
		}
		return err
	}
	for _, it := range v.Items() {
		if err := add(m.size(it, depth+1)); err != nil {
			return 0, err
		}
	}
	for _, member := range v.Members() {
		text, isText := member.Value.Str()
		switch {
		case member.Key == "$ref" && isText:
			if err := add(m.target(text, depth+1)); err != nil {
				return 0, err
			}
		case isText && (member.Key == "$dynamicRef" || member.Key == "$recursiveRef" || member.Key == "$id" && depth > 0):
			return 0, fault.Newf(fault.Invalid, "the schema uses %s, which is not supported", member.Key)
		default:
			if err := add(m.size(member.Value, depth+1)); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

// target is the size of what a reference stands for.
func (m *measuring) target(ref string, depth int) (int, error) {
	if n, known := m.sizes[ref]; known {
		return n, nil
	}
	if m.open[ref] {
		return 0, fault.Newf(fault.Invalid, "the schema refers to itself: %q", ref)
	}
	pointer, local := strings.CutPrefix(ref, "#")
	if !local || pointer != "" && !strings.HasPrefix(pointer, "/") {
		return 0, fault.Newf(fault.Invalid, "the schema refers to %q, which is not a place in itself", ref)
	}
	v := m.root
	if pointer != "" {
		for _, step := range strings.Split(pointer[1:], "/") {
			v = child(v, strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~"))
		}
	}
	if v.IsAbsent() {
		return 0, fault.Newf(fault.Invalid, "the schema refers to %q, which is not there", ref)
	}
	m.open[ref] = true
	n, err := m.size(v, depth)
	delete(m.open, ref)
	m.sizes[ref] = n
	return n, err
}

// child is a step of a pointer.
func child(v value.Value, step string) value.Value {
	if v.IsArray() {
		for i, it := range v.Items() {
			if value.OfInt(i).Text() == step {
				return it
			}
		}
		return value.Value{}
	}
	return v.Get(step)
}
