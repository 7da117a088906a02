package jsonfix

import (
	"fmt"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

// effort is how many characters may be looked at for each character of the text. An honest text needs about two; only
// text made to send the reader back again and again needs more, and it is refused.
const effort = 8

// slack is what a short text may cost beyond that.
const slack = 1024

// reader holds the place in one text. Methods that try a form return whether it was there, and leave the place
// unchanged when it was not.
type reader struct {
	text   string
	pos    int
	values int
	budget int // characters that may still be looked at
	limits limits.Limits
	buf    []byte // scratch for the string being read
	err    error  // the first fault; all reading ends with it
}

func newReader(text string) *reader {
	return &reader{text: text, budget: effort*len(text) + slack, limits: limits.Default()}
}

func repair(text string) (value.Value, error) {
	r := newReader(text)
	if len(text) > r.limits.JSONBytes {
		return value.Value{}, fault.Limitf(limits.JSONBytes, "JSON text of %d bytes is over the limit of %d", len(text), r.limits.JSONBytes)
	}
	v := r.root()
	if r.err != nil {
		return value.Value{}, r.err
	}
	return v, nil
}

// root reads the whole text: one value, perhaps in a fence, or several that commas or line breaks separate.
func (r *reader) root() value.Value {
	r.space()
	r.fence()
	v, ok := r.value(0)
	if !ok {
		r.fail("expected a value")
		return value.Value{}
	}
	brk := r.brokeLine() // an object that lacks its end has skipped the break already
	brk = r.space() || brk
	r.fence()
	brk = r.space() || brk
	comma := r.take(',')
	r.space()
	if (comma || brk) && r.startsValue() {
		v = r.lines(v)
	}
	for r.peek() == '}' || r.peek() == ']' {
		r.pos++
		r.space()
	}
	if r.pos < len(r.text) {
		r.fail("unexpected text after the value")
	}
	return v
}

// lines reads the values that follow the first one; together they are a list.
func (r *reader) lines(first value.Value) value.Value {
	items := []value.Value{first}
	for {
		v, ok := r.value(0)
		if !ok {
			return value.OfItems(items)
		}
		items = append(items, v)
		r.space()
		r.take(',')
	}
}

// value reads any value at the given nesting.
func (r *reader) value(depth int) (value.Value, bool) {
	r.space()
	if r.err != nil || r.pos >= len(r.text) {
		return value.Value{}, false
	}
	if r.values++; r.values > r.limits.JSONValues {
		r.limit(limits.JSONValues, "JSON text has more than %d values", r.limits.JSONValues)
		return value.Value{}, false
	}
	if c := r.text[r.pos]; c == '{' || c == '[' {
		if depth >= r.limits.JSONDepth {
			r.limit(limits.JSONDepth, "JSON text is nested deeper than %d", r.limits.JSONDepth)
			return value.Value{}, false
		}
		if c == '{' {
			return r.object(depth + 1), r.err == nil
		}
		return r.array(depth + 1), r.err == nil
	}
	if s, ok := r.str(); ok || r.err != nil {
		return value.Of(s), r.err == nil
	}
	if v, ok := r.number(); ok {
		return v, true
	}
	return r.bare(depth)
}

func (r *reader) object(depth int) value.Value {
	r.pos++
	r.space()
	if r.take(',') {
		r.space()
	}
	var members []value.Member
	for r.err == nil && r.pos < len(r.text) && r.peek() != '}' {
		if len(members) > 0 {
			r.take(',')
		}
		r.ellipsis()
		key, ok := r.key()
		if !ok {
			if c := r.peek(); r.pos < len(r.text) && c != '}' && c != '{' && c != ']' && c != '[' {
				r.fail("expected a member name")
			}
			break
		}
		members = append(members, value.Member{Key: key, Value: r.member(depth)})
		r.space()
	}
	r.take('}')
	return value.OfMembers(members)
}

// member reads what follows the name of a member.
func (r *reader) member(depth int) value.Value {
	r.space()
	cut := r.pos >= len(r.text)
	colon := r.take(':')
	if !colon && !cut && !r.startsValue() {
		r.fail("expected ':' after a member name")
		return value.Value{}
	}
	v, ok := r.value(depth)
	if ok {
		return v
	}
	if !colon && !cut {
		r.fail("expected ':' after a member name")
	}
	return value.NullValue()
}

func (r *reader) key() (string, bool) {
	r.space()
	if s, ok := r.str(); ok || r.err != nil {
		return s, ok
	}
	return r.word(true)
}

func (r *reader) array(depth int) value.Value {
	r.pos++
	r.space()
	if r.take(',') {
		r.space()
	}
	var items []value.Value
	for r.err == nil && r.pos < len(r.text) && r.peek() != ']' {
		if len(items) > 0 {
			r.take(',')
		}
		r.ellipsis()
		v, ok := r.value(depth)
		if !ok {
			break
		}
		items = append(items, v)
		r.space()
	}
	r.take(']')
	return value.OfItems(items)
}

// ellipsis skips "..." with the comma behind it, which stands for members or items left out.
func (r *reader) ellipsis() {
	r.space()
	if strings.HasPrefix(r.text[r.pos:], "...") {
		r.pos += 3
		r.space()
		r.take(',')
	}
}

func (r *reader) fail(reason string) {
	if r.err == nil {
		r.err = fault.New(fault.Invalid, fmt.Errorf("text is not JSON and cannot be repaired: %s at byte %d", reason, r.pos))
	}
}

func (r *reader) limit(name, format string, args ...any) {
	if r.err == nil {
		r.err = fault.Limitf(name, format, args...)
	}
}

// spend pays for n characters looked at, and ends the reading when the budget is used up.
func (r *reader) spend(n int) {
	if r.budget -= n; r.budget < 0 {
		r.fail("too much to and fro")
	}
}
