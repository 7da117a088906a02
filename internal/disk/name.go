package disk

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sre-go/sre/fault"
)

// The longest name and the longest of its segments, in bytes. Most file systems stop at 255 for a segment.
const (
	MaxName    = 1024
	MaxSegment = 255
)

// CodePathDenied is the code of errors about names that lead, or may lead, out of a folder.
const CodePathDenied = "PATH_DENIED"

// ValidName checks that name may name a file in a folder: segments joined by "/", none of them empty, "." or "..",
// none that a system would take for something else (devices of Windows, drive letters, trailing dots and blanks,
// backslashes, control characters), and no such thing in disguise (percent encoding, full-width and dot-like runes).
// The error is of kind [fault.Invalid] with the code PATH_DENIED.
func ValidName(name string) error { return checkName("disk.name", name) }

func checkName(op, name string) error {
	if reason := badName(name); reason != "" {
		shown := name
		if len(shown) > 64 {
			shown = shown[:64] + "..."
		}
		return &fault.Error{Op: op, Resource: shown, Kind: fault.Invalid, Code: CodePathDenied, Err: errors.New(reason)}
	}
	return nil
}

func badName(name string) string {
	switch {
	case name == "":
		return "a name must not be empty"
	case len(name) > MaxName:
		return fmt.Sprintf("a name has at most %d bytes, this one has %d", MaxName, len(name))
	case !utf8.ValidString(name):
		return "a name must be UTF-8"
	case len(name) >= 2 && name[1] == ':' && isLetter(name[0]):
		return "a name must not begin with a drive letter"
	}
	for _, r := range name {
		switch {
		case r < 0x20 || r == 0x7f:
			return "a name must not hold control characters"
		case r == '\\' || r == '\uff0f' || r == '\uff3c' || r == '\ufe68' || r == '\u2215' || r == '\u2044':
			return "a name must not hold backslashes or look-alikes of slashes"
		}
	}
	for segment := range strings.SplitSeq(name, "/") {
		if reason := badSegment(segment); reason != "" {
			return reason
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
	case strings.Trim(s, ".\u2024\u2025\u2026\uff0e\ufe52") == "":
		return "a name must not have segments of dots"
	case s[len(s)-1] == '.' || s[len(s)-1] == ' ':
		return "a segment of a name must not end with a dot or a blank"
	case strings.EqualFold(s, tempFolder):
		return "the name " + tempFolder + " is reserved"
	case isDevice(s):
		return "a name must not be that of a device"
	case strings.Contains(s, "%"):
		return badEncoded(s)
	}
	return ""
}

// badEncoded refuses segments that a careless second decoding would turn into a separator or a dot segment.
func badEncoded(s string) string {
	for strings.Contains(s, "%25") {
		s = strings.ReplaceAll(s, "%25", "%")
	}
	var plain strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) < 16 && unhex(s[i+2]) < 16 {
			c := unhex(s[i+1])<<4 | unhex(s[i+2])
			if c < 0x20 || c == 0x7f || c == '/' || c == '\\' {
				return "a name must not hold encoded separators or control characters"
			}
			plain.WriteByte(c)
			i += 2
			continue
		}
		plain.WriteByte(s[i])
	}
	if strings.Trim(plain.String(), ".") == "" {
		return "a name must not have segments of encoded dots"
	}
	return ""
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
	stem, _, _ := strings.Cut(s, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	for _, port := range []string{"COM", "LPT"} {
		if digit, ok := strings.CutPrefix(stem, port); ok {
			switch digit {
			case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "\u00b9", "\u00b2", "\u00b3":
				return true
			}
		}
	}
	return false
}
