package httpserver

import (
	"net/url"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

// maxBrackets bounds the nesting of names such as filter[price][min].
const maxBrackets = 5

// form collects the texts of a form or a query under their names. A name that comes again, or that ends in [], holds a
// list; name[member] holds an object, as OpenAPI's deepObject has it.
type form struct {
	limit int // texts
	count int
	root  field
}

// field is what stands under one name: texts, or members.
type field struct {
	texts []value.Value
	list  bool // also a single text is a list
	names []string
	below map[string]*field
}

// parseForm reads name=text pairs joined by "&", as queries and forms write them.
func parseForm(text string, limit int) (value.Value, error) {
	if text == "" {
		return value.Obj(), nil
	}
	f := form{limit: limit}
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		name, held, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return value.Value{}, badEscape()
		}
		if held, err = url.QueryUnescape(held); err != nil {
			return value.Value{}, badEscape()
		}
		if err := f.add(name, held); err != nil {
			return value.Value{}, err
		}
	}
	return f.value(), nil
}

func badEscape() error {
	err := fault.Newf(fault.Invalid, "the query or form holds a %% that begins no escape")
	return fault.Hint(err, "write %%25 for it")
}

// add puts a text under a name.
func (f *form) add(name, text string) error {
	if f.count == f.limit {
		return fault.Limitf(limits.FormFields, "LIMIT_EXCEEDED(%s): a form or query has at most %d texts", limits.FormFields, f.limit)
	}
	f.count++
	at := &f.root
	path, list := brackets(name)
	for _, key := range path {
		if len(at.texts) > 0 {
			return mixed(name)
		}
		at = at.member(strings.ToValidUTF8(key, "\uFFFD"))
	}
	if at.below != nil {
		return mixed(name)
	}
	at.list = at.list || list
	at.texts = append(at.texts, value.Of(strings.ToValidUTF8(text, "\uFFFD")))
	return nil
}

func mixed(name string) error {
	return fault.Newf(fault.Invalid, "%q is a text in one place of the query or form and an object in another", clip(name))
}

func (f *field) member(key string) *field {
	if m, ok := f.below[key]; ok {
		return m
	}
	if f.below == nil {
		f.below = make(map[string]*field)
	}
	m := &field{}
	f.below[key] = m
	f.names = append(f.names, key)
	return m
}

// brackets splits "a[b][c]" into its names; list is true for "a[]". A name that is not written so stays whole.
func brackets(name string) (path []string, list bool) {
	head, rest, ok := strings.Cut(name, "[")
	if !ok || head == "" {
		return []string{name}, false
	}
	path = append(path, head)
	for {
		inner, after, closed := strings.Cut(rest, "]")
		switch {
		case !closed || strings.Contains(inner, "[") || len(path) > maxBrackets:
			return []string{name}, false
		case inner == "" && after == "":
			return path, true
		case inner == "":
			return []string{name}, false
		}
		path = append(path, inner)
		if after == "" {
			return path, false
		}
		if rest, ok = strings.CutPrefix(after, "["); !ok {
			return []string{name}, false
		}
	}
}

// value returns what was collected, names in the order in which they came.
func (f *form) value() value.Value { return f.root.object() }

func (f *field) object() value.Value {
	members := make([]value.Member, len(f.names))
	for i, name := range f.names {
		members[i] = value.M(name, f.below[name].value())
	}
	return value.OfMembers(members)
}

func (f *field) value() value.Value {
	switch {
	case f.below != nil:
		return f.object()
	case f.list || len(f.texts) > 1:
		return value.OfItems(f.texts)
	}
	return f.texts[0]
}
