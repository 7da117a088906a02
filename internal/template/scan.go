package template

import "strings"

// find returns where the first placeholder starts and ends that opens and shuts on one line; both are the length of s
// when there is none. Every byte is looked at once: a line that does not shut what it opens is skipped as a whole.
func find(s, open, shut string) (start, end int) {
	for from := 0; ; from = end {
		i := strings.Index(s[from:], open)
		if i < 0 {
			return len(s), len(s)
		}
		start = from + i
		end = start + len(open)
		for end < len(s) && !strings.HasPrefix(s[end:], shut) && !lineBreak(s[end:]) {
			end++
		}
		if end == len(s) {
			return end, end
		}
		if strings.HasPrefix(s[end:], shut) {
			return start, end + len(shut)
		}
	}
}

// lineBreak reports whether s begins with what JavaScript takes for the end of a line.
func lineBreak(s string) bool {
	return s[0] == '\n' || s[0] == '\r' || s[0] == 0xE2 && (strings.HasPrefix(s, "\u2028") || strings.HasPrefix(s, "\u2029"))
}
