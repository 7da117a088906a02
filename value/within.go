package value

import "github.com/sre-go/sre/fault"

// Encode returns v as compact JSON that [Decode] takes within the same limits, so that who keeps the text can read it
// again. A value over a limit is [fault.Limit] and names the limit; an absent one has no JSON and is [fault.Invalid].
func Encode(v Value, limits Limits) (string, error) {
	if v.IsAbsent() {
		return "", fault.Newf(fault.Invalid, "there is no value to encode")
	}
	limits = limits.orDefault()
	count := 0
	if err := limits.checkValue(v, 0, &count); err != nil {
		return "", err
	}
	text := v.JSON()
	return text, limits.checkBytes(len(text))
}

// checkValue counts what is in a value as the decoder will.
func (l Limits) checkValue(v Value, depth int, count *int) error {
	if *count++; *count > l.Values {
		return fault.Limitf("json_values", "value has more than %d values", l.Values)
	}
	if v.kind != Array && v.kind != Object {
		return nil
	}
	if depth >= l.Depth {
		return fault.Limitf("json_depth", "value is nested deeper than %d", l.Depth)
	}
	for _, item := range v.Items() {
		if err := l.checkValue(item, depth+1, count); err != nil {
			return err
		}
	}
	for _, m := range v.Members() {
		if m.Value.IsAbsent() {
			continue // JSON leaves it out
		}
		if err := l.checkValue(m.Value, depth+1, count); err != nil {
			return err
		}
	}
	return nil
}
