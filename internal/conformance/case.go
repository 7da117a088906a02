package conformance

import (
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Kind says which level of the runtime a case exercises.
type Kind string

// The kinds of cases.
const (
	KindAgent        Kind = "agent"
	KindKernel       Kind = "kernel"
	KindConversation Kind = "conversation"
	KindSDK          Kind = "sdk"
)

// Case is one recorded case. Its values still hold placeholders; see [Places]. It must not be changed once loaded.
type Case struct {
	Area  string // folder that holds the case
	Name  string // "area/case"
	About string
	Kind  Kind
	Logs  bool // recorded with component logs on
	Agent string
	// Requests of kind agent, with everything still as the file has it.
	Requests []Step
	Parallel bool
	Rules    value.Value // of the model server
	Routes   value.Value // of the HTTP target

	Ops     []Op // of the kinds kernel and sdk
	Dialog  Dialog
	Quirk   bool
	Why     string // why a quirk is one
	Unclear bool   // two recordings differed in shape: there is nothing to compare with

	Expected value.Value
	Shared   *Shared
}

// Step is one request of a case with the times around it.
type Step struct {
	fields  value.Value
	Timeout time.Duration // how long the answer may take
	Wait    time.Duration // before the request
	Settle  time.Duration // after it
}

// Op is one operation of a case of kind kernel or sdk.
type Op struct {
	Name   string
	Fields value.Value
}

// Dialog is what a case of kind conversation says.
type Dialog struct {
	Model    value.Value
	Spec     value.Value // "agent" for the agent of the case, else an agent id
	Settings value.Value
	Tools    []value.Value
	Prompts  []value.Value
}

// Shared is what all cases of a folder share.
type Shared struct {
	Vault    value.Value
	Models   value.Value
	Accounts value.Value
	Agents   []value.Value
}

const defaultTimeout = 25 * time.Second

// ReachesModel reports whether the recorded run sent anything to the model server.
func (c *Case) ReachesModel() bool { return c.Expected.Get("llm_requests").Len() > 0 }

// Components returns the component types that the agent of the case names, in order and with repetitions.
func (c *Case) Components() []string {
	agent, err := value.Parse(c.Agent)
	if err != nil {
		return nil
	}
	var names []string
	for _, component := range agent.Get("components").Items() {
		names = append(names, component.GetString("name"))
	}
	return names
}

// parseCase reads case.json. Members it does not know are refused: a case that is only half understood proves nothing.
func parseCase(text string, c *Case) error {
	v, err := value.Parse(text)
	if err != nil {
		return err
	}
	if err := refuseUnknown("case", v, caseMembers); err != nil {
		return err
	}
	c.About = v.GetString("about")
	c.Kind = Kind(v.GetString("kind"))
	if c.Kind == "" {
		c.Kind = KindAgent
	}
	c.Logs = v.GetString("process") == "debuglog"
	c.Parallel = v.Get("parallel").Truthy()
	c.Rules, c.Routes = v.Get("llm"), v.Get("http")
	c.Quirk, c.Why = v.Get("quirk").Truthy(), v.GetString("quirk_why")
	c.Unclear = v.Get("nondeterministic").Truthy()
	switch c.Kind {
	case KindAgent:
		for _, r := range v.Get("requests").Items() {
			step, err := parseStep(r)
			if err != nil {
				return err
			}
			c.Requests = append(c.Requests, step)
		}
		if len(c.Requests) == 0 {
			return fault.Newf(fault.Invalid, "case has no requests")
		}
	case KindKernel, KindSDK:
		for _, o := range v.Get("ops").Items() {
			c.Ops = append(c.Ops, Op{Name: o.GetString("op"), Fields: o.Without("op")})
		}
		if len(c.Ops) == 0 {
			return fault.Newf(fault.Invalid, "case has no ops")
		}
	case KindConversation:
		c.Dialog = Dialog{
			Model: v.Get("model"), Spec: v.Get("spec"), Settings: v.Get("settings"),
			Tools: v.Get("tools").Items(), Prompts: v.Get("prompts").Items(),
		}
	default:
		return fault.Newf(fault.Invalid, "unknown kind %q of case", c.Kind)
	}
	return nil
}

func parseStep(v value.Value) (Step, error) {
	if err := refuseUnknown("request", v, requestMembers); err != nil {
		return Step{}, err
	}
	s := Step{fields: v, Timeout: defaultTimeout}
	if ms, ok := v.Get("timeout_ms").Num(); ok {
		s.Timeout = milliseconds(ms)
	}
	if ms, ok := v.Get("wait_ms").Num(); ok {
		s.Wait = milliseconds(ms)
	}
	if ms, ok := v.Get("settle_ms").Num(); ok {
		s.Settle = milliseconds(ms)
	}
	return s, nil
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

const (
	caseMembers = " name about kind process requests parallel llm http normalize quirk quirk_why varies nondeterministic" +
		" ops model spec settings tools prompts "
	requestMembers = " method path body query headers sessionID url files callback sse kill read_state timeout_ms settle_ms wait_ms "
)
