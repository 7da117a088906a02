package agentfile

import (
	"fmt"
	"strings"

	"github.com/sre-go/sre/fault"
)

// Level says how bad a problem is.
type Level uint8

// The levels. A Fatal problem keeps the agent from being loaded; an Error makes a component fail when it is called
// and a validation fail; a Warning is worth a look.
const (
	Warning Level = iota
	Error
	Fatal
)

// String returns the level in lower case.
func (l Level) String() string {
	return [...]string{"warning", "error", "fatal"}[l]
}

// Problem is one fault of a file.
type Problem struct {
	Level     Level
	Pointer   string // JSON pointer of the place, "" for the whole file
	Component string // id of the component it belongs to, "" for none
	Message   string // what is wrong, and what to do about it
}

func (p Problem) String() string {
	at := p.Pointer
	if at == "" {
		at = "/"
	}
	return at + ": " + p.Message
}

// Problems are the faults of one file in the order they were found.
type Problems []Problem

// maxShown bounds how many problems one error text lists.
const maxShown = 10

func (ps Problems) Error() string {
	var b strings.Builder
	for i, p := range ps {
		if i == maxShown {
			fmt.Fprintf(&b, "\n  and %d more", len(ps)-i)
			break
		}
		if len(ps) > 1 {
			b.WriteString("\n  ")
		}
		b.WriteString(p.String())
	}
	return b.String()
}

// AtLeast returns the problems of that level and above.
func (ps Problems) AtLeast(l Level) Problems {
	var out Problems
	for _, p := range ps {
		if p.Level >= l {
			out = append(out, p)
		}
	}
	return out
}

// Err returns the problems of that level and above as one error of code INVALID_DEFINITION, nil when there are none.
func (ps Problems) Err(l Level) error {
	bad := ps.AtLeast(l)
	if len(bad) == 0 {
		return nil
	}
	return &fault.Error{Op: "agent.load", Kind: fault.Invalid, Code: "INVALID_DEFINITION", Err: bad}
}
