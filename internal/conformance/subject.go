// Package conformance runs the recorded cases of the reference runtime against this one.
//
// What the reference answers is data: a folder for each case with an agent, what
// to ask it and what came back. This package loads the cases, gives each its own
// model server, HTTP target and runtime, compares what comes back, and keeps the
// table of intended differences. The runtime itself stands behind [Subject], so
// that the machinery can be tested without one.
package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

// Subject is a runtime that cases are run against.
type Subject interface {
	// Deploy loads an agent. Its error is what each request to an agent that cannot be loaded throws.
	Deploy(ctx context.Context, agent value.Value) (Agent, error)
}

// Agent is a deployed agent. Run may be called concurrently.
type Agent interface {
	// Run answers one request and returns soon after ctx ends. Each call is a new process of the agent.
	Run(ctx context.Context, r Request) Response
	// Close releases the agent. State that outlives a request may go with it.
	Close()
}

// Operator is a subject that does the ops of cases of the kinds kernel and sdk. State persists over the ops of a case.
type Operator interface {
	// Operate does one op. Agent is that of the case, absent when it has none. An absent result is recorded as
	// undefined, an error by its message.
	Operate(ctx context.Context, agent value.Value, op Op) (value.Value, error)
}

// Talker is a subject that holds conversations.
type Talker interface {
	// Converse holds the conversation of a case and returns {turns, systemPrompt, toolNames, messages} as recorded.
	// Agent is that of the case, absent when it has none.
	Converse(ctx context.Context, agent value.Value, d Dialog) (value.Value, error)
}

// Boot starts a runtime for one case. It fails t when the runtime does not start and closes it through t.Cleanup.
type Boot func(t testing.TB, env Environment) Subject

// Environment is what a runtime is given for one case. Addresses are already in place in all of it.
type Environment struct {
	Vault    value.Value   // {team: {key: value}}; the shared team is "default"
	Models   value.Value   // own models, merged with the built-in ones
	Accounts value.Value   // {team: {users, agents, settings}}
	Agents   []value.Value // agents that others call by id

	LLMBaseURL  string // of the model server, ends in /v1
	HTTPBaseURL string // of the HTTP target
	Folder      string // an empty folder for everything that is stored on disk
	Logs        bool   // components keep their log, as with the log level "debug"
}

// EnvironmentVariables are the variables that vault values of the cases refer to.
func EnvironmentVariables() map[string]string {
	return map[string]string{"ORACLE_ENV_KEY": "from-env"}
}

// Request is one request of a case.
type Request struct {
	Method    string
	Path      string
	Body      value.Value // absent when the request has none
	Query     value.Value // absent when the request has none
	Headers   value.Value // absent when the request has none
	SessionID string
	URL       string
	Files     []component.File

	Callback   bool          // partial output is wanted in [Response.Callback]
	SSE        bool          // events are wanted in [Response.SSE]
	KillAfter  time.Duration // kill the run that long after its start; 0 means never
	KillReason string
	ReadState  string // read the state of this debug session instead of running
}

// Response is what one request gave.
type Response struct {
	Data     value.Value // absent when there was none
	Status   int         // 0 when the run gave none
	Threw    string      // message of the error that ended the request, "" for none
	TimedOut bool        // set by the runner
	SSE      []Event
	Callback []value.Value // what the callback was called with, one after the other
}

// Event is one server-sent event of a run.
type Event struct {
	Event string
	Data  value.Value
}

// Value returns the response in the form of a recorded one.
func (r Response) Value(request Request) value.Value {
	b := value.NewBuilder(4)
	switch {
	case r.TimedOut:
		b.Set("timeout", value.OfBool(true))
	case r.Threw != "":
		b.Set("threw", value.Of(r.Threw))
	case r.Data.IsAbsent():
		b.Set("data_undefined", value.OfBool(true))
	default:
		b.Set("data", r.Data)
	}
	if r.Status != 0 {
		b.Set("status", value.OfInt(r.Status))
	}
	if request.SSE {
		events := make([]value.Value, len(r.SSE))
		for i, e := range r.SSE {
			events[i] = value.Obj(value.M("event", value.Of(e.Event)), value.M("data", e.Data))
		}
		b.Set("sse", value.OfItems(events))
	}
	if request.Callback {
		b.Set("callback", value.List(r.Callback...))
	}
	return b.Build()
}
