package access

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sre-go/sre/fault"
)

// The longest name of a resource and the longest of its segments, in bytes. Most file systems stop at 255 for a segment.
const (
	MaxName    = 1024
	MaxSegment = 255
)

// CodePathDenied is the code of errors about names that lead, or may lead, somewhere else than they say.
const CodePathDenied = "PATH_DENIED"

// ValidName checks that name may name a file or anything else that lies on a path: segments joined by "/", none of them
// empty, "." or "..", none that a system would take for something else (devices of Windows, drive letters, trailing dots
// and blanks, backslashes, control characters), and no such thing in disguise (percent encoding, full-width and dot-like
// runes). The error is of kind [fault.Invalid] with the code PATH_DENIED.
func ValidName(name string) error { return denied(name, badName(name)) }

// ValidKey checks that key may name an entry of a store without folders, such as a cache. What connectors make of a key
// is their affair, so it may hold nearly everything; but it is not empty, has at most [MaxName] bytes of UTF-8, no
// control characters, and does not look like a way out of a folder: no "/" at its beginning or after a drive letter, no
// "." or ".." between slashes or backslashes, encoded or not. The error is that of [ValidName].
func ValidKey(key string) error { return denied(key, badKey(key)) }

func denied(name, reason string) error {
	if reason == "" {
		return nil
	}
	if len(name) > 64 {
		name = name[:64] + "..."
	}
	return &fault.Error{Resource: name, Kind: fault.Invalid, Code: CodePathDenied, Err: fmt.Errorf("%s: %q", reason, name)}
}

func badName(name string) string {
	if reason := badText(name); reason != "" {
		return reason
	}
	if len(name) >= 2 && name[1] == ':' && isLetter(name[0]) {
		return "a name must not begin with a drive letter"
	}
	if strings.IndexByte(name, '\\') >= 0 || !ascii(name) && strings.ContainsAny(name, "\uff0f\uff3c\ufe68\u2215\u2044") {
		return "a name must not hold backslashes or look-alikes of slashes"
	}
	for more := true; more; {
		var segment string
		segment, name, more = strings.Cut(name, "/")
		if reason := badSegment(segment); reason != "" {
			return reason
		}
	}
	return ""
}

// badText is what names and keys have in common.
func badText(s string) string {
	switch {
	case s == "":
		return "a name must not be empty"
	case len(s) > MaxName:
		return fmt.Sprintf("a name has at most %d bytes, this one has %d", MaxName, len(s))
	case !utf8.ValidString(s):
		return "a name must be UTF-8"
	}
	for i := range len(s) {
		if s[i] < 0x20 || s[i] == 0x7f {
			return "a name must not hold control characters"
		}
	}
	return ""
}

// badKey says what is wrong with a key.
func badKey(key string) string {
	if reason := badText(key); reason != "" {
		return reason
	}
	plain := key
	if strings.Contains(key, "%") {
		var reason string
		if plain, reason = decoded(key); reason != "" {
			return reason
		}
	}
	if strings.IndexByte(plain, '/') < 0 && strings.IndexByte(plain, '\\') < 0 {
		if plain == "." || plain == ".." {
			return "a key must not be a dot segment"
		}
		return ""
	}
	start := plain
	if len(plain) > 2 && plain[1] == ':' && isLetter(plain[0]) {
		start = plain[2:]
	}
	if start[0] == '/' || start[0] == '\\' {
		return "a key must not begin like a path"
	}
	for segment := range strings.FieldsFuncSeq(plain, func(r rune) bool { return r == '/' || r == '\\' }) {
		if segment == "." || segment == ".." {
			return "a key must not have dot segments"
		}
	}
	return ""
}

func badSegment(s string) string {
	switch {
	case s == "":
		return "a name must not have empty segments"
	case len(s) > MaxSegment:
		return fmt.Sprintf("a segment of a name has at most %d bytes, this one has %d", MaxSegment, len(s))
	case (s[0] == '.' || s[0] >= utf8.RuneSelf) && strings.Trim(s, ".\u2024\u2025\u2026\uff0e\ufe52") == "":
		return "a name must not have segments of dots"
	case s[len(s)-1] == '.' || s[len(s)-1] == ' ':
		return "a segment of a name must not end with a dot or a blank"
	case isDevice(s):
		return "a name must not be that of a device"
	case strings.IndexByte(s, '%') >= 0:
		return badEncoded(s)
	}
	return ""
}

// badEncoded refuses segments that a careless second decoding would turn into a separator or a dot segment.
func badEncoded(s string) string {
	plain, reason := decoded(s)
	switch {
	case reason != "":
		return reason
	case strings.ContainsAny(plain, `/\`):
		return "a name must not hold encoded separators"
	case strings.Trim(plain, ".") == "":
		return "a name must not have segments of encoded dots"
	}
	return ""
}

// decoded undoes percent encoding, however often it was applied to the sign itself.
func decoded(s string) (plain, reason string) {
	for strings.Contains(s, "%25") {
		s = strings.ReplaceAll(s, "%25", "%")
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' || i+2 >= len(s) || unhex(s[i+1]) > 15 || unhex(s[i+2]) > 15 {
			b.WriteByte(s[i])
			continue
		}
		c := unhex(s[i+1])<<4 | unhex(s[i+2])
		if c < 0x20 || c == 0x7f {
			return "", "a name must not hold encoded control characters"
		}
		b.WriteByte(c)
		i += 2
	}
	return b.String(), ""
}

func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// isDevice reports whether Windows takes the segment for a device, whatever its extension.
func isDevice(s string) bool {
	if len(s) < 3 || !isLetter(s[0]) {
		return false
	}
	stem, _, _ := strings.Cut(s, ".")
	stem = strings.TrimRight(stem, " ")
	switch len(stem) {
	case 3:
		return strings.EqualFold(stem, "CON") || strings.EqualFold(stem, "PRN") || strings.EqualFold(stem, "AUX") || strings.EqualFold(stem, "NUL")
	case 4, 5:
		if !strings.EqualFold(stem[:3], "COM") && !strings.EqualFold(stem[:3], "LPT") {
			return false
		}
		digit := stem[3:]
		return len(digit) == 1 && digit[0] >= '0' && digit[0] <= '9' || digit == "\u00b9" || digit == "\u00b2" || digit == "\u00b3"
	case 6, 7:
		return strings.EqualFold(stem, "CONIN$") || strings.EqualFold(stem, "CONOUT$")
	}
	return false
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
