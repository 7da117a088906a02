package value

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sre-go/sre/fault"
)

// Limits bound what a decoder accepts. A zero field means the default of [DefaultLimits].
type Limits struct {
	Bytes  int // length of the text in bytes
	Depth  int // nesting of arrays and objects
	Values int // values in total, members and items included
	// Duplicates keeps the last of two members of one name, as JSON.parse does. Otherwise they are refused.
	Duplicates bool
}

// DefaultLimits are the bounds for request bodies and other untrusted JSON.
func DefaultLimits() Limits {
	return Limits{Bytes: 10 << 20, Depth: 100, Values: 1_000_000}
}

// Decode reads one JSON text within limits. Faults are [fault.Invalid] around a [*SyntaxError]; a text over a limit
// is [fault.Limit] and names the limit. Bytes are copied once, and the caller may reuse them; a string is kept.
func Decode[T string | []byte](text T, limits Limits) (Value, error) {
	limits = limits.orDefault()
	if err := limits.checkBytes(len(text)); err != nil {
		return Value{}, err
	}
	return decode(string(text), limits)
}

// Parse reads one JSON text within the default limits; a later duplicate member wins, as in JSON.parse.
func Parse(text string) (Value, error) {
	limits := Limits{Duplicates: true}.orDefault()
	if err := limits.checkBytes(len(text)); err != nil {
		return Value{}, err
	}
	return decode(text, limits)
}

func (l Limits) orDefault() Limits {
	def := DefaultLimits()
	if l.Bytes == 0 {
		l.Bytes = def.Bytes
	}
	if l.Depth == 0 {
		l.Depth = def.Depth
	}
	if l.Values == 0 {
		l.Values = def.Values
	}
	return l
}

func (l Limits) checkBytes(n int) error {
	if n > l.Bytes {
		return fault.Limitf("json_bytes", "JSON text of %d bytes is over the limit of %d", n, l.Bytes)
	}
	return nil
}

func decode(text string, limits Limits) (Value, error) {
	d := decoder{text: text, limits: limits}
	d.space()
	v, err := d.value(0)
	if err == nil {
		d.space()
		if d.pos < len(text) {
			err = d.fail("unexpected text after the value")
		}
	}
	if syn, ok := err.(*SyntaxError); ok {
		syn.Pointer = d.pointer()
		return Value{}, fault.New(fault.Invalid, syn)
	}
	return v, err
}

// decoder reads values from a text by recursive descent. The values of open arrays and objects are collected on two
// stacks, so that each array and object is allocated once, at its final size.
type decoder struct {
	text    string
	pos     int
	count   int
	limits  Limits
	items   []Value
	members []Member
	trail   []string // after a fault: where it is, from the innermost name or index outwards
}

// room is the first capacity of the stacks.
const room = 8

// fail makes the error for a fault at the current position. Arrays and objects add to the trail as it passes them.
func (d *decoder) fail(reason string) error {
	return &SyntaxError{Offset: d.pos, Reason: reason}
}

// pointer returns the trail as a JSON pointer.
func (d *decoder) pointer() string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	var p strings.Builder
	for _, part := range slices.Backward(d.trail) {
		p.WriteByte('/')
		p.WriteString(escape.Replace(part))
	}
	return p.String()
}

func (d *decoder) space() {
	for d.pos < len(d.text) {
		switch d.text[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

// next returns the byte at the position, 0 at the end.
func (d *decoder) next() byte {
	if d.pos < len(d.text) {
		return d.text[d.pos]
	}
	return 0
}

func (d *decoder) value(depth int) (Value, error) {
	if d.pos >= len(d.text) {
		return Value{}, d.fail("unexpected end of text")
	}
	if d.count++; d.count > d.limits.Values {
		return Value{}, fault.Limitf("json_values", "JSON text has more than %d values", d.limits.Values)
	}
	switch c := d.text[d.pos]; {
	case c == '"':
		s, err := d.str()
		return Of(s), err
	case c == '{' || c == '[':
		if depth >= d.limits.Depth {
			return Value{}, fault.Limitf("json_depth", "JSON text is nested deeper than %d", d.limits.Depth)
		}
		d.pos++
		d.space()
		if c == '{' {
			return d.object(depth + 1)
		}
		return d.array(depth + 1)
	case c == '-' || c >= '0' && c <= '9':
		return d.number()
	case d.word("true"):
		return OfBool(true), nil
	case d.word("false"):
		return OfBool(false), nil
	case d.word("null"):
		return NullValue(), nil
	}
	return Value{}, d.fail("expected a value")
}

func (d *decoder) word(w string) bool {
	if strings.HasPrefix(d.text[d.pos:], w) {
		d.pos += len(w)
		return true
	}
	return false
}

func (d *decoder) object(depth int) (Value, error) {
	if d.next() == '}' {
		d.pos++
		return OfMembers(nil), nil
	}
	if d.members == nil {
		d.members = make([]Member, 0, room)
	}
	base := len(d.members)
	var index map[string]int
	var key string
	for {
		err := d.name(&key)
		if err == nil && !d.limits.Duplicates {
			index, err = d.unique(index, d.members[base:], key)
		}
		if err == nil {
			err = d.colon()
		}
		var v Value
		if err == nil {
			v, err = d.value(depth)
		}
		if err != nil {
			d.trail = append(d.trail, key)
			return Value{}, err
		}
		d.members = append(d.members, Member{key, v})
		d.space()
		switch d.next() {
		case ',':
			d.pos++
			d.space()
			continue
		case '}':
			d.pos++
		default:
			d.trail = append(d.trail, key)
			return Value{}, d.fail("expected ',' or '}' in an object")
		}
		members := slices.Clone(d.members[base:])
		d.members = d.members[:base]
		if d.limits.Duplicates {
			return OfMembers(members), nil
		}
		return Value{kind: Object, ref: &node{members: members, index: index}}, nil
	}
}

// name reads the name of a member. The key keeps the name before when there is none.
func (d *decoder) name(key *string) error {
	if d.next() != '"' {
		return d.fail("expected a member name in quotes")
	}
	s, err := d.str()
	if err == nil {
		*key = s
	}
	return err
}

// colon moves from the end of a name to the start of its value.
func (d *decoder) colon() error {
	d.space()
	if d.next() != ':' {
		return d.fail("expected ':' after a member name")
	}
	d.pos++
	d.space()
	return nil
}

// unique refuses key when the open object has it already. From indexFrom members on it keeps an index of the names,
// which the object then carries.
func (d *decoder) unique(index map[string]int, open []Member, key string) (map[string]int, error) {
	if index == nil {
		for i := range open {
			if open[i].Key == key {
				return nil, d.fail("duplicate member " + strconv.Quote(key))
			}
		}
		if len(open)+1 < indexFrom {
			return nil, nil
		}
		index = make(map[string]int, 2*indexFrom)
		for i := range open {
			index[open[i].Key] = i
		}
	} else if _, dup := index[key]; dup {
		return nil, d.fail("duplicate member " + strconv.Quote(key))
	}
	index[key] = len(open)
	return index, nil
}

func (d *decoder) array(depth int) (Value, error) {
	if d.next() == ']' {
		d.pos++
		return OfItems(nil), nil
	}
	if d.items == nil {
		d.items = make([]Value, 0, room)
	}
	base := len(d.items)
	for {
		v, err := d.value(depth)
		if err != nil {
			d.leave(base, len(d.items)-base)
			return Value{}, err
		}
		d.items = append(d.items, v)
		d.space()
		switch d.next() {
		case ',':
			d.pos++
			d.space()
		case ']':
			d.pos++
			items := slices.Clone(d.items[base:])
			d.items = d.items[:base]
			return OfItems(items), nil
		default:
			d.leave(base, len(d.items)-base-1)
			return Value{}, d.fail("expected ',' or ']' in an array")
		}
	}
}

// leave adds an index to the trail and takes the items of an array that is given up off the stack.
func (d *decoder) leave(base, index int) {
	d.trail = append(d.trail, strconv.Itoa(index))
	d.items = d.items[:base]
}
