// Package agentfile reads .smyth files: the programs that agents run.
//
// A file is checked completely before anything is built from it, and every
// fault is reported with its JSON pointer and a sentence. Facts about identity
// and authority in a file (team, debug permission, domain) are read for display
// only; who an agent is comes from whoever loads it.
package agentfile

import (
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

// Document is a checked agent file. It is immutable and may be shared.
type Document struct {
	ID           string // as the file says; may be empty
	Name         string
	AgentVersion string // deployed version label, "" for the development version
	ClaimedTeam  string // what the file says; never an authority
	Behavior     string
	Description  string
	DefaultModel value.Value
	Variables    value.Value // object of author texts
	Settings     value.Value
	DebugSession bool // the author asks for debug records; not a permission
	Components   []Component
	Connections  []Connection
	// Raw is the document without its wrapping, with keys this package does not know.
	Raw value.Value
	// Problems are the faults that do not keep the agent from being loaded.
	Problems Problems
}

// Component is one component of an agent.
type Component struct {
	component.Node
	Trigger string // name of the trigger it answers, "" for none
	Pointer string // JSON pointer in the file
}

// Connection joins an output to an input. Indexes are positions in the lists of the components they belong to.
type Connection struct {
	Source, Output int
	Target, Input  int // Input is Whole for a trigger that feeds all inputs of an endpoint
}

// Whole is the Input of a connection that feeds a whole endpoint.
const Whole = -1
