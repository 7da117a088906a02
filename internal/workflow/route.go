package workflow

import "strings"

// SplitPath reads a request path: "/api/name", "/trigger/name", either behind a version such as "/v1" or "/v1.0", or
// the bare "/api/" of a debug session. It returns the path without the version; ok is false for any other path.
func SplitPath(path string) (canonical string, ok bool) {
	if rest, versioned := cutVersion(path); versioned {
		path = rest
	}
	for _, base := range []string{"/api", "/trigger"} {
		if rest, found := strings.CutPrefix(path, base); found && (rest == "" || rest[0] == '/') {
			return path, true
		}
	}
	return "", false
}

// cutVersion removes a leading "/v<digits>" or "/v<digits>.<digits>".
func cutVersion(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, "/v")
	if !ok {
		return path, false
	}
	n := digits(rest)
	if n == 0 {
		return path, false
	}
	rest = rest[n:]
	if minor, dotted := strings.CutPrefix(rest, "."); dotted {
		rest = minor[digits(minor):]
	}
	return rest, strings.HasPrefix(rest, "/")
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
