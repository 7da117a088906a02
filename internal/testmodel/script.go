package testmodel

import (
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Script says what the server answers: the first rule whose conditions all hold and which is not used up.
// Without one the answer is the text "OK". A Script is immutable.
type Script struct {
	rules []rule
}

type rule struct {
	when  value.Value
	times int // how often it may answer; negative for any number
	reply reply
}

// reply is one scripted answer.
type reply struct {
	text   value.Value // absent for none
	echo   string      // user, last, system or messages
	tools  []tool
	finish string   // "" for the default of the protocol
	chunks []string // pieces of a stream; nil to split the text

	delay      time.Duration
	chunkDelay time.Duration
	failure    value.Value // {status, message, type, code}
	drop       bool        // close the connection without an answer
	abortAfter int         // close it after that many pieces of a stream; negative for never
}

// tool is one tool call that the model asks for.
type tool struct{ id, name, arguments string }

const (
	ruleMembers  = " when times reply "
	conditions   = " model stream last_role last_contains user_contains system_contains has_tools "
	replyMembers = " text json echo tools finish delay_ms chunks chunk_delay_ms error close abort_after "
	echoes       = " user last system messages "
)

// ParseScript reads the rules of a case: [{when, times, reply}]. An absent v is a script without rules. Members that it
// does not know are refused with the kind fault.Invalid.
func ParseScript(v value.Value) (Script, error) {
	var s Script
	for i, r := range v.Items() {
		parsed, err := parseRule(r)
		if err != nil {
			return Script{}, fault.Newf(fault.Invalid, "rule %d of the model script: %w", i, err)
		}
		s.rules = append(s.rules, parsed)
	}
	return s, nil
}

func parseRule(v value.Value) (rule, error) {
	r := rule{when: v.Get("when"), times: -1}
	if n, ok := v.Get("times").Num(); ok {
		r.times = int(n)
	}
	answer := v.Get("reply")
	for _, check := range []struct {
		of    value.Value
		known string
	}{{v, ruleMembers}, {r.when, conditions}, {answer, replyMembers}} {
		for _, m := range check.of.Members() {
			if !strings.Contains(check.known, " "+m.Key+" ") {
				return rule{}, fault.Newf(fault.Invalid, "unknown member %q", m.Key)
			}
		}
	}
	var err error
	r.reply, err = parseReply(answer)
	return r, err
}

func parseReply(v value.Value) (reply, error) {
	r := reply{
		text: v.Get("text"), echo: v.GetString("echo"), finish: v.GetString("finish"),
		delay: milliseconds(v.Get("delay_ms")), chunkDelay: milliseconds(v.Get("chunk_delay_ms")),
		failure: v.Get("error"), drop: v.Get("close").Truthy(), abortAfter: -1,
	}
	if r.echo != "" && !strings.Contains(echoes, " "+r.echo+" ") {
		return reply{}, fault.Newf(fault.Invalid, "unknown echo %q", r.echo)
	}
	if v.Has("json") {
		r.text = value.Of(v.Get("json").JSON())
	}
	if n, ok := v.Get("abort_after").Num(); ok {
		r.abortAfter = int(n)
	}
	for _, chunk := range v.Get("chunks").Items() {
		r.chunks = append(r.chunks, chunk.Plain())
	}
	if r.text.IsAbsent() && r.chunks != nil {
		r.text = value.Of(strings.Join(r.chunks, ""))
	}
	for i, t := range v.Get("tools").Items() {
		call := tool{id: t.GetString("id"), name: t.GetString("name"), arguments: t.Get("args").Plain()}
		if call.id == "" {
			call.id = "call_fake_" + value.FormatNumber(float64(i+1))
		}
		r.tools = append(r.tools, call)
	}
	return r, nil
}

func milliseconds(v value.Value) time.Duration {
	ms, _ := v.Num()
	return time.Duration(ms * float64(time.Millisecond))
}

// matches reports whether all conditions of the rule hold.
func (r rule) matches(x exchange) bool {
	last := x.last("")
	for _, m := range r.when.Members() {
		wanted, _ := m.Value.Str()
		flag := m.Value.Truthy()
		holds := false
		switch m.Key {
		case "model":
			holds = x.model == wanted
		case "stream":
			holds = x.stream == flag
		case "has_tools":
			holds = x.tools == flag
		case "last_role":
			holds = last.role == wanted
		case "last_contains":
			holds = strings.Contains(last.text, wanted)
		case "user_contains":
			holds = strings.Contains(x.last("user").text, wanted)
		case "system_contains":
			holds = strings.Contains(x.system(), wanted)
		}
		if !holds {
			return false
		}
	}
	return true
}
