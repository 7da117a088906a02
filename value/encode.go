package value

import (
	"math"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// JSON returns v as compact JSON, as JSON.stringify does: absent members are left out,
// absent items and numbers without a JSON form are null. An absent v gives "".
func (v Value) JSON() string {
	if v.kind == Absent {
		return ""
	}
	return string(v.Append(make([]byte, 0, v.sizeHint())))
}

// sizeHint guesses the length of the compact JSON of v: right for most texts, short by what has to be escaped.
func (v Value) sizeHint() int {
	n := 8
	switch v.kind {
	case String:
		n = len(v.str) + 2 + len(v.str)/16
	case Array:
		n = 2 + len(v.ref.items)
		for i := range v.ref.items {
			n += v.ref.items[i].sizeHint()
		}
	case Object:
		n = 2 + 4*len(v.ref.members)
		for i := range v.ref.members {
			n += len(v.ref.members[i].Key) + v.ref.members[i].Value.sizeHint()
		}
	}
	return n
}

// Append appends compact JSON to dst.
func (v Value) Append(dst []byte) []byte {
	switch v.kind {
	case Absent, Null:
		return append(dst, "null"...)
	case Bool:
		if v.num != 0 {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case Number:
		if v.num != v.num || math.IsInf(v.num, 0) {
			return append(dst, "null"...)
		}
		return AppendNumber(dst, v.num)
	case String:
		return AppendQuoted(dst, v.str)
	case Array:
		dst = append(dst, '[')
		for i := range v.ref.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = v.ref.items[i].Append(dst)
		}
		return append(dst, ']')
	}
	dst = append(dst, '{')
	first := true
	for i := range v.ref.members {
		m := &v.ref.members[i]
		if m.Value.kind == Absent {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = AppendQuoted(dst, m.Key)
		dst = append(dst, ':')
		dst = m.Value.Append(dst)
	}
	return append(dst, '}')
}

// Indent returns v as JSON with the given indentation for each level, as JSON.stringify(v, null, indent) does.
func (v Value) Indent(indent string) string {
	if v.kind == Absent {
		return ""
	}
	return string(v.appendIndent(nil, indent, "\n"))
}

func (v Value) appendIndent(dst []byte, indent, nl string) []byte {
	switch v.kind {
	case Array:
		if len(v.ref.items) == 0 {
			return append(dst, "[]"...)
		}
		dst = append(dst, '[')
		inner := nl + indent
		for i := range v.ref.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, inner...)
			dst = v.ref.items[i].appendIndent(dst, indent, inner)
		}
		dst = append(dst, nl...)
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		inner := nl + indent
		first := true
		for i := range v.ref.members {
			m := &v.ref.members[i]
			if m.Value.kind == Absent {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(dst, inner...)
			dst = AppendQuoted(dst, m.Key)
			dst = append(dst, ": "...)
			dst = m.Value.appendIndent(dst, indent, inner)
		}
		if !first {
			dst = append(dst, nl...)
		}
		return append(dst, '}')
	}
	return v.Append(dst)
}

// AppendQuoted appends s as a JSON string, escaping what JSON.stringify escapes. Invalid UTF-8 becomes U+FFFD.
func AppendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\uFFFD"...)
			i++
			start = i
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// MarshalJSON lets a Value stand inside structs that encoding/json writes.
func (v Value) MarshalJSON() ([]byte, error) { return v.Append(nil), nil }
