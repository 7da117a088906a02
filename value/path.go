package value

import "strings"

// Path is a parsed path expression such as "body.items[0].name". Split once, walked many times.
// It is safe for concurrent use.
type Path struct {
	steps []step
}

type step struct {
	key   string
	index int // -1 when key is not a decimal index
}

// ParsePath splits an expression at '.', '[' and ']'; empty parts are skipped. Every text is a path.
func ParsePath(expr string) Path {
	parts := strings.FieldsFunc(expr, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	p := Path{steps: make([]step, len(parts))}
	for i, part := range parts {
		p.steps[i] = step{key: part, index: decimal(part)}
	}
	return p
}

// decimal reads a canonical array index; -1 when s is none.
func decimal(s string) int {
	if s == "" || len(s) > 9 || s[0] == '0' && len(s) > 1 {
		return -1
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// Len returns the number of steps.
func (p Path) Len() int { return len(p.steps) }

// First returns the name of the first step, "" for an empty path.
func (p Path) First() string {
	if len(p.steps) == 0 {
		return ""
	}
	return p.steps[0].key
}

// Tail returns the path without its first n steps.
func (p Path) Tail(n int) Path { return Path{steps: p.steps[min(n, len(p.steps)):]} }

// Walk follows the path into v: members of objects, items of arrays, characters and length of strings.
// It is absent as soon as a step does not exist. Inherited JavaScript properties do not exist here.
func (p Path) Walk(v Value) Value {
	for _, s := range p.steps {
		switch v.kind {
		case Object:
			v = v.Get(s.key)
		case Array:
			switch {
			case s.index >= 0:
				v = v.At(s.index)
			case s.key == "length":
				v = OfInt(len(v.ref.items))
			default:
				return Value{}
			}
		case String:
			switch {
			case s.index >= 0:
				c, ok := charAt(v.str, s.index)
				if !ok {
					return Value{}
				}
				v = Of(c)
			case s.key == "length":
				v = OfInt(utf16Len(v.str))
			default:
				return Value{}
			}
		default:
			return Value{}
		}
	}
	return v
}

// Lookup walks an expression once. Keep a [Path] when the same expression is used again.
func (v Value) Lookup(expr string) Value { return ParsePath(expr).Walk(v) }
