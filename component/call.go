package component

import (
	"context"
	"net/http"
	"strings"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/value"
)

// Call is what one call of a component may touch. It is valid until Run returns and belongs to that call alone.
type Call struct {
	scope.Scope // every service, as the agent
	Node        *Node
	Agent       *Agent
	Request     *Request
	Effects     effect.Source
	Host        Host
	HTTP        *http.Client // the only way out; it applies the egress policy to every hop
	Loop        *Loop        // of a loop component, nil for others
	Debug       bool         // a debug session looks at this run

	// Sink receives log lines as they are written; nil when nobody listens. KeepLog also collects them for [Call.LogText].
	Sink    func(level, message string)
	KeepLog bool
	log     []string
}

// Node is the component as the agent file has it. It is shared by all calls and must not be changed.
type Node struct {
	ID          string
	Type        string // name of the component type
	DisplayName string
	Title       string
	Inputs      []NodePort
	Outputs     []NodePort
	Settings    value.Value // raw settings, with keys the schema does not know
	Template    value.Value // of a templated component: what its typed placeholders stand for, absent for others
}

// NodePort is a declared input or output of a component in an agent file.
type NodePort struct {
	Name        string
	Type        string
	Description string
	Expression  string // of an output: the path of its value
	DefaultVal  value.Value
	Optional    bool
	Default     bool // an output of the component type itself, not one that the author added
	IsFile      bool
	Connected   bool
}

// Agent is what a call may know of the agent it runs in. It is shared by all calls of a run and must not be changed.
type Agent struct {
	ID        string
	Team      string
	Name      string
	Version   string
	Behavior  string
	Session   string // id of the session of the run, "rt-…"
	Workflow  string // id of the request across nested agents
	Variables value.Value
	Settings  value.Value
}

// Request is what started the run. It is shared by all calls of a run and must not be changed.
type Request struct {
	Method  string
	Path    string
	Headers value.Value // names as sent, and again in lower case
	Body    value.Value
	Query   value.Value
	Params  value.Value
	Files   []File
}

// File is an upload of a multipart request.
type File struct {
	Field string // name of the form field
	Name  string // as the client named it; never a path to trust
	MIME  string
	Data  []byte
}

// Host is what the engine does for components that start other work.
type Host interface {
	// Fork starts what follows the component in the background and returns the id of the job.
	Fork(ctx context.Context, call *Call, in Input) (job string, err error)
	// Job returns the state of a job of this agent. done is closed when the job ends; it is nil for an unknown job.
	Job(id string) (state JobState, done <-chan struct{})
	// Invoke runs a skill of another agent on behalf of this one.
	Invoke(ctx context.Context, call *Call, agentID, version, skill string, body value.Value) (value.Value, error)
	// Converse holds a conversation and returns all that the model has said. Skills of another agent run as with Invoke, and
	// that agent asks the model; without one the agent of the call does. Tool calls, tokens and time are bounded by the
	// limits and budgets of the runtime.
	Converse(ctx context.Context, call *Call, t Talk) (string, error)
	// Emit passes partial output, such as tokens of a model, to whoever watches the run.
	Emit(call *Call, d Delta)
	// CountTokens returns how many tokens a text is for models, about.
	CountTokens(text string) int
}

// JobState is what is known of a background job.
type JobState struct {
	Status string      // "pending", "done", "failed" or "unknown_job"
	Output value.Value // the answer of the forked run
}

// Delta is a piece of partial output.
type Delta struct {
	Content  string
	Thinking string
	// OneLine shows line breaks to monitors as the two characters \n, as agents expect of some components.
	OneLine bool
}

// Loop is the state of a loop between the calls of its component. The engine keeps it; the component drives it.
type Loop struct {
	Started bool
	Items   []value.Value
	Index   int           // of the next item
	Results []value.Value // entries that the finished iterations left, {id, name, result} each
}

// Logs reports whether log lines go anywhere. Ask before building an expensive message.
func (c *Call) Logs() bool { return c.Sink != nil || c.KeepLog }

// LogDebug writes a log line of level debug.
func (c *Call) LogDebug(parts ...string) { c.logLine("debug", parts) }

// LogInfo writes a log line of level info.
func (c *Call) LogInfo(parts ...string) { c.logLine("info", parts) }

// LogError writes a log line of level error.
func (c *Call) LogError(parts ...string) { c.logLine("error", parts) }

func (c *Call) logLine(level string, parts []string) {
	if !c.Logs() {
		return
	}
	message := strings.Join(parts, " ")
	if c.Sink != nil {
		c.Sink(level, message)
	}
	if c.KeepLog {
		c.log = append(c.log, level+": "+message)
	}
}

// LogText returns the collected lines, each after its level; "" when none were kept.
func (c *Call) LogText() string { return strings.Join(c.log, "\n") }
