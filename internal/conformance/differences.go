package conformance

import (
	"strconv"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Difference is one intended difference from the reference: what is promised for a case instead, and why. Everything
// of the recorded result that it does not mention stays promised.
type Difference struct {
	Case   string
	Reason string // one or more whole sentences
	// Whole members of the recorded result: responses, results, llm_requests and so on. A null item of a list keeps the
	// recorded one.
	Replace []value.Member
	Set     []value.Member // by JSON pointer into the recorded result
	Remove  []string       // JSON pointers
}

const differenceReplaces = " responses results llm_requests http_requests turns messages "

// ParseDifferences reads the table: a JSON array of {case, reason} with responses, results, llm_requests,
// http_requests, turns, messages, set or remove. Each case may stand in it once.
func ParseDifferences(text string) ([]Difference, error) {
	v, err := value.Parse(text)
	if err != nil {
		return nil, err
	}
	if !v.IsArray() {
		return nil, fault.Newf(fault.Invalid, "differences are a %s, not an array", v.Kind())
	}
	seen := make(map[string]bool, v.Len())
	table := make([]Difference, 0, v.Len())
	for _, entry := range v.Items() {
		if err := refuseUnknown("difference", entry, " case reason set remove"+differenceReplaces); err != nil {
			return nil, err
		}
		d := Difference{Case: entry.GetString("case"), Reason: entry.GetString("reason"), Set: entry.Get("set").Members()}
		for _, m := range entry.Members() {
			if strings.Contains(differenceReplaces, " "+m.Key+" ") {
				d.Replace = append(d.Replace, m)
			}
		}
		for _, pointer := range entry.Get("remove").Items() {
			d.Remove = append(d.Remove, pointer.Text())
		}
		switch {
		case d.Case == "" || seen[d.Case]:
			return nil, fault.Newf(fault.Invalid, "difference without a case of its own: %q", d.Case)
		case d.Reason == "":
			return nil, fault.Newf(fault.Invalid, "difference of %s has no reason", d.Case)
		case len(d.Replace)+len(d.Set)+len(d.Remove) == 0:
			return nil, fault.Newf(fault.Invalid, "difference of %s promises nothing else", d.Case)
		}
		seen[d.Case] = true
		table = append(table, d)
	}
	return table, nil
}

// Promise returns what is promised instead of the recorded result.
func (d Difference) Promise(recorded value.Value) (value.Value, error) {
	v := recorded
	for _, m := range d.Replace {
		to := m.Value
		if old := v.Get(m.Key); old.IsArray() && to.IsArray() {
			items := make([]value.Value, to.Len())
			for i, item := range to.Items() {
				if items[i] = item; item.IsNull() && !old.At(i).IsAbsent() {
					items[i] = old.At(i)
				}
			}
			to = value.OfItems(items)
		}
		v = v.With(m.Key, to)
	}
	for _, m := range d.Set {
		changed, ok := setPointer(v, pointerSteps(m.Key), m.Value)
		if !ok {
			return value.Value{}, fault.Newf(fault.Invalid, "difference of %s: no place %s", d.Case, m.Key)
		}
		v = changed
	}
	for _, pointer := range d.Remove {
		changed, ok := setPointer(v, pointerSteps(pointer), value.Value{})
		if !ok {
			return value.Value{}, fault.Newf(fault.Invalid, "difference of %s: no place %s", d.Case, pointer)
		}
		v = changed
	}
	return v, nil
}

func pointerSteps(pointer string) []string {
	steps := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, s := range steps {
		steps[i] = strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
	}
	return steps
}

// setPointer returns v with one place changed, or taken away when to is absent. An object gets new members, an array
// gets a new item at its end.
func setPointer(v value.Value, steps []string, to value.Value) (value.Value, bool) {
	if len(steps) == 0 {
		return to, true
	}
	key, rest := steps[0], steps[1:]
	switch v.Kind() {
	case value.Object:
		if len(rest) > 0 || to.IsAbsent() {
			if !v.Has(key) {
				return v, false
			}
		}
		if len(rest) == 0 && to.IsAbsent() {
			return v.Without(key), true
		}
		child, ok := setPointer(v.Get(key), rest, to)
		return v.With(key, child), ok
	case value.Array:
		i, err := strconv.Atoi(key)
		if err != nil || i < 0 || i > v.Len() || (i == v.Len() && (len(rest) > 0 || to.IsAbsent())) {
			return v, false
		}
		items := append([]value.Value(nil), v.Items()...)
		if len(rest) == 0 && to.IsAbsent() {
			return value.OfItems(append(items[:i], items[i+1:]...)), true
		}
		if i == len(items) {
			items = append(items, value.Value{})
		}
		child, ok := setPointer(items[i], rest, to)
		items[i] = child
		return value.OfItems(items), ok
	default:
		return v, false
	}
}
