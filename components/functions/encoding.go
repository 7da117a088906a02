package functions

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// encoding is one way to write bytes as text.
type encoding uint8

const (
	unknown encoding = iota
	asUTF8
	asUTF16
	asLatin1
	asASCII
	asHex
	asBase64
	asBase64URL
)

// encodingNamed returns the encoding that Node.js has under a name, in any case.
func encodingNamed(name string) encoding {
	switch strings.ToLower(name) {
	case "utf8", "utf-8":
		return asUTF8
	case "utf16le", "utf-16le", "ucs2", "ucs-2":
		return asUTF16
	case "latin1", "binary":
		return asLatin1
	case "ascii":
		return asASCII
	case "hex":
		return asHex
	case "base64":
		return asBase64
	case "base64url":
		return asBase64URL
	}
	return unknown
}

// write returns bytes as text in a known encoding.
func (e encoding) write(b []byte) string {
	switch e {
	case asUTF16:
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = binary.LittleEndian.Uint16(b[2*i:])
		}
		return string(utf16.Decode(units))
	case asLatin1:
		return latin1(b, 0xff)
	case asASCII:
		return latin1(b, 0x7f)
	case asHex:
		return hex.EncodeToString(b)
	case asBase64:
		return base64.StdEncoding.EncodeToString(b)
	case asBase64URL:
		return base64.RawURLEncoding.EncodeToString(b)
	}
	return utf8Text(b)
}

func latin1(b []byte, mask byte) string {
	var s strings.Builder
	s.Grow(len(b))
	for _, c := range b {
		s.WriteRune(rune(c & mask))
	}
	return s.String()
}

// read returns the bytes that a text stands for in a known encoding. It never fails: what does not belong to the
// encoding is skipped or ends the text, as Node.js has it.
func (e encoding) read(s string) []byte {
	switch e {
	case asUTF16:
		b := make([]byte, 0, 2*len(s))
		for _, u := range utf16.Encode([]rune(s)) {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
		return b
	case asLatin1, asASCII:
		b := make([]byte, 0, len(s))
		for _, u := range utf16.Encode([]rune(s)) {
			b = append(b, byte(u))
		}
		return b
	case asHex:
		return readHex(lowBytes(s))
	case asBase64, asBase64URL:
		return readBase64(lowBytes(s))
	}
	return []byte(s)
}

// lowBytes keeps the low byte of each UTF-16 unit, which is all that Node.js looks at in the digits of an encoding.
func lowBytes(s string) string {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return string(asLatin1.read(s))
		}
	}
	return s
}

// readHex reads pairs of digits up to the first that is none.
func readHex(s string) []byte {
	b := make([]byte, 0, len(s)/2)
	for ; len(s) >= 2; s = s[2:] {
		high, low := hexDigit(s[0]), hexDigit(s[1])
		if high > 15 || low > 15 {
			break
		}
		b = append(b, high<<4|low)
	}
	return b
}

func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}

// readBase64 reads both alphabets, skips what belongs to neither and stops at the first '='.
func readBase64(s string) []byte {
	b := make([]byte, 0, len(s)/4*3+3)
	var acc uint32
	bits := 0
	for i := range len(s) {
		if s[i] == '=' {
			break
		}
		d := base64Digit(s[i])
		if d > 63 {
			continue
		}
		acc = acc<<6 | uint32(d)
		if bits += 6; bits >= 8 {
			bits -= 8
			b = append(b, byte(acc>>bits))
		}
	}
	return b
}

func base64Digit(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c - 'A'
	case 'a' <= c && c <= 'z':
		return c - 'a' + 26
	case '0' <= c && c <= '9':
		return c - '0' + 52
	case c == '+' || c == '-':
		return 62
	case c == '/' || c == '_':
		return 63
	}
	return 0xff
}
