package conformance

import (
	"slices"
	"sync"
	"testing"

	"github.com/sre-go/sre/effect"
)

// Options choose what [Run] runs. The zero Options run all recorded cases.
type Options struct {
	Folders     string           // see [FromFolders]; the value of [FoldersVariable]
	Areas       []string         // run only these areas; empty for all
	Select      func(*Case) bool // run only these cases; nil for all
	Differences []Difference     // nil for the project's own table
	Source      effect.Source    // clock of waits and delays; nil for the system's
}

// Run runs cases against runtimes of boot, one subtest a case named area/case, and returns what came of them. The cases
// of an area run in parallel. Each case gets its own servers and its own runtime. A case whose answers differ from what
// was recorded, or from what the table of differences promises instead, fails its subtest; so does one of a kind that
// the subject cannot do. The summary goes to the log of t. Folders
// of others may hold none of the chosen cases; to choose none of the project's own is a mistake and fails t.
func Run(t *testing.T, boot Boot, o Options) Summary {
	t.Helper()
	cases, err := FromFolders(o.Folders)
	if err != nil {
		t.Fatalf("conformance cases: %v", err)
	}
	table := o.Differences
	if table == nil {
		if table, err = Differences(); err != nil {
			t.Fatalf("table of differences: %v", err)
		}
	}
	cases = slices.DeleteFunc(cases, func(c *Case) bool {
		return (len(o.Areas) > 0 && !slices.Contains(o.Areas, c.Area)) || (o.Select != nil && !o.Select(c))
	})
	if len(cases) == 0 && o.Folders == "" {
		t.Fatalf("no conformance cases chosen (areas %q)", o.Areas)
	}
	r := NewRunner(boot, table, o.Source)
	var (
		mu      sync.Mutex
		summary Summary
	)
	for area := range slices.Values(areasOf(cases)) {
		t.Run(area, func(t *testing.T) {
			for _, c := range cases {
				if c.Area != area {
					continue
				}
				t.Run(c.Name[len(area)+1:], func(t *testing.T) {
					t.Parallel()
					outcome := r.Run(t, c)
					mu.Lock()
					summary.Outcomes = append(summary.Outcomes, outcome)
					mu.Unlock()
					if outcome.Failed() {
						t.Error(outcome.String())
					}
				})
			}
		})
	}
	summary.sort()
	t.Log(summary.String())
	return summary
}

func areasOf(cases []*Case) []string {
	var areas []string
	for _, c := range cases {
		areas = append(areas, c.Area)
	}
	slices.Sort(areas)
	return slices.Compact(areas)
}
