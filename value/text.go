package value

import (
	"strings"
	"unicode/utf8"
)

// Text returns v as JavaScript's String(v) does: objects give "[object Object]", arrays their items joined by commas.
func (v Value) Text() string {
	switch v.kind {
	case Absent:
		return "undefined"
	case Null:
		return "null"
	case Bool:
		if v.num != 0 {
			return "true"
		}
		return "false"
	case Number:
		return FormatNumber(v.num)
	case String:
		return v.str
	case Array:
		var b strings.Builder
		for i, it := range v.ref.items {
			if i > 0 {
				b.WriteByte(',')
			}
			if !it.IsNil() {
				b.WriteString(it.Text())
			}
		}
		return b.String()
	}
	return "[object Object]"
}

// Plain returns v as a person or a prompt wants it: strings as they are, everything else as compact JSON.
func (v Value) Plain() string {
	switch v.kind {
	case String:
		return v.str
	case Absent:
		return ""
	}
	return v.JSON()
}

// utf16Len counts UTF-16 code units.
func utf16Len(s string) int {
	n := 0
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			i++
			n++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		n++
		if r >= 0x10000 {
			n++
		}
	}
	return n
}

// charAt returns the i-th UTF-16 unit of s as a string; half of a surrogate pair gives the replacement character.
func charAt(s string, i int) (string, bool) {
	if i < 0 {
		return "", false
	}
	n := 0
	for _, r := range s {
		width := 1
		if r >= 0x10000 {
			width = 2
		}
		if i < n+width {
			if width == 2 {
				return string(utf8.RuneError), true
			}
			return string(r), true
		}
		n += width
	}
	return "", false
}

// Equal reports whether a and b are the same value. The order of object members does not matter, an absent member
// counts as none, and -0 equals 0.
func Equal(a, b Value) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case Bool, Number:
		return a.num == b.num || a.num != a.num && b.num != b.num
	case String:
		return a.str == b.str
	case Array:
		if len(a.ref.items) != len(b.ref.items) {
			return false
		}
		for i := range a.ref.items {
			if !Equal(a.ref.items[i], b.ref.items[i]) {
				return false
			}
		}
	case Object:
		if present(a.ref.members) != present(b.ref.members) {
			return false
		}
		for i := range a.ref.members {
			m := &a.ref.members[i]
			if m.Value.kind != Absent && !Equal(m.Value, b.Get(m.Key)) {
				return false
			}
		}
	}
	return true
}

// present counts the members that are not absent.
func present(members []Member) int {
	n := 0
	for i := range members {
		if members[i].Value.kind != Absent {
			n++
		}
	}
	return n
}
