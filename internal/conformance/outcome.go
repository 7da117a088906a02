package conformance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Outcome is what came of one case.
type Outcome struct {
	Case     *Case
	Promised bool   // compared with the table of differences, not with the recording
	Reason   string // of the difference
	Data     []Diff // in what the runtime answered
	Wire     []Diff // in what the model server and the HTTP target received
	Err      error  // why the case could not be run
}

// Failed reports whether the case did not give what it should.
func (o Outcome) Failed() bool { return o.Err != nil || len(o.Data)+len(o.Wire) > 0 }

// maxShown bounds how many differences of one case are printed.
const maxShown = 20

// String tells what differs, and what kind of case it is.
func (o Outcome) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)", o.Case.Name, o.class())
	switch {
	case o.Promised:
		fmt.Fprintf(&b, "\n\tpromised instead of the recording: %s", o.Reason)
	case o.Case.Quirk:
		fmt.Fprintf(&b, "\n\tquirk: %s", o.Case.Why)
	}
	if o.Err != nil {
		fmt.Fprintf(&b, "\ncannot run: %v", o.Err)
	}
	for i, d := range slices.Concat(o.Data, o.Wire) {
		if i == maxShown {
			fmt.Fprintf(&b, "\nand %d more", len(o.Data)+len(o.Wire)-maxShown)
			break
		}
		b.WriteString("\n" + d.String())
	}
	return b.String()
}

func (o Outcome) class() string {
	switch {
	case o.Case.Unclear:
		return "unclear"
	case o.Err != nil:
		return "not run"
	case !o.Failed() && o.Promised:
		return "differs as promised"
	case !o.Failed():
		return "same"
	case len(o.Data) == 0:
		return "other requests"
	case o.Case.Quirk && !o.Promised:
		return "quirk differs"
	}
	return "differs"
}

// Summary is what came of many cases.
type Summary struct {
	Outcomes []Outcome // sorted by name once [Run] returns
}

func (s *Summary) sort() {
	slices.SortFunc(s.Outcomes, func(a, b Outcome) int { return cmp.Compare(a.Case.Name, b.Case.Name) })
}

// Count returns how many cases are of each class: "same", "differs as promised", "differs", "quirk differs" (a quirk of
// the reference that is neither matched nor in the table), "other requests" (right answers by other requests to
// servers), "not run" and "unclear" (the recordings themselves disagree).
func (s Summary) Count() map[string]int {
	count := make(map[string]int)
	for _, o := range s.Outcomes {
		count[o.class()]++
	}
	return count
}

// Failed returns the names of the cases of a class of [Summary.Count], of all that failed for "".
func (s Summary) Failed(class string) []string {
	var names []string
	for _, o := range s.Outcomes {
		if o.Failed() && (class == "" || o.class() == class) {
			names = append(names, o.Case.Name)
		}
	}
	return names
}

// String returns a table of areas and classes, and the names of the cases that failed.
func (s Summary) String() string {
	classes := []string{"same", "differs as promised", "differs", "quirk differs", "other requests", "not run", "unclear"}
	byArea := make(map[string]*Summary)
	var areas []string
	for _, o := range s.Outcomes {
		if byArea[o.Case.Area] == nil {
			byArea[o.Case.Area] = &Summary{}
			areas = append(areas, o.Case.Area)
		}
		byArea[o.Case.Area].Outcomes = append(byArea[o.Case.Area].Outcomes, o)
	}
	slices.Sort(areas)
	var b strings.Builder
	row := func(name string, of Summary) {
		count := of.Count()
		fmt.Fprintf(&b, "%-18s %5d", name, len(of.Outcomes))
		for _, class := range classes {
			fmt.Fprintf(&b, " %*d", max(len(class), 5), count[class])
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "\n%-18s cases", "area")
	for _, class := range classes {
		fmt.Fprintf(&b, " %*s", max(len(class), 5), class)
	}
	b.WriteString("\n")
	for _, area := range areas {
		row(area, *byArea[area])
	}
	row("all", s)
	for _, class := range classes {
		if names := s.Failed(class); len(names) > 0 {
			fmt.Fprintf(&b, "%s: %s\n", class, strings.Join(names, " "))
		}
	}
	return b.String()
}
