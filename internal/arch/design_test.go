package arch

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// design is the page that shows the rooms and the import table.
const design = "docs/design.md"

// checkRooms finds packages that the table of rooms does not show, neither by their own folder nor by one above.
func checkRooms(files []*file, page string) []string {
	rooms := roomsOf(page)
	var findings []string
	seen := map[string]bool{}
	for _, f := range files {
		if seen[f.pkg] {
			continue
		}
		seen[f.pkg] = true
		if !slices.ContainsFunc(rooms, func(room string) bool { return within(room, f.pkg) }) {
			findings = append(findings, fmt.Sprintf("%s: the table of rooms does not show %q", design, f.pkg))
		}
	}
	slices.Sort(findings)
	return findings
}

// roomsOf returns the patterns in the first column of the section Rooms.
func roomsOf(page string) []string {
	var rooms []string
	for _, line := range tableOf(page, "## Rooms") {
		cell, _, _ := strings.Cut(strings.TrimPrefix(line, "|"), "|")
		for i, name := range strings.Split(cell, "`") {
			if i%2 == 0 || strings.Contains(cell, "`.`") && name != "." {
				continue // between the quotes; the root is shown with the name of its package
			}
			parts := strings.Split(name, "/")
			for i, p := range parts {
				if strings.HasPrefix(p, "<") {
					parts[i] = "*"
				}
			}
			rooms = append(rooms, strings.Join(parts, "/"))
		}
	}
	return rooms
}

// within reports whether a folder, or one above it, matches a pattern. Only the root itself is within the root.
func within(pattern, pkg string) bool {
	parts := strings.Split(pkg, "/")
	n := strings.Count(pattern, "/") + 1
	return len(parts) >= n && matches(pattern, strings.Join(parts[:n], "/"))
}

// tableOf returns the lines of the first table below a heading, without its head.
func tableOf(page, heading string) []string {
	var lines []string
	in := false
	for line := range strings.SplitSeq(page, "\n") {
		switch {
		case line == heading:
			in = true
		case !in:
		case strings.HasPrefix(line, "|"):
			lines = append(lines, line)
		case len(lines) > 0 || strings.HasPrefix(line, "## "):
			return lines[min(2, len(lines)):]
		}
	}
	return lines[min(2, len(lines)):]
}

// shown returns the import table as the page should show it.
func shown() []string {
	quoted := func(text string) string {
		var words []string
		for _, w := range strings.Fields(text) {
			switch {
			case slices.ContainsFunc(groups(), func(g row) bool { return g.packages == w }):
				words = append(words, w)
			case w == "{service}":
				words = append(words, "its service")
			default:
				words = append(words, "`"+w+"`")
			}
		}
		if len(words) == 0 {
			return "nothing"
		}
		return strings.Join(words, ", ")
	}
	var lines []string
	for _, g := range groups() {
		lines = append(lines, "| "+g.packages+" is | "+quoted(g.may)+" |")
	}
	for _, r := range table() {
		lines = append(lines, "| `"+r.packages+"` | "+quoted(r.may)+" |")
	}
	return lines
}

// checkDesign compares the import table of the page with the one of this package.
func checkDesign(page string) []string {
	if slices.Equal(tableOf(page, "## Import table"), shown()) {
		return nil
	}
	return []string{design + ": the import table is not the one of internal/arch"}
}

func readDesign(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(design)))
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// TestDesignTable prints the table that the page should have when it has another.
func TestDesignTable(t *testing.T) {
	t.Parallel()
	findings := checkDesign(readDesign(t))
	if len(findings) > 0 {
		t.Logf("the table should be:\n\n| package | may import |\n|---|---|\n%s", strings.Join(shown(), "\n"))
	}
	report(t, "design", findings)
}

func TestDesignTable_Finds(t *testing.T) {
	t.Parallel()
	head := "# Design\n\n## Import table\n\nSome words.\n\n| package | may import |\n|---|---|\n"
	right := head + strings.Join(shown(), "\n") + "\n\n| another | table |\n|---|---|\n| of | it |\n"
	for _, test := range []struct {
		name, page string
		want       int
	}{
		{"right", right, 0},
		{"no table", "# Design\n\n## Import table\n\n## Next\n\n| package | may import |\n|---|---|\n| a | b |\n", 1},
		{"a row less", head + strings.Join(shown()[1:], "\n"), 1},
		{"more in a row", strings.Replace(right, "| `value` | `fault`", "| `value` | `fault`, `access`", 1), 1},
	} {
		if got := checkDesign(test.page); len(got) != test.want {
			t.Errorf("%s: found %q, want %d findings", test.name, got, test.want)
		}
	}
}

func TestRooms_Finds(t *testing.T) {
	t.Parallel()
	const page = "## Rooms\n\n| folder | one sentence |\n|---|---|\n| `a`, `b/c` | Two. |\n| `s/<subsystem>/<service>` | Many. |\n| `.` (`sre`) | Root. |\n"
	for _, test := range []struct {
		path string
		want int
	}{
		{"a/x.go", 0}, {"a/below/x.go", 0}, {"b/c/x.go", 0}, {"b/x.go", 1}, {"s/io/storage/x.go", 0}, {"s/io/storage/ram/x.go", 0},
		{"s/io/x.go", 1}, {"x.go", 0}, {"sre/x.go", 1}, {"c/x.go", 1},
	} {
		if got := checkRooms([]*file{source(t, test.path, "package x")}, page); len(got) != test.want {
			t.Errorf("%s: found %q, want %d findings", test.path, got, test.want)
		}
	}
}
