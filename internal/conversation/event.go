package conversation

import (
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// Event is something that happened while a prompt was answered: [Requested], [Text], [Thinking], [Raw], [Planned],
// [Calling], [Called], [Noted], [Used], [Rejected], [Interrupted] or, as the last one of an answer that came to its end, [End].
type Event interface{ isEvent() }

// Requested tells that the model is being asked.
type Requested struct {
	Request string // id of the call of the model
	Model   string
	Window  []llm.Message
	Max     int // tokens of the answer
}

// Text is a piece of the answer.
type Text struct {
	Request string
	Text    string
	Tool    bool // a tool shows it, not the model
}

// Thinking is a piece of what the model thinks.
type Thinking struct {
	Request string
	Text    string
	Tool    bool // likewise
}

// Raw is a piece of the stream as the provider sent it.
type Raw struct {
	Request string
	JSON    value.Value
}

// Call is a tool that the model has asked for.
type Call struct {
	Index     int // among the calls of the same answer
	ID        string
	Name      string
	Arguments string // as the model wrote them
	Label     string // what is shown while it runs, "" for nothing
}

// Planned tells which tools are about to be called.
type Planned struct {
	Request string
	Calls   []Call
	Said    llm.Message // the answer that asks for them
}

// Calling tells that a tool is being called.
type Calling struct {
	Request string
	Call    Call
	Args    value.Value
	Said    llm.Message
}

// Called tells what a tool has answered.
type Called struct {
	Request string
	Call    Call
	Args    value.Value
	Result  value.Value // what the text says, a string when it is no JSON
	Text    string      // as the model is shown it
	Failed  bool
	Pending bool // it was not called: the limit of calls was reached
}

// Noted is what a tool tells beside its result, under a name of its own: that a list of tasks has changed, for example.
type Noted struct {
	Request string
	Name    string
	Data    value.Value
}

// Used tells what a call of the model has used.
type Used struct {
	Request string
	Model   string
	Usage   llm.Usage
	Reason  llm.Reason // why its answer ended
}

// Interrupted tells why the answer is not what was asked for: the reason of the model, or [MaxCalls] or [Loop].
type Interrupted struct {
	Request string
	Reason  string
}

// Reasons of [Interrupted] that are ours.
const (
	MaxCalls = "max_tool_calls"
	Loop     = "loop_detected"
	Spent    = "budget_exceeded"
)

// Rejected tells that what the model said does not have the form that was asked for. What was shown of it does not
// count: the model is asked again.
type Rejected struct {
	Request string
	Err     error
}

// End tells that the prompt is answered.
type End struct {
	Request string
	Text    string      // all that was said, what tools have shown included
	Object  value.Value // the answer, when it was to be JSON
	Reason  llm.Reason
	Usage   llm.Usage // of all calls of the model together
	Calls   int       // of tools
}

func (Requested) isEvent()   {}
func (Text) isEvent()        {}
func (Thinking) isEvent()    {}
func (Raw) isEvent()         {}
func (Planned) isEvent()     {}
func (Calling) isEvent()     {}
func (Called) isEvent()      {}
func (Noted) isEvent()       {}
func (Used) isEvent()        {}
func (Rejected) isEvent()    {}
func (Interrupted) isEvent() {}
func (End) isEvent()         {}
