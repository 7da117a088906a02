package conformance

import (
	"fmt"
	"strings"

	"github.com/sre-go/sre/fault"
)

// PagePath is where the page of [Page] is kept, below the root of the module.
const PagePath = "docs/differences.md"

// Page writes the table of differences for readers: each entry with its reason and what changes. Every entry must name
// one of the cases and change something in it; the error of one that does not has the kind fault.Invalid.
func Page(table []Difference, cases []*Case) (string, error) {
	byName := make(map[string]*Case, len(cases))
	for _, c := range cases {
		byName[c.Name] = c
	}
	var b strings.Builder
	b.WriteString(`# Intended differences

Recorded cases of the reference runtime for which this runtime promises another result. Each is checked with every test
run: the result below is what counts as right. Written from internal/conformance/differences.json by
` + "`go test ./internal/conformance -run TestPage -update`" + `; do not edit it here.
`)
	for _, d := range table {
		c := byName[d.Case]
		if c == nil {
			return "", fault.Newf(fault.Invalid, "difference of %s: no such case", d.Case)
		}
		promised, err := d.Promise(c.Expected)
		if err != nil {
			return "", err
		}
		diffs := Compare(promised, c.Expected)
		if len(diffs) == 0 {
			return "", fault.Newf(fault.Invalid, "difference of %s: the same as recorded", d.Case)
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", d.Case, d.Reason)
		b.WriteString("| where | reference | here |\n|---|---|---|\n")
		for _, diff := range diffs {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", cell(diff.Pointer), cell(show(diff.Want)), cell(show(diff.Got)))
		}
	}
	return b.String(), nil
}

// cell returns text as code in a cell of a table.
func cell(text string) string {
	text = strings.ReplaceAll(text, "|", `\|`)
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return fence + text + fence
}
