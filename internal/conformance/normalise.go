package conformance

import (
	"regexp"

	"github.com/sre-go/sre/value"
)

// Normaliser rewrites what is new in each run: ids, sessions and UUIDs. It is applied to both sides of a comparison,
// so what only looks like an id is rewritten alike. It is safe for concurrent use.
type Normaliser struct {
	rules []rule
}

type rule struct {
	pattern *regexp.Regexp
	to      string
}

// NewNormaliser compiles the rules: those the cases were recorded with, then ours for ids of package effect.
func NewNormaliser() *Normaliser {
	compile := func(pattern, to string) rule { return rule{regexp.MustCompile(pattern), to} }
	return &Normaliser{rules: []rule{
		compile(`\b\d{4}-\d{2}-\d{2}-\d{2}-\d{2}-\d{2}\.[0-9A-Z]{10,14}\b`, `<SESSION>`),
		compile(`\bxTAG-[0-9A-Z]{10,14}\b`, `xTAG-<UID>`),
		compile(`\b(dbg|inj|e)-[0-9A-Z]{10,14}\b`, `${1}-<UID>`),
		compile(`(^|[^0-9A-Za-z])M[W-Z][0-9A-Z]{6,11}\b`, `${1}<UID>`),
		compile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`, `<UUID>`),

		compile(`\b\d{4}-\d{2}-\d{2}-\d{2}-\d{2}-\d{2}\.[A-Z2-7]{26}\b`, `<SESSION>`),
		compile(`\brt-[A-Z2-7]{26}\b`, `rt-<SESSION>`),
		compile(`(^|[^0-9A-Za-z])[A-Z2-7]{26}\b`, `${1}<UID>`),
	}}
}

// Text rewrites one string.
func (n *Normaliser) Text(s string) string {
	for _, r := range n.rules {
		s = r.pattern.ReplaceAllString(s, r.to)
	}
	return s
}

// Value rewrites all strings and member names of v and gives it the form that JSON leaves: no absent members, and null
// for absent items and numbers that JSON cannot write.
func (n *Normaliser) Value(v value.Value) value.Value {
	return rewrite(asJSON(v), n.Text)
}

func asJSON(v value.Value) value.Value {
	switch v.Kind() {
	case value.Number:
		if f, _ := v.Num(); f-f != 0 { // NaN and the infinities
			return value.NullValue()
		}
		return v
	case value.Array:
		items := make([]value.Value, 0, v.Len())
		for _, item := range v.Items() {
			if item.IsAbsent() {
				item = value.NullValue()
			}
			items = append(items, asJSON(item))
		}
		return value.OfItems(items)
	case value.Object:
		b := value.NewBuilder(v.Len())
		for _, m := range v.Members() {
			if !m.Value.IsAbsent() {
				b.Set(m.Key, asJSON(m.Value))
			}
		}
		return b.Build()
	default:
		return v
	}
}
