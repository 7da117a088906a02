package schema

import (
	"fmt"
	"strings"
)

// Nearest returns the known name that name most likely stands for, "" when none is close.
func Nearest(name string, known []string) string {
	best, bestDistance := "", 1+len(name)/3
	for _, k := range known {
		if strings.EqualFold(k, name) {
			return k
		}
		if d := distance(strings.ToLower(name), strings.ToLower(k), bestDistance); d <= bestDistance && (best == "" || d < bestDistance) {
			best, bestDistance = k, d
		}
	}
	return best
}

// UnknownName is the error for a name that is not among the known ones.
func UnknownName(what, name string, known []string) error {
	if near := Nearest(name, known); near != "" {
		return fmt.Errorf("unknown %s %q; did you mean %q?", what, name, near)
	}
	if len(known) == 0 {
		return fmt.Errorf("unknown %s %q; there are none", what, name)
	}
	if len(known) > 20 {
		return fmt.Errorf("unknown %s %q", what, name)
	}
	return fmt.Errorf("unknown %s %q; known are %s", what, name, strings.Join(known, ", "))
}

// distance is the Levenshtein distance of a and b, or limit+1 when it is larger.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diag, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diag+cost)
		}
	}
	return row[len(b)]
}
