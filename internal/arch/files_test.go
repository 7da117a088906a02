package arch

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

// maxLines bounds a source file.
const maxLines = 600

// checkFiles finds what is wrong with a file as a whole.
func checkFiles(files []*file) []string {
	var findings []string
	documented := map[string]bool{}
	for _, f := range files {
		if n := strings.Count(f.text, "\n"); n > maxLines {
			findings = append(findings, fmt.Sprintf("%s: has %d lines, at most %d: one idea a file", f.path, n, maxLines))
		}
		if own := f.ast.Doc != nil && strings.TrimSpace(f.ast.Doc.Text()) != ""; own || !f.test {
			documented[f.pkg] = documented[f.pkg] || own
		}
		for _, word := range []string{"TO" + "DO", "FIX" + "ME", "XX" + "X"} {
			if strings.Contains(f.text, word) {
				findings = append(findings, fmt.Sprintf("%s: holds the word %s: do it now or write it into an issue", f.path, word))
			}
		}
		for _, imp := range f.ast.Imports {
			if imp.Name != nil && imp.Name.Name == "." {
				findings = append(findings, fmt.Sprintf("%s: imports %s with a dot: names say where they come from", f.path, imp.Path.Value))
			}
		}
		if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "types", "misc", "base", "shared"}, path.Base(f.pkg)) {
			findings = append(findings, fmt.Sprintf("%s: %s is no name of a room", f.path, path.Base(f.pkg)))
		}
	}
	for pkg, ok := range documented {
		if !ok {
			findings = append(findings, fmt.Sprintf("package %q has no package comment", pkg))
		}
	}
	return findings
}

func TestFiles_Finds(t *testing.T) {
	t.Parallel()
	const said = "// Package x is.\npackage x\n"
	tests(t, checkFiles, []sample{
		{"long file", "x/x.go", said + strings.Repeat("\n", maxLines), 1},
		{"as long as may be", "x/x.go", said + strings.Repeat("\n", maxLines-2), 0},
		{"no package comment", "x/x.go", "package x", 1},
		{"a comment that is only a directive", "x/x.go", "//go:build linux\npackage x", 1},
		{"unfinished", "x/x.go", said + "// TO" + "DO: more", 1},
		{"dot import", "x/x.go", said + "import . \"strings\"", 1},
		{"room without a name", "internal/util/x.go", "// Package util is.\npackage util", 1},
	})
}
