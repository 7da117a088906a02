package value

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// digits moves past decimal digits and returns how many there were.
func (d *decoder) digits() int {
	start := d.pos
	for d.pos < len(d.text) && d.text[d.pos]-'0' <= 9 {
		d.pos++
	}
	return d.pos - start
}

// number reads a number. One that is out of range gives an infinity, as in JavaScript.
func (d *decoder) number() (Value, error) {
	start := d.pos
	if d.text[d.pos] == '-' {
		d.pos++
	}
	if d.next() == '0' {
		d.pos++
	} else if d.digits() == 0 {
		return Value{}, d.fail("expected a digit")
	}
	whole := true
	if d.next() == '.' {
		whole = false
		d.pos++
		if d.digits() == 0 {
			return Value{}, d.fail("expected a digit after the decimal point")
		}
	}
	if c := d.next(); c == 'e' || c == 'E' {
		whole = false
		d.pos++
		if c := d.next(); c == '+' || c == '-' {
			d.pos++
		}
		if d.digits() == 0 {
			return Value{}, d.fail("expected a digit in the exponent")
		}
	}
	text := d.text[start:d.pos]
	if whole && len(text) < 16 { // exact in a float64
		i, _ := strconv.ParseInt(text, 10, 64)
		if i == 0 && text[0] == '-' {
			return OfNumber(math.Copysign(0, -1)), nil
		}
		return OfNumber(float64(i)), nil
	}
	f, _ := strconv.ParseFloat(text, 64)
	return OfNumber(f), nil
}

// str reads a string; the position is at its opening quote. A string without escapes is a part of the text.
func (d *decoder) str() (string, error) {
	d.pos++
	start := d.pos
	var high byte // all bytes or-ed: has the top bit when one is not ASCII
	for d.pos < len(d.text) {
		c := d.text[d.pos]
		switch {
		case c == '"':
			s := d.text[start:d.pos]
			if high >= utf8.RuneSelf && !utf8.ValidString(s) {
				return "", d.fail("string is not valid UTF-8")
			}
			d.pos++
			return s, nil
		case c == '\\':
			return d.escaped(start)
		case c < 0x20:
			return "", d.fail("control character in a string")
		}
		high |= c
		d.pos++
	}
	return "", d.fail("string without an end")
}

// escaped reads the rest of a string that started at start and has its first escape at the position.
func (d *decoder) escaped(start int) (string, error) {
	out := append(make([]byte, 0, d.pos-start+32), d.text[start:d.pos]...)
	for d.pos < len(d.text) {
		c := d.text[d.pos]
		switch {
		case c == '"':
			if !utf8.Valid(out) {
				return "", d.fail("string is not valid UTF-8")
			}
			d.pos++
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
			r, ok := d.unicode()
			if !ok {
				return "", d.fail(`expected four hexadecimal digits after \u`)
			}
			out = utf8.AppendRune(out, r)
		default:
			return "", d.fail("unknown escape in a string")
		}
	}
	return "", d.fail("string without an end")
}

// unicode reads the digits of a \u escape, and the second one of a surrogate pair. Half a pair gives U+FFFD.
func (d *decoder) unicode() (rune, bool) {
	r, ok := d.hex4()
	if !ok || !utf16.IsSurrogate(r) {
		return r, ok
	}
	if strings.HasPrefix(d.text[d.pos:], `\u`) {
		mark := d.pos
		d.pos += 2
		if low, ok := d.hex4(); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, true
			}
		}
		d.pos = mark // it stands for itself, or is a fault of its own
	}
	return utf8.RuneError, true
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
