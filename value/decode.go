package value

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

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

// SyntaxError says where a text stops being acceptable JSON.
type SyntaxError struct {
	Offset  int    // byte offset of the fault
	Pointer string // JSON pointer of the value being read
	Reason  string
}

func (e *SyntaxError) Error() string {
	at := e.Pointer
	if at == "" {
		at = "/"
	}
	return fmt.Sprintf("invalid JSON at byte %d (%s): %s", e.Offset, at, e.Reason)
}

// Decode reads one JSON text within limits. Faults are [fault.Invalid] around a [*SyntaxError]; a text over a limit
// is [fault.Limit] and names the limit.
func Decode(text []byte, limits Limits) (Value, error) {
	return decode(string(text), limits)
}

// Parse reads one JSON text within the default limits; a later duplicate member wins, as in JSON.parse.
func Parse(text string) (Value, error) {
	return decode(text, Limits{Duplicates: true})
}

func decode(text string, limits Limits) (Value, error) {
	def := DefaultLimits()
	if limits.Bytes == 0 {
		limits.Bytes = def.Bytes
	}
	if limits.Depth == 0 {
		limits.Depth = def.Depth
	}
	if limits.Values == 0 {
		limits.Values = def.Values
	}
	if len(text) > limits.Bytes {
		return Value{}, fault.Limitf("json_bytes", "JSON text of %d bytes is over the limit of %d", len(text), limits.Bytes)
	}
	d := decoder{text: text, limits: limits}
	d.space()
	v, err := d.value(0)
	if err == nil {
		d.space()
		if d.pos < len(text) {
			err = d.fail("unexpected text after the value")
		}
	}
	if err != nil {
		var syn *SyntaxError
		if errors.As(err, &syn) {
			return Value{}, fault.New(fault.Invalid, err)
		}
		return Value{}, err
	}
	return v, nil
}

type decoder struct {
	text   string
	pos    int
	count  int
	limits Limits
	path   []string // names and indexes from the root, for the pointer of a fault
}

func (d *decoder) fail(reason string) error {
	var p strings.Builder
	for _, part := range d.path {
		p.WriteByte('/')
		p.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(part))
	}
	return &SyntaxError{Offset: d.pos, Pointer: p.String(), Reason: reason}
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
	case c == '{':
		if depth >= d.limits.Depth {
			return Value{}, fault.Limitf("json_depth", "JSON text is nested deeper than %d", d.limits.Depth)
		}
		return d.object(depth + 1)
	case c == '[':
		if depth >= d.limits.Depth {
			return Value{}, fault.Limitf("json_depth", "JSON text is nested deeper than %d", d.limits.Depth)
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
	d.pos++
	var members []Member
	d.path = append(d.path, "")
	defer func() { d.path = d.path[:len(d.path)-1] }()
	d.space()
	if d.pos < len(d.text) && d.text[d.pos] == '}' {
		d.pos++
		return OfMembers(nil), nil
	}
	var seen map[string]struct{}
	for {
		d.space()
		if d.pos >= len(d.text) || d.text[d.pos] != '"' {
			return Value{}, d.fail("expected a member name in quotes")
		}
		key, err := d.str()
		if err != nil {
			return Value{}, err
		}
		d.path[len(d.path)-1] = key
		if !d.limits.Duplicates {
			if seen == nil && len(members) >= indexFrom {
				seen = make(map[string]struct{}, 2*len(members))
				for i := range members {
					seen[members[i].Key] = struct{}{}
				}
			}
			if seen != nil {
				if _, dup := seen[key]; dup {
					return Value{}, d.fail("duplicate member " + strconv.Quote(key))
				}
				seen[key] = struct{}{}
			} else {
				for i := range members {
					if members[i].Key == key {
						return Value{}, d.fail("duplicate member " + strconv.Quote(key))
					}
				}
			}
		}
		d.space()
		if d.pos >= len(d.text) || d.text[d.pos] != ':' {
			return Value{}, d.fail("expected ':' after a member name")
		}
		d.pos++
		d.space()
		v, err := d.value(depth)
		if err != nil {
			return Value{}, err
		}
		members = append(members, Member{key, v})
		d.space()
		if d.pos < len(d.text) && d.text[d.pos] == ',' {
			d.pos++
			continue
		}
		if d.pos < len(d.text) && d.text[d.pos] == '}' {
			d.pos++
			return OfMembers(members), nil
		}
		return Value{}, d.fail("expected ',' or '}' in an object")
	}
}

func (d *decoder) array(depth int) (Value, error) {
	d.pos++
	var items []Value
	d.path = append(d.path, "0")
	defer func() { d.path = d.path[:len(d.path)-1] }()
	d.space()
	if d.pos < len(d.text) && d.text[d.pos] == ']' {
		d.pos++
		return OfItems(nil), nil
	}
	for {
		d.space()
		v, err := d.value(depth)
		if err != nil {
			if syn, ok := errors.AsType[*SyntaxError](err); ok && len(items) > 0 {
				syn.Pointer = strings.Replace(syn.Pointer, pointerOf(d.path), pointerAt(d.path, len(items)), 1)
			}
			return Value{}, err
		}
		items = append(items, v)
		d.space()
		if d.pos < len(d.text) && d.text[d.pos] == ',' {
			d.pos++
			continue
		}
		if d.pos < len(d.text) && d.text[d.pos] == ']' {
			d.pos++
			return OfItems(items), nil
		}
		return Value{}, d.fail("expected ',' or ']' in an array")
	}
}

func pointerOf(path []string) string { return "/" + strings.Join(path, "/") }

func pointerAt(path []string, i int) string {
	p := append([]string(nil), path...)
	p[len(p)-1] = strconv.Itoa(i)
	return pointerOf(p)
}

func (d *decoder) number() (Value, error) {
	start := d.pos
	if d.text[d.pos] == '-' {
		d.pos++
	}
	digits := func() int {
		n := 0
		for d.pos < len(d.text) && d.text[d.pos] >= '0' && d.text[d.pos] <= '9' {
			d.pos++
			n++
		}
		return n
	}
	if d.pos < len(d.text) && d.text[d.pos] == '0' {
		d.pos++
	} else if digits() == 0 {
		return Value{}, d.fail("expected a digit")
	}
	whole := d.pos
	if d.pos < len(d.text) && d.text[d.pos] == '.' {
		d.pos++
		if digits() == 0 {
			return Value{}, d.fail("expected a digit after the decimal point")
		}
	}
	if d.pos < len(d.text) && (d.text[d.pos] == 'e' || d.text[d.pos] == 'E') {
		d.pos++
		if d.pos < len(d.text) && (d.text[d.pos] == '+' || d.text[d.pos] == '-') {
			d.pos++
		}
		if digits() == 0 {
			return Value{}, d.fail("expected a digit in the exponent")
		}
	}
	text := d.text[start:d.pos]
	if whole == d.pos && len(text) < 16 {
		i, _ := strconv.ParseInt(text, 10, 64)
		if i == 0 && text[0] == '-' {
			return OfNumber(math.Copysign(0, -1)), nil
		}
		return OfNumber(float64(i)), nil
	}
	f, _ := strconv.ParseFloat(text, 64) // out of range gives ±Inf, as in JavaScript
	return OfNumber(f), nil
}

func (d *decoder) str() (string, error) {
	d.pos++
	start := d.pos
	for d.pos < len(d.text) {
		switch c := d.text[d.pos]; {
		case c == '"':
			s := d.text[start:d.pos]
			if !utf8.ValidString(s) {
				return "", d.fail("string is not valid UTF-8")
			}
			d.pos++
			return s, nil
		case c == '\\':
			return d.escaped(start)
		case c < 0x20:
			return "", d.fail("control character in a string")
		}
		d.pos++
	}
	return "", d.fail("string without an end")
}

func (d *decoder) escaped(start int) (string, error) {
	out := append(make([]byte, 0, d.pos-start+32), d.text[start:d.pos]...)
	for d.pos < len(d.text) {
		c := d.text[d.pos]
		switch {
		case c == '"':
			d.pos++
			if !utf8.Valid(out) {
				return "", d.fail("string is not valid UTF-8")
			}
			return string(out), nil
		case c < 0x20:
			return "", d.fail("control character in a string")
		case c != '\\':
			out = append(out, c)
			d.pos++
			continue
		}
		if d.pos+1 >= len(d.text) {
			break
		}
		d.pos += 2
		switch e := d.text[d.pos-1]; e {
		case '"', '\\', '/':
			out = append(out, e)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := d.hex4()
			if !ok {
				return "", d.fail(`expected four hexadecimal digits after \u`)
			}
			if utf16.IsSurrogate(r) {
				next := rune(utf8.RuneError)
				if strings.HasPrefix(d.text[d.pos:], `\u`) {
					mark := d.pos
					d.pos += 2
					if low, ok := d.hex4(); ok {
						next = utf16.DecodeRune(r, low)
					}
					if next == utf8.RuneError {
						d.pos = mark
					}
				}
				r = next
			}
			out = utf8.AppendRune(out, r)
		default:
			return "", d.fail("unknown escape in a string")
		}
	}
	return "", d.fail("string without an end")
}

func (d *decoder) hex4() (rune, bool) {
	if d.pos+4 > len(d.text) {
		return 0, false
	}
	n, err := strconv.ParseUint(d.text[d.pos:d.pos+4], 16, 32)
	if err != nil {
		return 0, false
	}
	d.pos += 4
	return rune(n), true
}
