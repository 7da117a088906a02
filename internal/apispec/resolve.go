package apispec

import (
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/untrusted"
	"github.com/sre-go/sre/value"
)

const (
	maxExpanded = 100_000 // values of all schemas of a document, references followed
	maxRefs     = 16      // references to references
	maxDepth    = 24      // nesting of a schema
)

// follow returns what a value refers to, or the value. What cannot be found is absent.
func (r *reader) follow(v value.Value) value.Value {
	for range maxRefs {
		ref, ok := v.Get("$ref").Str()
		if !ok {
			return v
		}
		v = r.target(ref)
	}
	return value.Value{}
}

// target returns what a reference names. Those that lead out of the document name nothing: they are not fetched.
func (r *reader) target(ref string) value.Value {
	rest, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return value.Value{}
	}
	v := r.root
	for step := range strings.SplitSeq(rest, "/") {
		step = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
		v = v.Get(step)
	}
	return v
}

// expand returns a schema with all references in it followed. One that leads back into itself becomes an empty schema.
func (r *reader) expand(v value.Value, open []string) (value.Value, error) {
	if r.left--; r.left < 0 {
		return value.Value{}, fault.Limitf("values", "LIMIT_EXCEEDED(values): the schemas have more than %d values when their references are followed", maxExpanded)
	}
	if len(open) > maxDepth {
		return value.Obj(), nil
	}
	switch {
	case v.IsArray():
		items := make([]value.Value, 0, v.Len())
		for _, it := range v.Items() {
			it, err := r.expand(it, append(open, ""))
			if err != nil {
				return value.Value{}, err
			}
			items = append(items, it)
		}
		return value.OfItems(items), nil
	case v.IsObject():
		if ref, ok := v.Get("$ref").Str(); ok {
			for _, o := range open {
				if o == ref {
					return value.Obj(), nil
				}
			}
			to := r.target(ref)
			if to.IsAbsent() {
				return value.Obj(), nil
			}
			return r.expand(to, append(open, ref))
		}
		b := value.NewBuilder(v.Len())
		for _, m := range v.Members() {
			e, err := r.expand(m.Value, append(open, ""))
			if err != nil {
				return value.Value{}, err
			}
			if text, ok := e.Str(); ok && m.Key == "description" {
				e = value.Of(untrusted.Text(text, maxDescription))
			}
			b.Set(m.Key, e)
		}
		return b.Build(), nil
	}
	return v, nil
}
